import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GgufValue } from '@anneal/formats/gguf/metadata';
import { openGguf } from '@anneal/formats/gguf/read';
import { writeGguf } from '@anneal/formats/gguf/write';
import type { JsonObject } from '@anneal/formats/json';
import { expect, test } from 'vitest';
import { openDecoder } from '../../test/decoder.ts';
import { goldenModel, goldenPath, temporaryFolder } from '../../test/fixtures.ts';
import { withLlamaCpp, writeTokenizer } from '../../test/llamaCpp.ts';
import { peerLlamaCpp } from '../../test/peers.ts';
import { gemma3nOfKnownSizes, writeRandomModel } from '../../test/randomModel.ts';
import { openModel } from '../models/open.ts';
import { openGolden } from '../verify/golden.ts';
import { exportGguf, ggufFileName } from './gguf.ts';

const llamaCpp = await peerLlamaCpp();
const [answer, endToken] = [24, 2];
/** Of a file whose name has phi3 in it llama.cpp expects that model's special tokens. */
const fileName = 'tiny';

/** A golden checkpoint with a tokenizer that llama.cpp knows. */
function writeReadable(folder: string, name: string, changes: JsonObject): string {
  const path = join(folder, name);
  cpSync(goldenPath(name), path, { recursive: true });
  const config = { ...configOf(name), ...changes };
  writeFileSync(join(path, 'config.json'), JSON.stringify(config));
  writeTokenizer(path, config.vocab_size as number);
  return path;
}

function configOf(name: string): JsonObject {
  return JSON.parse(readFileSync(join(goldenPath(name), 'config.json'), 'utf8'));
}

const longRope = {
  rope_type: 'longrope',
  rope_theta: 10_000,
  partial_rotary_factor: 0.75,
  short_factor: [1, 1.25, 1.5],
  long_factor: [1.5, 4, 12],
  original_max_position_embeddings: 256,
};

test.skipIf(llamaCpp === null).each<[name: string, changes: JsonObject]>([
  ['llama3', {}],
  // llama.cpp ignores its window.
  ['mistral', { sliding_window: 512 }],
  ['ministral3', {}],
  ['qwen2', {}],
  ['qwen3', {}],
  ['gemma2', {}],
  // llama.cpp knows Gemma 3 with windows in five of six layers, and by its size what attention is scaled by.
  ['gemma3-mixed', { layer_types: Array.from({ length: 3 }, () => 'sliding_attention'), query_pre_attn_scalar: 16 }],
  ['phi3', {}],
  // Within the original context, whose size llama.cpp goes by.
  ['phi4-mini', { original_max_position_embeddings: 256, rope_parameters: longRope }],
  ['smollm3', {}],
  ['olmo2', {}],
  ['olmo3', {}],
  ['granite', {}],
  ['granite4-h', {}],
  ['glm4', {}],
  ['qwen3-moe', {}],
  // llama.cpp norms queries and keys of the gated delta rule with the model's epsilon.
  ['qwen3.5', { rms_norm_eps: 1e-6 }],
  ['qwen3.5-moe', { rms_norm_eps: 1e-6 }],
  ['lfm2', {}],
  ['gpt-oss', {}],
  ['deepseek-v3', {}],
  ['glm4-moe', {}],
  ['seed-oss', {}],
  // llama.cpp takes shared keys from a layer with a window and the one behind it.
  ['gemma4', {}],
  ['gemma4-moe', {}],
  ['granite4-moe', {}],
])('llama.cpp loads the GGUF of %s and gives our greedy tokens; it is read back as it was', async (name, changes) => {
  const folder = temporaryFolder();
  const path = writeReadable(folder, name, changes);
  const model = openModel(path);
  const file = await exported(folder, path);
  const again = openModel(file);
  expect(roughly(again.config)).toEqual(roughly(model.config));
  for (const [tensor, { float32 }] of model.tensors) {
    const found = again.tensors.get(tensor)?.float32() ?? new Float32Array();
    // A norm that is stored as 1 + w loses the last bits of w.
    expect(Math.max(...float32().map((weight, i) => Math.abs(weight - (found[i] ?? NaN))))).toBeLessThan(2 ** -22);
  }
  again.close();
  model.close();

  const golden = openGolden(goldenPath(name));
  const prompt = [...golden.int32('greedy.prompt')];
  golden.close();
  await expectSameAnswer(path, file, prompt);
});

test.skipIf(llamaCpp === null)(
  'a Granite 4 without Mamba layers is a Granite 3 in a file, and gives the same answer',
  async () => {
    const folder = temporaryFolder();
    const path = writeReadable(folder, 'granite4', {});
    await expectSameAnswer(path, await exported(folder, path), tokens, 'granite');
  },
);

test.skipIf(llamaCpp === null)('with experts it is a granitemoe', async () => {
  const folder = temporaryFolder();
  const config = { ...configOf('granite4-moe'), num_hidden_layers: 3, position_embedding_type: 'rope' };
  const layerTypes = ['attention', 'attention', 'attention'];
  const path = await writeRandomModel(join(folder, 'model'), { ...config, layer_types: layerTypes });
  writeTokenizer(path, 96);
  await expectSameAnswer(path, await exported(folder, path), tokens, 'granitemoehybrid');
});

