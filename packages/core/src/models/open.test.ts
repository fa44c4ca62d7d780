import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openSafetensors } from '@anneal/formats/safetensors/read';
import { type TensorToWrite, writeSafetensors } from '@anneal/formats/safetensors/write';
import { beforeEach, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../../../scripts/testing/temporaryFolder.ts';
import { openModel } from './open.ts';
import { withChatTemplates } from './withChatTemplates.ts';

const golden = (name: string): string => fileURLToPath(new URL(`../../test/golden/models/${name}`, import.meta.url));

let folder: string;
beforeEach(() => {
  folder = temporaryFolder('open');
});

/** A copy of a golden checkpoint whose tensors went through `change`. */
async function altered(name: string, change: (tensors: TensorToWrite[]) => TensorToWrite[]): Promise<string> {
  const path = join(folder, 'model');
  cpSync(golden(name), path, { recursive: true });
  const source = openSafetensors(golden(name));
  const tensors = [...source.tensors.values()].map((info) => ({ ...info, bytes: () => source.bytes(info.name) }));
  await writeSafetensors(join(path, 'model.safetensors'), change(tensors));
  source.close();
  return path;
}

test('tensors have our names, in model order, and read what the file holds', () => {
  const model = openModel(golden('qwen2'));
  const source = openSafetensors(golden('qwen2'));
  const names = [...model.tensors.keys()];
  expect(names.slice(0, 6)).toEqual([
    'embed',
    'layers.0.attention_norm',
    ...['q', 'k', 'v', 'o'].map((n) => `layers.0.${n}`),
  ]);
  expect(names).toHaveLength(source.tensors.size);
  const q = model.tensors.get('layers.1.q');
  expect(q).toMatchObject({ name: 'layers.1.q', shape: [32, 32], dtype: 'F32' });
  expect(q?.float32()).toEqual(source.float32('model.layers.1.self_attn.q_proj.weight'));
  expect(q?.bytes()).toEqual(source.bytes('model.layers.1.self_attn.q_proj.weight'));
  expect(model).toMatchObject({ format: 'huggingface', chatTemplates: null, tokenizerFiles: [] });
  model.close();
  source.close();
});

test('any file of the folder stands for it', () => {
  for (const file of ['config.json', 'model.safetensors']) {
    const model = openModel(join(golden('llama3'), file));
    expect(model.path).toBe(golden('llama3'));
    model.close();
  }
});

test('layers behind the last, with which DeepSeek-V3 predicts several tokens, are left out, and that is said', async () => {
  const weight = { dtype: 'F32' as const, shape: [2], bytes: () => new Uint8Array(8) };
  const beside = ['model.layers.3.enorm.weight', 'model.layers.3.self_attn.o_proj.weight'];
  const model = openModel(
    await altered('deepseek-v3', (tensors) => [...tensors, ...beside.map((name) => ({ ...weight, name }))]),
  );
  expect(model).toMatchObject({ leftOut: ['mtp (2 tensors)'], isNested: false });
  model.close();
});

test('shards: every file is listed for hashing', async () => {
  const path = await altered('llama3', (tensors) => tensors);
  const source = openSafetensors(golden('llama3'));
  const tensors = [...source.tensors.values()].map((info) => ({ ...info, bytes: () => source.bytes(info.name) }));
  await writeSafetensors(join(path, 'model.safetensors'), tensors, { shardBytes: 60_000 });
  const model = openModel(path);
  expect(model.files.map((file) => file.slice(path.length + 1))).toEqual([
    'config.json',
    'generation_config.json',
    'model.safetensors.index.json',
    'model-00001-of-00002.safetensors',
    'model-00002-of-00002.safetensors',
  ]);
  model.close();
  source.close();
});

const vector = (name: string): TensorToWrite => ({
  name,
  dtype: 'F32',
  shape: [32],
  bytes: () => new Uint8Array(128),
});

/** Adds lm_head as a copy of the embedding whose first byte is `value` higher. */
const copyOf =
  (value: number) =>
  (all: TensorToWrite[]): TensorToWrite[] => {
    const embedding = all.find(({ name }) => name === 'model.embed_tokens.weight') as TensorToWrite;
    const bytes = embedding.bytes() as Uint8Array;
    bytes[0] = (bytes[0] ?? 0) + value;
    return [...all, { ...embedding, name: 'lm_head.weight', bytes: () => bytes }];
  };

describe('weights that do not belong to the config', () => {
  const norm = 'model.norm.weight';
  test.each<[string, string, (tensors: TensorToWrite[]) => TensorToWrite[]]>([
    ['is missing', `the tensor ${norm} is missing`, (all) => all.filter(({ name }) => name !== norm)],
    [
      'is one too many',
      'model.layers.2.input_layernorm.weight belongs to no part of a llama model',
      (all) => [...all, vector('model.layers.2.input_layernorm.weight')],
    ],
    [
      'has another shape',
      `the tensor ${norm} has shape [16,2], but the config asks for [32]`,
      (all) => all.map((tensor) => (tensor.name === norm ? { ...tensor, shape: [16, 2] } : tensor)),
    ],
    [
      'holds integers',
      `the tensor ${norm} holds I32`,
      (all) => all.map((tensor) => (tensor.name === norm ? { ...tensor, dtype: 'I32' } : tensor)),
    ],
  ])('one %s', async (_, message, change) => {
    const path = await altered('llama3', change);
    expect(() => openModel(path)).toThrow(message);
  });

  test('frequencies that old checkpoints carry are no weights', async () => {
    const path = await altered('llama3', (all) => [...all, vector('model.layers.0.self_attn.rotary_emb.inv_freq')]);
    openModel(path).close();
  });

  test('a tied head that is stored all the same must be the embedding', async () => {
    openModel(await altered('smollm2', copyOf(0))).close();
    const changed = await altered('smollm2', copyOf(1));
    expect(() => openModel(changed)).toThrow('lm_head.weight differs from model.embed_tokens.weight');
  });
});

describe('what is no model', () => {
  test('nothing there', () => {
    expect(() => openModel(join(folder, 'nothing'))).toThrow('no such model');
  });

  test('a pickle', () => {
    writeFileSync(join(folder, 'config.json'), '{}');
    writeFileSync(join(folder, 'pytorch_model.bin'), 'pickle');
    expect(() => openModel(folder)).toThrow('pytorch_model.bin is a pickle');
  });

  test('a folder without config.json', () => {
    mkdirSync(join(folder, 'empty'));
    expect(() => openModel(join(folder, 'empty'))).toThrow('no such file');
  });

  test('some other file', () => {
    writeFileSync(join(folder, 'notes.txt'), '');
    expect(() => openModel(join(folder, 'notes.txt'))).toThrow('this file is no model');
  });
});

describe('the chat template', () => {
  const templates: [string, Record<string, string>, string | null][] = [
    ['chat_template.jinja wins', { 'chat_template.jinja': 'A', 'tokenizer_config.json': '{"chat_template":"B"}' }, 'A'],
    ['tokenizer_config.json', { 'tokenizer_config.json': '{"chat_template":"B"}' }, 'B'],
    [
      'the one named default',
      {
        'tokenizer_config.json': JSON.stringify({
          chat_template: [
            { name: 'rag', template: 'R' },
            { name: 'default', template: 'D' },
          ],
        }),
      },
      'D',
    ],
    ['none', { 'tokenizer_config.json': '{"chat_template":null}' }, null],
  ];

  test.each(templates)('%s', (_, files, expected) => {
    cpSync(golden('llama3'), folder, { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const model = openModel(folder);
    expect(model.chatTemplates?.default ?? null).toBe(expected);
    expect(model.tokenizerFiles.toSorted()).toEqual(Object.keys(files).toSorted());
    model.close();
  });

  test('another one can be put in its place', () => {
    const model = openModel(golden('llama3'));
    const changed = withChatTemplates(model, { default: 'mine', named: {} });
    expect(changed.tokenizerFiles).toEqual(['chat_template.jinja']);
    expect(Buffer.from(changed.readTokenizerFile('chat_template.jinja')).toString()).toBe('mine');
    model.close();
  });
});

test('config.json is the one of the folder, unknown keys included', () => {
  const model = openModel(golden('mistral'));
  expect(model.configJson).toEqual(JSON.parse(readFileSync(join(golden('mistral'), 'config.json'), 'utf8')));
  model.close();
});
