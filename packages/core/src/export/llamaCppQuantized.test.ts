import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '@anneal/formats/json';
import { cpuDevice } from '@anneal/kernels';
import { expect, test } from 'vitest';
import { openDecoder } from '../../test/decoder.ts';
import { goldenPath, temporaryFolder } from '../../test/fixtures.ts';
import { withLlamaCpp, writeTokenizer } from '../../test/llamaCpp.ts';
import { peerLlamaCpp } from '../../test/peers.ts';
import { gemma3nOfKnownSizes, writeRandomModel } from '../../test/randomModel.ts';
import { openModel } from '../models/open.ts';
import { exportGguf, ggufFileName } from './gguf.ts';

const llamaCpp = await peerLlamaCpp();
const types = ['q8_0', 'q4_k_m', 'iq4_xs'] as const;

/** Rows of 256 weights, as the types with large blocks need them. */
const wide = { hidden_size: 256, intermediate_size: 256, vocab_size: 96 };

const prompt = Array.from({ length: 32 }, (_, i) => 3 + ((7 * i) % 77));
const step = 4;
const behind = Array.from({ length: prompt.length / step }, (_, i) => (i + 1) * step - 1);

/** Of the tokens behind every few of the prompt. */
type Distributions = readonly Float32Array[];

function logSoftmax(logits: Float32Array): Float32Array {
  const most = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const sum = logits.reduce((all, logit) => all + Math.exp(logit - most), 0);
  return logits.map((logit) => logit - most - Math.log(sum));
}

/** The middle one of the Kullback–Leibler divergences: experts that are chosen by a hair may differ at some tokens. */
function divergence(wanted: Distributions, found: Distributions): number {
  const all = wanted.map((p, at) =>
    p.reduce((sum, log, token) => sum + Math.exp(log) * (log - (found[at]?.[token] ?? NaN)), 0),
  );
  return all.toSorted((a, b) => a - b)[all.length >> 1] ?? NaN;
}

async function ourDistributions(path: string): Promise<Distributions> {
  const decoder = await openDecoder(path, { contextLength: 32, chunk: step, device: cpuDevice({ threads: 1 }) });
  const found: Float32Array[] = [];
  for (const last of behind) {
    const start = last + 1 - step;
    found.push(logSoftmax(await decoder.logits(prompt.slice(start, last + 1), start)));
  }
  return found;
}

async function theirDistributions(path: string): Promise<Distributions> {
  const all = (await withLlamaCpp(path, (peer) => peer.logits(prompt))) ?? [];
  return behind.map((last) => logSoftmax(all[last] ?? new Float32Array()));
}

test.skipIf(llamaCpp === null).each<[name: string, changes: JsonObject]>([
  ['gemma3n', gemma3nOfKnownSizes(wide.vocab_size)],
  ['gemma4', { vocab_size_per_layer_input: 96 }],
  ['gemma4-moe', { moe_intermediate_size: 256 }],
  ['granite4-h', { shared_intermediate_size: 256, mamba_n_heads: 64 }],
  ['granite4-moe', { shared_intermediate_size: 256, mamba_n_heads: 32 }],
  ['deepseek-v3', { moe_intermediate_size: 256, q_lora_rank: 256, kv_lora_rank: 256 }],
  ['ministral3', {}],
  ['qwen3.5', { rms_norm_eps: 1e-6 }],
  ['qwen3.5-moe', { moe_intermediate_size: 256, shared_expert_intermediate_size: 256, rms_norm_eps: 1e-6 }],
])('llama.cpp reads quantized files of %s as we do', async (name, changes) => {
  const config = { ...JSON.parse(readFileSync(join(goldenPath(name), 'config.json'), 'utf8')), ...wide, ...changes };
  const folder = temporaryFolder();
  const path = await writeRandomModel(join(folder, 'model'), config, 1, 0.1);
  writeTokenizer(path, wide.vocab_size);
  const model = openModel(path);
  await exportGguf(join(folder, 'gguf'), { model, adapter: null, types, name: 'tiny' });
  model.close();
  const plain = await ourDistributions(path);
  const files = types.map((type) => join(folder, 'gguf', ggufFileName('tiny', type)));
  const found: Distributions[] = [];
  for (const file of files) found.push(await ourDistributions(file));
  const byRounding = divergence(plain, found[types.indexOf('q4_k_m')] ?? []);
  for (const [i, file] of files.entries()) {
    const theirs = await theirDistributions(file);
    // llama.cpp rounds what the weights are multiplied with to 8 bits.
    expect(divergence(found[i] ?? [], theirs), types[i]).toBeLessThan(byRounding / 5);
  }
});

test('DeepSeek: what takes the place of a type is told of the parts of a matrix, whose rows have other lengths', async () => {
  const folder = temporaryFolder();
  const config = { ...JSON.parse(readFileSync(join(goldenPath('deepseek-v3'), 'config.json'), 'utf8')), ...wide };
  const ranks = { moe_intermediate_size: 256, q_lora_rank: 256, kv_lora_rank: 256 };
  const heads = { num_attention_heads: 8, num_key_value_heads: 8, qk_nope_head_dim: 32, v_head_dim: 32 };
  const sizes = { ...ranks, ...heads, qk_head_dim: 40 };
  const model = openModel(await writeRandomModel(join(folder, 'model'), { ...config, ...sizes }));
  const how = { model, adapter: null, types: ['q4_k_m'], name: 'tiny' } as const;
  const { warnings } = await exportGguf(join(folder, 'gguf'), how);
  model.close();
  // Of attn_k_b alone, one in each of three layers: all others have rows of 256.
  expect(warnings.join()).toContain('so, as in llama.cpp, Q5_0 takes the place of Q4_K (3 ×).');
});
