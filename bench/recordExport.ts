/**
 * Measures merging and quantizing, which is what an export takes its time for: `node bench/recordExport.ts NAME [--threads N]`.
 * Rows of bfloat16 are encoded in each GGUF type: as they are, with LoRA of rank 16 folded in, and with an importance matrix. Writes
 * bench/results/NAME.json, or the file after --to; run it on an otherwise idle machine, from a clean commit.
 */
import { availableParallelism } from 'node:os';
import { cpuDevice, encodeWeights, type WeightType } from '@anneal/kernels';
import { optional, readArguments } from './arguments.ts';
import { writeResults } from './results.ts';

const [rows, columns, rank] = [2048, 4096, 16];
const repeats = 5;
/** Weights and bytes of a block. */
const types: readonly (readonly [WeightType, number, number])[] = [
  ['BF16', 1, 2],
  ['Q8_0', 32, 34],
  ['Q6_K', 256, 210],
  ['Q5_K', 256, 176],
  ['Q4_K', 256, 144],
  ['Q4_0', 32, 18],
  ['Q3_K', 256, 110],
  ['Q2_K', 256, 84],
  ['IQ4_NL', 32, 18],
  ['IQ4_XS', 256, 136],
  ['IQ3_S', 256, 110],
  ['IQ3_XXS', 256, 98],
];

const { names, values } = readArguments({
  command: 'node bench/recordExport.ts',
  about: 'Measures merging and quantizing; writes bench/results/NAME.json.',
  names: ['NAME'],
  options: { threads: availableParallelism(), to: optional },
});
const [name] = names as [string];
const device = cpuDevice({ threads: values.threads });
const weights = rows * columns;
const source = new Uint8Array(bfloat16(noise(weights, 0.02)).buffer);
const adapter = { A: noise(rank * columns, 0.02), B: noise(rows * rank, 0.02), rank, scale: 1 };
const importance = noise(columns, 1).map((value) => value ** 2);
const ways = { plain: {}, merged: { adapter }, weighted: { importance } };

const measured = [];
for (const [type, length, bytes] of types) {
  for (const [way, options] of Object.entries(ways)) {
    if (way === 'weighted' && !type.includes('_K') && !type.startsWith('IQ')) continue;
    const seconds: number[] = [];
    for (let i = 0; i < repeats; i++) {
      const targets = [{ type, bytes: new Uint8Array((weights / length) * bytes) }];
      const start = performance.now();
      await encodeWeights({ source, sourceType: 'bf16', rows, columns, targets, ...options }, device);
      seconds.push((performance.now() - start) / 1000);
    }
    seconds.sort((a, b) => a - b);
    const median = seconds[repeats >> 1] as number;
    // Of the model as it is read: two bytes a weight.
    const megabytesPerSecond = round((2 * weights) / median / 1e6);
    const spread = round((seconds.at(-1) as number) / (seconds[0] as number), 2);
    measured.push({ type, way, megabytesPerSecond, spread });
    console.log(`${type.padEnd(7)} ${way.padEnd(8)} ${megabytesPerSecond} MB/s`);
  }
}
const { isa, threads } = device;
const what =
  `bfloat16 rows, encoded as they are, with LoRA r ${rank} merged, or weighted by an importance matrix; ` +
  `median of ${repeats}, spread is slowest by fastest`;
console.log(writeResults(name, { what, isa, threads, shape: [rows, columns], rows: measured }, values.to));

/** Numbers like a layer's weights, the same in every run (mulberry32, summed to something like a bell). */
function noise(count: number, scale: number): Float32Array {
  let state = 1;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return Float32Array.from({ length: count }, () => (uniform() + uniform() + uniform() + uniform() - 2) * scale * 1.7);
}

/** Cut, not rounded: it is the speed that counts. */
function bfloat16(numbers: Float32Array): Uint16Array {
  return Uint16Array.from(new Uint32Array(numbers.buffer), (bits) => bits >>> 16);
}

function round(value: number, digits = 0): number {
  return Number(value.toFixed(digits));
}
