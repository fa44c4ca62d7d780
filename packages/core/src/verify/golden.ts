import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openSafetensors, type SafetensorsSource } from '@anneal/formats/safetensors/read';
import { UserError } from '../errors.ts';
import { readReference } from './readReference.ts';

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
  return {
    path,
    names: [...source.tensors.keys()],
    float32: (name) => (info(name), source.float32(name)),
    int32: (name) => {
      info(name);
      const bytes = source.bytes(name);
      return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
    },
    shape: (name) => info(name).shape,
    get curves() {
      requireFile(path, 'curves.json');
      return readReference<GoldenCurves>(join(path, 'curves.json'));
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
