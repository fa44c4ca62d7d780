/**
 * The 32-bit generator "sfc" (small fast counting) of PractRand, seeded by hashing.
 * Its sequence is part of the identity of every run: never change it.
 */
export interface Random {
  /** Uniform in [0, 2³²). */
  uint32(): number;
  /** Uniform in [0, bound), without modulo bias. */
  below(bound: number): number;
}

/** @param seeds integers or strings; the same ones give the same sequence on every machine. */
export function random(...seeds: readonly (number | string)[]): Random {
  let a = hash(seeds.join('\u0000'), 0x9e3779b9);
  let b = hash(seeds.join('\u0000'), 0x243f6a88);
  let c = hash(seeds.join('\u0000'), 0xb7e15162);
  let counter = 1;
  const uint32 = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 15; i++) uint32();
  const below = (bound: number): number => {
    // Values of the last, incomplete block of `bound` would be too likely.
    const limit = 2 ** 32 - (2 ** 32 % bound);
    for (;;) {
      const value = uint32();
      if (value < limit) return value % bound;
    }
  };
  return { uint32, below };
}

/** 0 … count-1 in an order decided by the seeds (Fisher–Yates). */
export function permutation(count: number, ...seeds: readonly (number | string)[]): Uint32Array<ArrayBuffer> {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  const { below } = random(...seeds);
  for (let i = count - 1; i > 0; i--) {
    const j = below(i + 1);
    const swapped = order[i] as number;
    order[i] = order[j] as number;
    order[j] = swapped;
  }
  return order;
}

/** FNV-1a with a final avalanche (MurmurHash3's). */
function hash(text: string, basis: number): number {
  let h = basis | 0;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** Of mean 0 and variance 1, from two numbers below 2³² (Box, Muller 1958). */
export function normal(uint32: () => number): number {
  const radius = Math.sqrt(-2 * Math.log((uint32() + 1) / 2 ** 32));
  return radius * Math.cos((2 * Math.PI * uint32()) / 2 ** 32);
}
