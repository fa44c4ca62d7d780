import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readImatrix, writeImatrix } from '../src/gguf/imatrix.ts';
import { type GgufTensorToWrite, writeGguf } from '../src/gguf/write.ts';
import { temporaryFolder } from './helpers.ts';

const floats = (name: string, ...values: number[]): GgufTensorToWrite => ({
  name,
  shape: [1, values.length],
  type: 'F32',
  bytes: () => new Uint8Array(Float32Array.from(values).buffer),
});

describe('an importance matrix', () => {
  it('reads back as it was written, experts and all', async () => {
    const path = join(temporaryFolder(), 'imatrix.gguf');
    const matrix = {
      entries: new Map([
        ['blk.0.attn_q.weight', { sums: Float32Array.of(1, 2, 3), counts: Float32Array.of(7) }],
        ['blk.0.ffn_up_exps.weight', { sums: Float32Array.of(1, 2, 0, 0), counts: Float32Array.of(5, 0) }],
      ]),
      datasets: ['rows.jsonl'],
      chunks: 2,
      chunkTokens: 4,
    };
    await writeImatrix(path, matrix);
    expect(readImatrix(path)).toEqual(matrix);
  });

  it.each([
    ['of a model', [floats('blk.0.attn_q.weight', 1)], 'this is no importance matrix but a model'],
    ['without counts', [floats('a.in_sum2', 1)], 'without the number of tokens'],
    [
      'with sums of no whole matrix',
      [floats('a.in_sum2', 1, 2, 3), floats('a.counts', 1, 1)],
      '3 sums do not belong to 2',
    ],
    ['with a negative sum', [floats('a.in_sum2', 1, -2), floats('a.counts', 1)], 'is -2'],
    ['with NaN', [floats('a.in_sum2', 1, Number.NaN), floats('a.counts', 1)], 'is NaN'],
  ] as const)('%s is refused', async (_, tensors, what) => {
    const path = join(temporaryFolder(), 'imatrix.gguf');
    await writeGguf(path, new Map([['general.type', { type: 'string', value: 'model' }]]), tensors);
    expect(() => readImatrix(path)).toThrow(
      expect.objectContaining({ code: 'imatrix_invalid', what: expect.stringContaining(what) }),
    );
  });
});
