import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { decodeNf4 } from '@anneal/formats/bitsandbytes/nf4';
import { cpuDevice, type Device } from '@anneal/kernels';
import { UserError } from '../errors.ts';
import { transposed } from '../models/adapters/embeddings.ts';
import { expertCount, expertsTogether, isOnExperts } from '../models/adapters/experts.ts';
import { loadBegun } from '../models/adapters/loadLora.ts';
import { loraName, loraSpecOf, readLora } from '../models/adapters/lora.ts';
import type { LoraWeights } from '../models/adapters/loraWeights.ts';
import { forWholeBase, residual, type Start, writeResidual } from '../models/adapters/start.ts';
import { linearOfModule } from '../models/adapters/targets.ts';
import { tokenNames } from '../models/adapters/tokens.ts';
import { quantized } from '../models/nf4.ts';
import { type ModelTensor, type OpenModel, openModel } from '../models/open.ts';
import { goldenBatch } from './batches.ts';
import { float32 } from './forward.ts';
import { adapterCurvesForm, type GoldenCurve, type GoldenCurves, type GoldenFolder, openGolden } from './golden.ts';
import { goldenStep, gradientsOnly, openTraining, trainGolden } from './goldenTraining.ts';
import { expertParameters, gradientVariable } from './gradientNames.ts';
import {
  activationDifference,
  decomposedDifference,
  gradientDifference,
  maxDifference,
  mismatches,
  peakDifference,
  type Quantity,
  relativeDifference,
  tolerances,
} from './quantity.ts';
import { readReference } from './readReference.ts';
import { adaptedLogits, firstRowLogits, mergedLogits, verifyLabels } from './verifyForward.ts';

interface AdapterCurves extends Pick<GoldenCurves, 'optimizer' | 'schedule'> {
  /** Folder name of the checkpoint that the adapter is for. */
  readonly base: string;
  readonly lora: GoldenCurve;
}

/**
 * What PEFT computes with an adapter of one kind, in float32: logits with it and with it merged, gradients, ten steps and what is then.
 * @param basePath the checkpoint it is for; without one, the folder that curves.json names, beside that of `path`
 * @throws UserError for an adapter of a kind that is not here
 */
export async function verifyAdapter(
  path: string,
  basePath: string | undefined,
  device: Device = cpuDevice(),
): Promise<Quantity[]> {
  const golden = openGolden(path, ['curves.json']);
  try {
    const curves = readReference<AdapterCurves>(join(path, 'curves.json'), adapterCurvesForm);
    const model = openModel(basePath ?? baseBeside(path, curves.base));
    try {
      return await verifyWith(golden, curves, model, device);
    } finally {
      model.close();
    }
  } finally {
    golden.close();
  }
}

function baseBeside(path: string, base: string): string {
  const folders = [join(path, '..', '..', 'models', base), join(path, '..', '..', base)];
  const found = folders.find((folder) => existsSync(folder));
  if (found !== undefined) return found;
  throw new UserError({
    what: `these reference values need their base, ${base}`,
    where: path,
    next: `add --model DIR, the base they were computed from; it is not at ${folders.join(' and not at ')}`,
    code: 'option_missing',
  });
}

