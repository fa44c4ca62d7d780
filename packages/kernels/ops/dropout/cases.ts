import { casesFor, constant } from '../../src/cases/casesFor.ts';
import { dropoutOp } from './op.ts';

/** High and low half of a 32 × 32 bit product. */
function product(a: number, b: number): [high: number, low: number] {
  const all = BigInt(a) * BigInt(b);
  return [Number(all >> 32n), Number(all & 0xffffffffn)];
}

/** Philox 4x32-10: four random words for a counter and a key. */
export function philox(counter: readonly [number, number, number, number], key: readonly [number, number]): number[] {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = [key[0] >>> 0, key[1] >>> 0];
  for (let round = 0; round < 10; round++) {
    const [highA, lowA] = product(0xd2511f53, c0);
    const [highB, lowB] = product(0xcd9e8d57, c2);
    [c0, c1, c2, c3] = [(highB ^ c1 ^ k0) >>> 0, lowB, (highA ^ c3 ^ k1) >>> 0, lowA];
    [k0, k1] = [(k0 + 0x9e3779b9) >>> 0, (k1 + 0xbb67ae85) >>> 0];
  }
  return [c0, c1, c2, c3];
}

export const dropoutCases = casesFor(dropoutOp, {
  shapes: [
    { T: 1, N: 1 },
    { T: 3, N: 7 },
    { T: 37, N: 65 },
  ],
  attributes: [
    { rate: 0.1, stream: 3 },
    { rate: 0.5, stream: 0 },
    { rate: 0, stream: 1 },
  ],
  fill: { seed: constant(42, -7) },
  benchmark: [{ extents: { T: 512, N: 576 }, attributes: { rate: 0.05, stream: 1 } }],
  reference: ({ x, seed }, { y }, { extents: { T = 0, N = 0 }, attributes: { rate, stream } }) => {
    const threshold = Math.floor(rate * 2 ** 32);
    let words: number[] = [];
    for (let i = 0; i < T * N; i++) {
      if (i % 4 === 0) words = philox([i / 4, 0, stream, 0], [seed.at(0), seed.at(1)]);
      const [t, n] = [Math.floor(i / N), i % N];
      if ((words[i % 4] as number) >= threshold) y.add(t, n, x.at(t, n) / (1 - rate));
    }
  },
});
