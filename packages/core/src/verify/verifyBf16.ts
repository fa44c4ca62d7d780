import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Device } from '@anneal/kernels';
import { z } from 'zod';
import { activationTypeOn } from '../device.ts';
import { UserError } from '../errors.ts';
import { loadLoraWeights } from '../models/adapters/loadLora.ts';
import type { LoraWeights } from '../models/adapters/loraWeights.ts';
import { type OpenModel, openModel } from '../models/open.ts';
import { goldenBatch, reworded } from './batches.ts';
import { float32 } from './forward.ts';
import { type GoldenFolder, openGolden } from './golden.ts';
import { errorsOf, goldenValues, medians, type TextValues, valuesOf } from './goldenValues.ts';
import { gradientVariable } from './gradientNames.ts';
import {
  activationDifference,
  gradientDifference,
  gradientTolerance,
  maxDifference,
  type Quantity,
  quantity,
  tolerances,
} from './quantity.ts';
import { readReference } from './readReference.ts';

/**
 * How far the reference's own bfloat16 run is from its float32 run: NMSE, of gradients the worst and the median tensor. With `texts`
 * every error is the median over so many of them.
 */
interface Yardstick {
  readonly texts?: number;
  readonly loss?: number;
  readonly 'lora.loss'?: number;
  readonly logits: number;
  readonly gradients_worst: number;
  readonly gradients_median: number;
  readonly 'lora.logits': number;
  readonly 'lora.gradients_worst': number;
  readonly 'lora.gradients_median': number;
}

/** Beside the reference's error, as both round in their own places. */
const allowedRatio = 2;
/** Or, over several texts, that ratio times the reference's error, if it is more. */
const lossTolerance = 1e-3;
const form = z.record(
  z.string(),
  z.looseObject({
    texts: z.int().positive().optional(),
    loss: z.number().optional(),
    'lora.loss': z.number().optional(),
    logits: z.number(),
    gradients_worst: z.number(),
    gradients_median: z.number(),
    'lora.logits': z.number(),
    'lora.gradients_worst': z.number(),
    'lora.gradients_median': z.number(),
  }),
);
/** By which the tokens of a text are moved to make the next one, here and in make_bf16.py. */
const wordsBetweenTexts = 5;

/**
 * The golden values with weights in bfloat16, and activations where the device has kernels for it: at most twice as far from
 * float32 as the reference's own bfloat16 run, which `bf16.json` beside the folder tells.
 *
 * Where one rounding decides which experts a token reaches, or terms of a gradient cancel, the error of one text is a matter of luck, the
 * reference's own too. Then `bf16.json` has medians over several texts. Of those that the folder has no values of, they are measured from the
 * engine's own float32 run, which must agree with the folder on the one that it has.
 * @throws UserError `golden_incomplete` where bf16.json does not name the folder
 */
export async function verifyBf16(path: string, device: Device): Promise<Quantity[]> {
  const yardstick = readYardstick(path);
  const golden = openGolden(path);
  const model = openModel(path);
  try {
    const adapter = await loadLoraWeights(join(path, 'adapter'), model);
    return [
      ...(await compare(golden, model, null, device, yardstick)),
      ...(await compare(golden, model, adapter, device, yardstick)),
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
  yardstick: Yardstick,
): Promise<Quantity[]> {
  const prefix = adapter ? 'lora.' : '';
  const { texts: count = 1 } = yardstick;
  const batch = goldenBatch(golden);
  const batches = Array.from({ length: count }, (_, i) =>
    reworded(batch, wordsBetweenTexts * i, model.config.vocabSize),
  );
  const run = { golden, model, adapter, device, batches };
  const reference = goldenValues(golden, model, prefix);
  const inFloat32 = count > 1 ? await valuesOf(run, float32) : [reference];
  const inBf16 = await valuesOf(run, { weightType: 'bf16', activationType: activationTypeOn(device, 'bf16') });
  const { logits, loss, gradients } = medians(inBf16.map((ours, i) => errorsOf(ours, inFloat32[i] as TextValues)));
  const ofTensors = [...gradients.values()].sort((a, b) => a - b);
  const lossAllowed = count > 1 ? allowedRatio * (yardstick[`${prefix}loss`] ?? 0) : 0;
  const [worst, median] = [ofTensors.at(-1) ?? Number.NaN, ofTensors[ofTensors.length >> 1] ?? Number.NaN];
  return [
    ...(count > 1 ? compareFloat32(prefix, model, inFloat32[0] as TextValues, reference) : []),
    quantity(`${prefix}logits`, 'nmse', logits, allowedRatio * yardstick[`${prefix}logits`]),
    quantity(`${prefix}loss`, 'relative', loss, Math.max(lossTolerance, lossAllowed)),
    quantity(`${prefix}gradients.worst`, 'nmse', worst, allowedRatio * yardstick[`${prefix}gradients_worst`]),
    quantity(`${prefix}gradients.median`, 'nmse', median, allowedRatio * yardstick[`${prefix}gradients_median`]),
  ];
}

/** What errors are measured from, where it is not the folder's own: within the tolerances of float32 of what that has. */
function compareFloat32(prefix: string, model: OpenModel, ours: TextValues, reference: TextValues): Quantity[] {
  const { layerCount } = model.config;
  return [
    ...activationDifference(`float32.${prefix}logits`, ours.logits, reference.logits, layerCount),
    maxDifference(`float32.${prefix}loss`, [ours.loss], [reference.loss], tolerances.loss),
    ...[...reference.gradients].flatMap(([name, values]) =>
      gradientDifference(
        `float32.${name}`,
        ours.gradients.get(name) ?? [],
        values,
        gradientTolerance(gradientVariable(model, name)),
      ),
    ),
  ];
}

function readYardstick(path: string): Yardstick {
  const file = join(dirname(resolve(path)), 'bf16.json');
  const all: Record<string, Yardstick> = existsSync(file) ? readReference(file, form) : {};
  const found = all[basename(resolve(path))];
  if (found) return found;
  throw new UserError({
    what: `nothing says how far the reference's own bfloat16 run is from float32: ${file} does not name ${basename(path)}`,
    where: path,
    next: 'leave out --dtype bf16, or make bf16.json with the tool that makes the reference values',
    code: 'golden_incomplete',
  });
}
