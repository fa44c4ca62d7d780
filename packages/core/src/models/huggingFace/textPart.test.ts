import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '@anneal/formats/json';
import { openSafetensors } from '@anneal/formats/safetensors/read';
import { writeSafetensors } from '@anneal/formats/safetensors/write';
import { describe, expect, test } from 'vitest';
import { goldenModel, goldenPath, temporaryFolder } from '../../../test/fixtures.ts';
import { modelWarnings } from '../../trainer/modelWarnings.ts';
import { openModel } from '../open.ts';
import { textConfigOf } from './textPart.ts';

const asSavedBy = {
  'transformers 4': { rename: (name: string) => `language_model.${name}`, beside: '' },
  'transformers 5': { rename: (name: string) => name.replace(/^model\./, 'model.language_model.'), beside: 'model.' },
} as const;

/** A golden text model inside a multimodal one, with two parts beside it. */
async function nested(
  name: string,
  outer: string,
  { rename, beside }: (typeof asSavedBy)[keyof typeof asSavedBy],
  more: readonly string[] = [],
  asInside: JsonObject = {},
): Promise<string> {
  const path = join(temporaryFolder(), 'nested');
  cpSync(goldenPath(name), path, { recursive: true });
  const { eos_token_id, ...text } = JSON.parse(readFileSync(join(path, 'config.json'), 'utf8'));
  const whole = {
    model_type: outer,
    eos_token_id,
    text_config: { ...text, ...asInside },
    vision_config: { hidden_size: 8 },
  };
  writeFileSync(join(path, 'config.json'), JSON.stringify(whole));
  rmSync(join(path, 'generation_config.json'));
  const source = openSafetensors(goldenPath(name));
  const tensors = [...source.tensors.values()].map(({ name: stored, dtype, shape }) => {
    return { name: rename(stored), dtype, shape, bytes: () => source.bytes(stored) };
  });
  const others = [
    'vision_tower.layers.0.weight',
    'vision_tower.layers.1.weight',
    'multi_modal_projector.norm',
    ...more,
  ];
  const vision = others.map((other) => {
    return { name: beside + other, dtype: 'F32' as const, shape: [2], bytes: () => new Uint8Array(8) };
  });
  await writeSafetensors(join(path, 'model.safetensors'), [...tensors, ...vision]);
  source.close();
  return path;
}

describe.each(Object.entries(asSavedBy))('a multimodal model as %s saves it', (_, how) => {
  test.each([
    ['gemma3-mixed', 'gemma3'],
    ['gemma3n', 'gemma3n'],
    ['gemma4', 'gemma4'],
    ['ministral3', 'mistral3'],
    ['mistral', 'mistral3'],
    ['qwen3.5', 'qwen3_5'],
    ['qwen3.5-moe', 'qwen3_5_moe'],
  ])('%s inside %s is opened, and what is left out is said', async (name, outer) => {
    const inside = openModel(await nested(name, outer, how));
    const alone = goldenModel(name);
    expect(inside.config).toEqual(alone.config);
    expect([...inside.tensors.keys()]).toEqual([...alone.tensors.keys()]);
    for (const [tensor, { float32 }] of alone.tensors) expect(inside.tensors.get(tensor)?.float32()).toEqual(float32());
    expect(inside.leftOut).toEqual(['vision_tower (2 tensors)', 'multi_modal_projector (1 tensor)']);
    expect(modelWarnings(inside)).toMatchObject([{ code: 'model_parts_left_out' }]);
    expect(modelWarnings(alone)).toEqual([]);
    inside.close();
  });
});

test('what Qwen3.5 sees with and predicts several tokens with is left out, too', async () => {
  const more = ['visual.blocks.0.weight', 'mtp.fc.weight'];
  const inside = openModel(await nested('qwen3.5', 'qwen3_5', asSavedBy['transformers 5'], more));
  expect(inside.leftOut.slice(2)).toEqual(['visual (1 tensor)', 'mtp (1 tensor)']);
  inside.close();
});

test('the text model of Qwen3-VL is a Qwen3: positions of words are the same in all three of its ropes', async () => {
  const rope = { rope_type: 'default', rope_theta: 1e6, mrope_section: [4, 2, 2], mrope_interleaved: true };
  const text = { model_type: 'qwen3_vl_text', rope_parameters: rope };
  const how = asSavedBy['transformers 5'];
  const inside = openModel(await nested('qwen3', 'qwen3_vl', how, ['visual.blocks.0.weight'], text));
  const alone = goldenModel('qwen3');
  expect(inside.config).toEqual(alone.config);
  for (const [tensor, { float32 }] of alone.tensors) expect(inside.tensors.get(tensor)?.float32()).toEqual(float32());
  expect(inside.leftOut).toContain('visual (1 tensor)');
  inside.close();
});

test.each([true, false, undefined])(
  'whether the head of Qwen3-VL is the embedding, the config around the text model says: %s',
  (tied) => {
    const text = { model_type: 'qwen3_vl_text', hidden_size: 8, tie_word_embeddings: tied !== true };
    const around = tied === undefined ? {} : { tie_word_embeddings: tied };
    expect(textConfigOf({ model_type: 'qwen3_vl', ...around, text_config: text })).toEqual({
      model_type: 'qwen3',
      rope_theta: 500_000,
      ...around,
      hidden_size: 8,
    });
  },
);

test('of Gemma 4 what sees and hears is left out, and keys and values of layers that share those of others', async () => {
  const keys = 'language_model.layers.2.self_attn.k_proj.weight';
  const more = ['audio_tower.layers.0.weight', 'embed_audio.weight', 'embed_vision.weight', keys];
  const inside = openModel(await nested('gemma4', 'gemma4', asSavedBy['transformers 5'], more));
  const parts = ['audio_tower', 'embed_audio', 'embed_vision', 'keys and values that layers share'];
  expect(inside.leftOut.slice(2)).toEqual(parts.map((part) => `${part} (1 tensor)`));
  inside.close();
});

test('a tensor of no known part is refused all the same', async () => {
  const path = await nested('gemma3-mixed', 'gemma3', asSavedBy['transformers 4'], ['something.weight']);
  expect(() => openModel(path)).toThrow('something.weight belongs to no part');
});
