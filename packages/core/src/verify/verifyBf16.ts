import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Device, HostArray } from '@anneal/kernels';
import { activationTypeOn } from '../device.ts';
import { UserError } from '../errors.ts';
import { loadLoraWeights } from '../models/adapters/loadLora.ts';
import { loraSpecOf, writeLora } from '../models/adapters/lora.ts';
import type { LoraWeights } from '../models/adapters/loraWeights.ts';
import { type OpenModel, openModel } from '../models/open.ts';
import { supervised } from '../objectives/supervised.ts';
import { TrainingEngine } from '../trainer/trainingEngine.ts';
import { goldenBatch } from './batches.ts';
import { forward, type Precision, withForwardEngine } from './forward.ts';
import { type GoldenFolder, openGolden } from './golden.ts';
import { goldenStep, openTraining } from './goldenTraining.ts';
import { gradientInOurs, gradientVariable } from './gradientNames.ts';
import { nmse, type Quantity, quantity, relativeDifference } from './quantity.ts';

/** How far the reference's own bfloat16 run is from its float32 run: NMSE, of gradients the worst and the median tensor. */
interface Yardstick {
  readonly logits: number;
  readonly gradients_worst: number;
  readonly gradients_median: number;
  readonly 'lora.logits': number;
  readonly 'lora.gradients_worst': number;
  readonly 'lora.gradients_median': number;
}

/** Beside the reference's error, as both round in their own places. */
const allowedRatio = 2;
const lossTolerance = 1e-3;

/**
 * The golden values with weights in bfloat16, and activations where the device has kernels for it: at most twice as far from
 * float32 as the reference's own bfloat16 run, which `bf16.json` beside the folder tells.
 * @throws UserError `golden_incomplete` where bf16.json does not name the folder
 */
export async function verifyBf16(path: string, device: Device): Promise<Quantity[]> {
  const yardstick = readYardstick(path);
  const golden = openGolden(path);
  const model = openModel(path);
  const precision = { weightType: 'bf16', activationType: activationTypeOn(device, 'bf16') } as const;
  try {
    const adapter = await loadLoraWeights(join(path, 'adapter'), model);
    return [
      ...(await compare(golden, model, null, device, precision, yardstick)),
      ...(await compare(golden, model, adapter, device, precision, yardstick)),
    ];
  } finally {
    model.close();
    golden.close();
  }
}

async function compare(
  golden: GoldenFolder,
  model: OpenModel,
  adapter: LoraWeights | null,
  device: Device,
  precision: Precision,
  yardstick: Yardstick,
): Promise<Quantity[]> {
  const prefix = adapter ? 'lora.' : '';
  const batch = goldenBatch(golden);
  const run = async (engine: Parameters<typeof forward>[0]) => {
    if (adapter) await writeLora(engine, adapter);
    return forward(engine, batch, ['logits']);
  };
  const lora = adapter && loraSpecOf(adapter, 0);
  const [logits] = await withForwardEngine(model, lora, device, batch, run, precision);
  const tolerance = allowedRatio * yardstick[`${prefix}logits`];
  const quantities = [nmse(`${prefix}logits`, logits as Float32Array, golden.float32(`${prefix}logits`), tolerance)];

  await using training = new TrainingEngine(await openTraining(golden, model, adapter, device, precision), supervised);
  const { loss } = await training.step(goldenStep(golden), { step: 1, learningRate: 0, seed: 0 });
  quantities.push(relativeDifference(`${prefix}loss`, [loss], golden.float32(`${prefix}loss`), lossTolerance));
  const errors: number[] = [];
  for (const name of golden.names.filter((n) => n.startsWith(`${prefix}grad.`))) {
    const variable = gradientVariable(model, name);
    const ours = (await training.engine.read(variable)) as HostArray;
    errors.push(nmse(name, ours, gradientInOurs(model, variable, golden.float32(name)), 0).error);
  }
  errors.sort((a, b) => a - b);
  const [worst, median] = [errors.at(-1) ?? Number.NaN, errors[errors.length >> 1] ?? Number.NaN];
  return [
    ...quantities,
    quantity(`${prefix}gradients.worst`, 'nmse', worst, allowedRatio * yardstick[`${prefix}gradients_worst`]),
    quantity(`${prefix}gradients.median`, 'nmse', median, allowedRatio * yardstick[`${prefix}gradients_median`]),
  ];
}

function readYardstick(path: string): Yardstick {
  const file = join(dirname(resolve(path)), 'bf16.json');
  const all: Record<string, Yardstick> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const found = all[basename(resolve(path))];
  if (found) return found;
  throw new UserError({
    what: `nothing says how far the reference's own bfloat16 run is from float32: ${file} does not name ${basename(path)}`,
    where: path,
    next: 'leave out --dtype bf16, or make bf16.json with the tool that makes the reference values',
    code: 'golden_incomplete',
  });
}
