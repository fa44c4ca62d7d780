import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openSafetensors, type SafetensorsSource } from '@anneal/formats/safetensors/read';
import { z } from 'zod';
import { UserError } from '../errors.ts';
import { NUMBERS, readReference } from './readReference.ts';

/**
 * A folder of reference values for one model: the checkpoint, golden.safetensors, adapter/ and, unless its weights are stored
 * in 4 bits and so not trained, curves.json.
 */
export interface GoldenFolder {
  readonly path: string;
  readonly names: readonly string[];
  float32(name: string): Float32Array;
  int32(name: string): Int32Array;
  shape(name: string): readonly number[];
  /** What to throw where a value does not fit the others. */
  wrongForm(name: string, why: string): UserError;
  /** @throws UserError where the folder has none */
  readonly curves: GoldenCurves;
  close(): void;
}

export interface GoldenCurve {
  readonly lr: number;
  readonly loss: readonly number[];
  readonly grad_norm: readonly number[];
}

export interface GoldenCurves {
  readonly full: GoldenCurve;
  readonly lora: GoldenCurve & { readonly r: number; readonly alpha: number; readonly rslora: boolean };
  /** Learning rates of the full curve. */
  readonly schedule: readonly number[];
  readonly optimizer: {
    readonly betas: readonly [number, number];
    readonly eps: number;
    readonly weight_decay: number;
    readonly max_grad_norm: number;
    readonly warmup_steps: number;
    readonly steps: number;
  };
}

const curveForm = z.looseObject({ lr: z.number(), loss: NUMBERS, grad_norm: NUMBERS });
export const optimizerForm = z.looseObject({
  betas: z.tuple([z.number(), z.number()]),
  eps: z.number(),
  weight_decay: z.number(),
  max_grad_norm: z.number(),
  steps: z.int().nonnegative(),
});
const curvesForm = z.looseObject({
  full: curveForm,
  lora: curveForm.extend({ r: z.int(), alpha: z.number(), rslora: z.boolean() }),
  schedule: NUMBERS,
  optimizer: optimizerForm.extend({ warmup_steps: z.number() }),
});
export const adapterCurvesForm = curvesForm.omit({ full: true }).extend({ base: z.string(), lora: curveForm });

/** @param needed files besides golden.safetensors and adapter/ */
export function openGolden(path: string, needed: readonly string[] = ['config.json']): GoldenFolder {
  for (const file of [...needed, 'golden.safetensors', 'adapter']) requireFile(path, file);
  const source: SafetensorsSource = openSafetensors(join(path, 'golden.safetensors'));
  const info = (name: string) => {
    const found = source.tensors.get(name);
    if (found) return found;
    throw new UserError({
      what: `the reference value ${name} is missing`,
      where: join(path, 'golden.safetensors'),
      code: 'golden_incomplete',
    });
  };
  const wrongForm = (name: string, why: string) =>
    new UserError({
      what: `the reference value ${name} ${why}`,
      where: join(path, 'golden.safetensors'),
      next: 'make the reference values again',
      code: 'golden_incomplete',
    });
  return {
    path,
    wrongForm,
    names: [...source.tensors.keys()],
    float32: (name) => (info(name), source.float32(name)),
    int32: (name) => {
      if (info(name).dtype !== 'I32') throw wrongForm(name, `holds ${info(name).dtype}, where I32 is needed`);
      const bytes = source.bytes(name);
      return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
    },
    shape: (name) => info(name).shape,
    get curves() {
      requireFile(path, 'curves.json');
      return readReference<GoldenCurves>(join(path, 'curves.json'), curvesForm);
    },
    close: () => source.close(),
  };
}

function requireFile(path: string, file: string): void {
  if (existsSync(join(path, file))) return;
  throw new UserError({
    what: `this is no folder of reference values: ${file} is missing`,
    where: path,
    next: 'give a folder that holds a checkpoint with golden.safetensors, curves.json and adapter/',
    code: 'golden_incomplete',
  });
}
