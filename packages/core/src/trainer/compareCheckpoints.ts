/** Where two checkpoints of one step differ: file by file, and tensor by tensor. */
import { join } from 'node:path';
import { openSafetensors, type SafetensorsSource } from '@anneal/formats/safetensors/read';
import type { FileDifference, TensorDifference } from '../protocol/reproductions.ts';
import { readSeal } from './checkpointSeal.ts';
import { readRunFile } from './runFiles.ts';

/** The file with the time that training took, which is nobody's result. */
const stateFile = 'trainer_state.json';

/**
 * By the hashes in COMPLETE of both, which have to be verified before.
 * @returns nothing where every file has the same bytes; the milliseconds in trainer_state.json do not count
 */
export function compareCheckpoints(original: string, repeated: string): FileDifference[] {
  const [before, after] = [readSeal(original).files, readSeal(repeated).files];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names.flatMap((file): FileDifference[] => {
    if (!(file in after)) return [{ file, what: 'missing', tensors: [] }];
    if (!(file in before)) return [{ file, what: 'added', tensors: [] }];
    if (before[file]?.sha256 === after[file]?.sha256) return [];
    const [a, b] = [join(original, file), join(repeated, file)];
    if (file === stateFile && withoutTime(a) === withoutTime(b)) return [];
    return [{ file, what: 'content', tensors: file.endsWith('.safetensors') ? compareTensors(a, b) : [] }];
  });
}

function withoutTime(path: string): string {
  const { milliseconds: _, ...state } = JSON.parse(readRunFile(path)) as Record<string, unknown>;
  return JSON.stringify(state);
}

function compareTensors(original: string, repeated: string): TensorDifference[] {
  const a = openSafetensors(original);
  const b = openSafetensors(repeated);
  try {
    const names = [...new Set([...a.tensors.keys(), ...b.tensors.keys()])].sort();
    return names.flatMap((tensor) => compareTensor(a, b, tensor) ?? []);
  } finally {
    a.close();
    b.close();
  }
}

function compareTensor(a: SafetensorsSource, b: SafetensorsSource, tensor: string): TensorDifference | undefined {
  const [before, after] = [a.tensors.get(tensor), b.tensors.get(tensor)];
  const elements = (before ?? after)?.shape.reduce((product, size) => product * size, 1) ?? 0;
  const isSameShape = before?.dtype === after?.dtype && String(before?.shape) === String(after?.shape);
  if (!isSameShape) return { tensor, elements, differing: elements, largest: null };
  const [left, right] = [a.bytes(tensor), b.bytes(tensor)];
  if (Buffer.compare(left, right) === 0) return undefined;
  const width = left.length / elements;
  let differing = 0;
  for (let i = 0; i < left.length; i += width) {
    if (Buffer.compare(left.subarray(i, i + width), right.subarray(i, i + width)) !== 0) differing++;
  }
  const isFloat = /^(BF16|F16|F32|F64)$/.test(before?.dtype ?? '');
  return { tensor, elements, differing, largest: isFloat ? largestOf(a.float32(tensor), b.float32(tensor)) : null };
}

function largestOf(a: Float32Array, b: Float32Array): number | null {
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs((a[i] as number) - (b[i] as number));
    if (!Number.isFinite(difference)) return null;
    largest = Math.max(largest, difference);
  }
  return largest;
}
