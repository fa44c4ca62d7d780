/** Packed documents, as `cuSeqlens` tells them. */
import type { Values } from './values.ts';

/** Where documents of these lengths begin, and the last one ends. */
export function endsOf(lengths: readonly number[]): number[] {
  return lengths.reduce<number[]>((all, length) => [...all, (all.at(-1) as number) + length], [0]);
}

export const numbersOf = (cuSeqlens: Values, count: number): number[] =>
  Array.from({ length: count }, (_, d) => cuSeqlens.at(d));
