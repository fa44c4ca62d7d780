import type { ModelConfig } from '../models/config.ts';
import { type GgufType, tensorType } from './ggufTypes.ts';

/** A multiple of every type's block. */
const LONG_ROW = 256;

interface Matrix {
  /** Ours. */
  readonly name: string;
  /** With rows as the file has them. */
  readonly shape: readonly number[];
}

/**
 * What is said of a file whose matrices have rows that are no multiple of the type's blocks: others take its place, and the file is larger
 * than its name promises. Most of SmolLM2-135M's Q4_K_M is Q5_0.
 */
export function standIns(matrices: readonly Matrix[], config: ModelConfig, type: GgufType): string[] {
  const counts = new Map<string, number>();
  for (const { name, shape } of matrices) {
    if (shape.length !== 2) continue;
    const promised = tensorType(name, [shape[0] as number, LONG_ROW], type, config);
    const taken = tensorType(name, shape, type, config);
    const pair = `${taken} takes the place of ${promised}`;
    if (taken !== promised) counts.set(pair, (counts.get(pair) ?? 0) + 1);
  }
  if (counts.size === 0) return [];
  const pairs = Array.from(counts, ([pair, count]) => `${pair} (${count} ×)`).join(', ');
  return [
    `${type.toUpperCase()}: the rows of some matrices are no multiple of the type's block size, so, as in llama.cpp, ${pairs}.`,
  ];
}