// llama.cpp may say tokens that the table of the layers has no row for.
test.each([80, 78])('Gemma 3n, of the sizes that llama.cpp knows, with a table of %i rows', async (rows) => {
  const folder = temporaryFolder();
  const path = await writeRandomModel(
    join(folder, 'model'),
    { ...configOf('gemma3n'), ...gemma3nOfKnownSizes(rows), intermediate_size: 40 },
    0.1,
  );
  writeTokenizer(path, 80);
  const file = await exported(folder, path);
  const [model, again] = [openModel(path), openModel(file)];
  const table = { ...model.config.perLayerInputs, vocabSize: 80 };
  expect(roughly(again.config)).toEqual(roughly({ ...model.config, perLayerInputs: table }));
  for (const [name, { shape, float32 }] of model.tensors)
    expect(again.tensors.get(name)?.float32({ first: 0, count: shape[0] ?? 1 }), name).toEqual(float32());
  model.close();
  again.close();
  if (rows === 80) await expectSameAnswer(path, file, tokens, 'gemma3n_text');
});

test('DeepSeek: keys and values of each head lie apart, and are read quantized, too', async () => {
  const folder = temporaryFolder();
  const model = goldenModel('deepseek-v3');
  await exportGguf(join(folder, 'gguf'), { model, adapter: null, types: ['f32', 'q8_0'], name: fileName });
  const wanted = model.tensors.get('layers.0.kv_b')?.float32() ?? new Float32Array();
  for (const type of ['f32', 'q8_0'] as const) {
    const again = openModel(join(folder, 'gguf', ggufFileName(fileName, type)));
    const found = again.tensors.get('layers.0.kv_b');
    const all = found?.float32() ?? new Float32Array();
    const error = Math.max(...all.map((weight, i) => Math.abs(weight - (wanted[i] ?? NaN))));
    expect(error).toBeLessThanOrEqual(type === 'f32' ? 0 : 0.01);
    const columns = found?.shape[1] ?? 1;
    expect(found?.float32({ first: 5, count: 9 })).toEqual(all.subarray(5 * columns, 14 * columns));
    again.close();
  }
});

test('DeepSeek: files from before May 2025 hold them whole', async () => {
  const folder = temporaryFolder();
  const model = openModel(writeReadable(folder, 'deepseek-v3', {}));
  const source = openGguf(await exported(folder, model.path));
  const { headCount, headSize, latentAttention } = model.config;
  const old: [string, number][] = [
    ['attention.head_count_kv', headCount],
    ['attention.key_length', headSize],
    ['attention.value_length', latentAttention?.valueSize ?? 0],
  ];
  const metadata = new Map([
    ...[...source.metadata].filter(([key]) => !key.endsWith('_mla')),
    ...old.map(([key, value]): [string, GgufValue] => [`deepseek2.${key}`, { type: 'uint32', value }]),
  ]);
  const apart = [...source.tensors.values()].filter(({ name }) => !/attn_[kv]_b/.test(name));
  const whole = [...model.tensors.values()].filter(({ name }) => name.endsWith('.kv_b'));
  const path = join(folder, 'old.gguf');
  await writeGguf(path, metadata, [
    ...apart.map(({ name, shape }) => ({ name, shape, type: 'F32' as const, bytes: () => source.bytes(name) })),
    ...whole.map(({ name, shape, bytes }) => ({
      name: `${name.replace('layers', 'blk').replace('kv_b', 'attn_kv_b')}.weight`,
      shape,
      type: 'F32' as const,
      bytes,
    })),
  ]);
  source.close();
  const again = openModel(path);
  expect(roughly(again.config)).toEqual(roughly(model.config));
  for (const { name, float32 } of whole) expect(again.tensors.get(name)?.float32()).toEqual(float32());
  again.close();
  model.close();
});

const tokens = Array.from({ length: 20 }, (_, i) => 3 + ((7 * i) % 77));

async function exported(folder: string, path: string): Promise<string> {
  const model = openModel(path);
  await exportGguf(join(folder, 'gguf'), { model, adapter: null, types: ['f32'], name: fileName });
  model.close();
  return join(folder, 'gguf', ggufFileName(fileName, 'f32'));
}

/** llama.cpp's with the file is ours with the folder; so is ours with the file, read as another architecture. */
async function expectSameAnswer(path: string, file: string, prompt: number[], readAs?: string): Promise<void> {
  const answerOf = async (model: string): Promise<number[]> => {
    const decoder = await openDecoder(model, { contextLength: 64, chunk: 16 });
    const ids = await decoder.generate(prompt, { maxNewTokens: answer, stopIds: new Set([endToken]) });
    return ids.filter((token) => token !== endToken);
  };
  const ours = await answerOf(path);
  await withLlamaCpp(file, async (peer) => {
    expect(await peer.greedy(prompt, answer)).toEqual(ours);
  });
  if (readAs === undefined) return;
  const again = openModel(file);
  expect(again.config.architecture).toBe(readAs);
  again.close();
  expect(await answerOf(file)).toEqual(ours);
}

/** Numbers as float32 has them, which is how GGUF holds most. */
function roughly(config: object): unknown {
  return JSON.parse(JSON.stringify(config), (_, value) => (typeof value === 'number' ? Math.fround(value) : value));
}
