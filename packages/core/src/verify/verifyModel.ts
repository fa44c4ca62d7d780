import { join } from 'node:path';
import { cpuDevice, type Device } from '@anneal/kernels';
import type { StepBatches } from '../datasets/types.ts';
import { baseProgram, openDecodeEngine } from '../generate/decodeEngine.ts';
import { generate } from '../generate/generate.ts';
import { greedy } from '../generate/sample.ts';
import { loadLoraWeights } from '../models/adapters/loadLora.ts';
import { loraSpecOf, readLora } from '../models/adapters/lora.ts';
import type { LoraWeights } from '../models/adapters/loraWeights.ts';
import { nf4Forms } from '../models/nf4.ts';
import { type OpenModel, openModel } from '../models/open.ts';
import type { TrainingEngine } from '../trainer/trainingEngine.ts';
import { float32 } from './forward.ts';
import { type GoldenCurve, type GoldenFolder, openGolden } from './golden.ts';
import { goldenStep, gradientsOnly, openTraining, trainGolden } from './goldenTraining.ts';
import { gradientInOurs, gradientVariable } from './gradientNames.ts';
import {
  gradientDifference,
  gradientTolerance,
  maxDifference,
  mismatches,
  peakDifference,
  type Quantity,
  relativeDifference,
  tolerances,
} from './quantity.ts';
import { mergedLogits, verifyForward, verifyLabels } from './verifyForward.ts';
import { verifyFrozen } from './verifyFrozen.ts';

/** Compares everything a golden model folder holds with what this engine computes from its checkpoint, in float32. */
export async function verifyModel(path: string, device: Device = cpuDevice()): Promise<Quantity[]> {
  const golden = openGolden(path);
  const model = openModel(path);
  try {
    const adapter = await loadLoraWeights(join(path, 'adapter'), model);
    if (nf4Forms(model, 'none').size > 0) return await verifyFrozen(golden, model, adapter, device);
    return [
      verifyLabels(golden),
      verifyAdapterShape(golden, adapter),
      ...(await verifyForward(golden, model, null, device)),
      ...(await verifyGreedy(golden, model, device)),
      ...(await verifyTraining(golden, model, null, device)),
      ...(await verifyForward(golden, model, adapter, device)),
      ...(await verifyTraining(golden, model, adapter, device)),
    ];
  } finally {
    model.close();
    golden.close();
  }
}

/** The curve's file repeats what the adapter's config says. */
function verifyAdapterShape({ curves }: GoldenFolder, { r, alpha, rslora }: LoraWeights): Quantity {
  const { lora } = curves;
  return mismatches('curve.lora.adapter', [r, alpha, rslora], [lora.r, lora.alpha, lora.rslora]);
}

async function verifyGreedy(golden: GoldenFolder, model: OpenModel, device: Device): Promise<Quantity[]> {
  const prompt = golden.int32('greedy.prompt');
  const expected = golden.int32('greedy.output');
  // Half the prompt at once also takes the path that reads a prompt in several pieces.
  const promptChunk = Math.max(1, Math.ceil(prompt.length / 2));
  const options = { device, weightType: 'f32', contextLength: expected.length, promptChunk } as const;
  const engine = await openDecodeEngine(model, options);
  const made: number[] = Array.from(prompt);
  const generation = generate(engine, prompt, {
    program: baseProgram,
    sampling: greedy,
    maxNewTokens: expected.length - prompt.length,
    stopIds: new Set(),
    seed: 0,
  });
  for await (const { id } of generation) made.push(id);
  await engine.dispose();
  return [mismatches('greedy', made, expected)];
}

/** Loss, gradients and the ten-step curve; with an adapter also the logits of the merged weights after it. */
async function verifyTraining(
  golden: GoldenFolder,
  model: OpenModel,
  adapter: LoraWeights | null,
  device: Device,
): Promise<Quantity[]> {
  const lora = adapter && loraSpecOf(adapter, 0);
  await using training = await openTraining(golden, model, adapter, device, float32);
  const { engine } = training;
  const step = goldenStep(golden);
  const prefix = adapter ? 'lora.' : '';
  const pad = adapter ? null : padInText(golden, model);
  const loss = await gradientsOnly(training, step);
  const quantities = [maxDifference(`${prefix}loss`, [loss], golden.float32(`${prefix}loss`), tolerances.loss)];
  for (const name of golden.names.filter((n) => n.startsWith(`${prefix}grad.`))) {
    const variable = gradientVariable(model, name);
    const gradient = (await engine.read(variable)) as Float32Array;
    const reference = gradientInOurs(model, variable, golden.float32(name));
    if (pad === null || variable !== 'gradient/embed') {
      quantities.push(...gradientDifference(name, gradient, reference, gradientTolerance(variable)));
      continue;
    }
    const [ours, theirs] = [gradient, reference].map((values) => withoutRow(values, pad, model.config.hiddenSize));
    quantities.push(...gradientDifference(`${name} without row ${pad}`, ours as Float32Array, theirs as Float32Array));
  }
  quantities.push(...(await verifyCurve(golden, training, step, adapter ? 'lora' : 'full', pad)));
  if (adapter && lora) {
    const tuned = await readLora(engine, { ...adapter, dropout: 0 }, lora);
    quantities.push(await verifyMerged(golden, model, tuned, device));
  }
  return quantities;
}

/**
 * The pad token where the text holds it. PyTorch's embedding gives its row no gradient from the lookup, ours does (docs/numerics.md): that
 * row, the gradient norm and whatever comes after the first update cannot be compared.
 */
function padInText(golden: GoldenFolder, model: OpenModel): number | null {
  const { padTokenId } = model.config;
  return padTokenId !== null && golden.int32('input_ids').includes(padTokenId) ? padTokenId : null;
}

function withoutRow(values: Float32Array, row: number, width: number): Float32Array {
  return values.filter((_, i) => Math.floor(i / width) !== row);
}

async function verifyCurve(
  golden: GoldenFolder,
  training: TrainingEngine,
  step: StepBatches,
  which: 'full' | 'lora',
  pad: number | null,
): Promise<Quantity[]> {
  const { optimizer, schedule } = golden.curves;
  const curve: GoldenCurve = golden.curves[which];
  const { rateOf, losses, norms } = await trainGolden(training, step, curve.lr, optimizer);
  const moved = losses.findIndex((_, i) => rateOf(i) > 0) + 1;
  return [
    ...(pad === null
      ? [
          relativeDifference(`curve.${which}.loss`, losses, curve.loss, tolerances.curve),
          relativeDifference(`curve.${which}.grad_norm`, norms, curve.grad_norm, tolerances.curve),
        ]
      : [
          relativeDifference(
            `curve.${which}.loss before the pad token moves`,
            losses.slice(0, moved),
            curve.loss.slice(0, moved),
            tolerances.curve,
          ),
        ]),
    ...(which === 'full'
      ? [
          relativeDifference(
            'curve.schedule',
            schedule.map((_, i) => rateOf(i)),
            schedule,
            1e-12,
          ),
        ]
      : []),
  ];
}

async function verifyMerged(
  golden: GoldenFolder,
  model: OpenModel,
  tuned: LoraWeights,
  device: Device,
): Promise<Quantity> {
  const logits = await mergedLogits(golden, model, tuned, device);
  // Where a gradient is nearly zero AdamW turns its rounding into a whole step: the reference repeated in float64 or by another build of
  // PyTorch is itself up to 1e-4 away.
  return peakDifference('lora.merged.logits', logits, golden.float32('lora.merged.logits'), tolerances.merged);
}
