import { describe, expect, test } from 'vitest';
import { addon } from '../../src/addon.ts';
import { cpuDevice } from '../../src/device.ts';
import { Engine } from '../../src/engine.ts';
import { Graph } from '../../src/graph.ts';
import { compile } from '../../src/plan.ts';
import { Variables } from '../../src/variables.ts';
import { philox } from './cases.ts';
import { dropout } from './op.ts';

test('philox gives the known answers of its authors', () => {
  // kat_vectors of Random123 1.14, philox4x32 10.
  expect(philox([0, 0, 0, 0], [0, 0])).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
  expect(philox([0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff])).toEqual([
    0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd,
  ]);
  expect(philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0])).toEqual([
    0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1,
  ]);
});

// Longer than a range of one thread, and with a rest whatever the vectors' width.
const count = 3 * 8192 + 61;
const rate = 0.3;
const stream = 7;
const seed = Int32Array.of(-5, 123_456_789);

async function dropped(isa: string): Promise<Float32Array> {
  const device = cpuDevice({ isa, threads: 2 });
  const graph = new Graph('dropout', new Variables());
  const x = graph.input('x', 'f32', [1, count]);
  graph.result('y', dropout(x, graph.input('seed', 'i32', [2]), rate, stream));
  const plan = compile([graph], { bounds: { T: 1, S: 1, N: 1 }, activations: 'keep', device });
  const engine = new Engine(plan, device);
  try {
    const inputs = { x: Float32Array.from({ length: count }, (_, i) => i + 1), seed };
    const { results } = await engine.run([{ program: 'dropout', extents: {}, inputs, results: ['y'] }]);
    return results[0] as Float32Array;
  } finally {
    await engine.dispose();
  }
}

describe.each(addon().instructionSets())('%s', (isa) => {
  test('keeps the very elements that the random stream names, at the same bits as plain', async () => {
    const y = await dropped(isa);
    const kept = Array.from({ length: count }, (_, i) => {
      const words = philox([i >>> 2, 0, stream, 0], [seed[0] as number, seed[1] as number]);
      return (words[i % 4] as number) >= Math.floor(rate * 2 ** 32);
    });
    expect(Array.from(y, (value) => value !== 0)).toEqual(kept);
    expect(y).toEqual(await dropped('plain'));
  });
});