async function verifyWith(
  golden: GoldenFolder,
  curves: AdapterCurves,
  model: OpenModel,
  device: Device,
): Promise<Quantity[]> {
  const { trained: adapter, start } = await loadBegun(join(golden.path, 'adapter'), model);
  const whole = (trained: LoraWeights) => (start ? forWholeBase({ trained, start }) : trained);
  const { layerCount } = model.config;
  const compare = (name: string, logits: Float32Array) =>
    start
      ? decomposedDifference(name, logits, golden.float32(name))
      : activationDifference(name, logits, golden.float32(name), layerCount);
  const base = await firstRowLogits(golden, model, null, device);
  const quantities = [
    verifyLabels(golden),
    ...activationDifference('base.logits', base, golden.float32('base.logits'), layerCount),
    ...compare('logits', await adaptedLogits(goldenBatch(golden), model, whole(adapter), device)),
    ...(await verifyBase(golden, model, { trained: adapter, start })),
  ];
  if (golden.names.includes('merged.logits')) {
    const merged = await mergedLogits(golden, model, whole(adapter), device);
    quantities.push(...compare('merged.logits', merged));
  }
  await using training = await openTraining(golden, model, adapter, device, float32, curves.optimizer);
  const { engine } = training;
  if (start) await writeResidual(engine, model, { trained: adapter, start });
  const step = goldenStep(golden);
  const loss = await gradientsOnly(training, step);
  quantities.push(maxDifference('loss', [loss], golden.float32('loss'), tolerances.loss));
  const onExperts = expertParameters(adapter.modules.keys());
  for (const name of golden.names.filter((n) => n.startsWith('grad.'))) {
    const variable = gradientVariable(model, `lora.${name}`, onExperts);
    const gradient = asPeftKeepsIt(model, adapter, variable, (await engine.read(variable)) as Float32Array);
    quantities.push(...gradientDifference(name, gradient, golden.float32(name)));
  }
  const { rateOf, losses, norms } = await trainGolden(training, step, curves.lora.lr, curves.optimizer);
  quantities.push(
    relativeDifference('curve.loss', losses, curves.lora.loss, tolerances.curve),
    relativeDifference('curve.grad_norm', norms, curves.lora.grad_norm, tolerances.curve),
    relativeDifference(
      'curve.schedule',
      curves.schedule.map((_, i) => rateOf(i)),
      curves.schedule,
      1e-12,
    ),
  );
  const trained = await readLora(engine, { ...adapter, dropout: 0 }, loraSpecOf(adapter, 0));
  const after = await firstRowLogits(golden, model, whole(trained), device);
  quantities.push(peakDifference('trained.logits', after, golden.float32('trained.logits'), tolerances.merged));
  return quantities;
}

/** The weights that PEFT leaves of the base beside adapters of PiSSA and LoftQ. */
async function verifyBase(
  golden: GoldenFolder,
  model: OpenModel,
  { trained, start }: { trained: LoraWeights; start: Start | null },
): Promise<Quantity[]> {
  const names = golden.names.filter((name) => /^base\..*\.weight$/.test(name));
  const quantities: Quantity[] = [];
  for (const name of names) {
    const linear = linearOfModule(
      model.config,
      model.architecture.names,
      name.slice('base.'.length, -'.weight'.length),
    );
    if (linear === null) throw new Error(`${name} is no linear of this model`);
    const expected = golden.float32(name);
    if (start) {
      quantities.push(...decomposedDifference(name, await residual(model, { trained, start }, linear), expected));
    } else {
      const held = await quantized(model.tensors.get(linear) as ModelTensor, model);
      quantities.push(mismatches(name, decodeNf4(held, 0, expected.length), expected));
    }
  }
  return quantities;
}

/** The gradient of an expert's B in PEFT's order, of the embedding the rows that are trained, or its adapter's A; any other as it is. */
function asPeftKeepsIt(
  { config }: OpenModel,
  { r, modules, tokens }: LoraWeights,
  variable: string,
  gradient: Float32Array,
): Float32Array {
  if (tokens && variable === `gradient/${tokenNames.embedding}`) {
    const width = config.hiddenSize;
    return Float32Array.from(tokens.ids.flatMap((id) => [...gradient.subarray(id * width, (id + 1) * width)]));
  }
  if (variable === `gradient/${loraName('embed', 'A')}`) {
    return transposed(gradient, config.vocabSize, gradient.length / config.vocabSize);
  }
  const linear = [...modules.keys()].find((each) => isOnExperts(each) && variable.endsWith(loraName(each, 'B')));
  if (linear === undefined) return gradient;
  return expertsTogether(gradient, expertCount(config, linear), modules.get(linear)?.rank ?? r);
}
