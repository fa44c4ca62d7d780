import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cpuDevice, type Device } from '@anneal/kernels';
import { UserError } from '../errors.ts';
import { expertCount, expertsTogether, isOnExperts } from '../models/adapters/experts.ts';
import { loraName, loraSpecOf, readLora } from '../models/adapters/lora.ts';
import { type LoraWeights, loadLoraWeights } from '../models/adapters/loraWeights.ts';
import { tokenNames } from '../models/adapters/tokens.ts';
import { type OpenModel, openModel } from '../models/open.ts';
import { supervised } from '../objectives/supervised.ts';
import { TrainingEngine } from '../trainer/trainingEngine.ts';
import { float32 } from './forward.ts';
import { type GoldenCurve, type GoldenCurves, type GoldenFolder, openGolden } from './golden.ts';
import { goldenStep, gradientsOnly, openTraining, trainGolden } from './goldenTraining.ts';
import { gradientVariable } from './gradientNames.ts';
import {
  activationDifference,
  gradientDifference,
  maxDifference,
  peakDifference,
  type Quantity,
  relativeDifference,
  tolerances,
} from './quantity.ts';
import { firstRowLogits, mergedLogits, verifyForward, verifyLabels } from './verifyForward.ts';

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
    const curves = JSON.parse(readFileSync(join(path, 'curves.json'), 'utf8')) as AdapterCurves;
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
  const adapter = loadLoraWeights(join(golden.path, 'adapter'), model);
  const { layerCount } = model.config;
  const base = await firstRowLogits(golden, model, null, device);
  const quantities = [
    verifyLabels(golden),
    ...activationDifference('base.logits', base, golden.float32('base.logits'), layerCount),
    ...(await verifyForward(golden, model, adapter, device, 'logits')),
  ];
  if (golden.names.includes('merged.logits')) {
    const merged = await mergedLogits(golden, model, adapter, device);
    quantities.push(...activationDifference('merged.logits', merged, golden.float32('merged.logits'), layerCount));
  }
  const engine = await openTraining(golden, model, adapter, device, float32, curves.optimizer);
  await using training = new TrainingEngine(engine, supervised);
  const step = goldenStep(golden);
  const loss = await gradientsOnly(training, step);
  quantities.push(maxDifference('loss', [loss], golden.float32('loss'), tolerances.loss));
  for (const name of golden.names.filter((n) => n.startsWith('grad.'))) {
    const variable = gradientVariable(model, `lora.${name}`);
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
  const after = await firstRowLogits(golden, model, trained, device);
  quantities.push(peakDifference('trained.logits', after, golden.float32('trained.logits'), tolerances.merged));
  return quantities;
}

/** The gradient of an expert's B in PEFT's order, of the embedding the rows that are trained; any other as it is. */
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
  const linear = [...modules.keys()].find((each) => isOnExperts(each) && variable.endsWith(loraName(each, 'B')));
  if (linear === undefined) return gradient;
  return expertsTogether(gradient, expertCount(config, linear), modules.get(linear)?.rank ?? r);
}
