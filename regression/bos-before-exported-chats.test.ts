// A chat template without BOS, on a tokenizer that puts one before texts: chats were trained without it, and llama.cpp put it before the
// chats of the exported GGUF. With `add_bos_token` against the post-processor, plain texts were trained otherwise than the GGUF begins them.
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ggufMetadata } from '../packages/core/src/export/ggufMetadata.ts';
import { FILE_TYPES } from '../packages/core/src/export/ggufTypes.ts';
import { openModel } from '../packages/core/src/models/open.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';

const starter = join(import.meta.dirname, '..', 'apps', 'agent', 'starter', 'model');
const BODY = "{% for m in messages %}{{ m.role + ': ' + m.content }}{% endfor %}";

/** What the GGUF says of BOS, of a model whose tokenizer adds it to plain texts. @param flag of tokenizer_config.json */
function addsBos(chatTemplate: string | undefined, flag?: boolean): unknown {
  const folder = join(temporaryFolder(), 'model');
  cpSync(starter, folder, { recursive: true });
  const change = (name: string, changed: (json: Record<string, unknown>) => object): void => {
    const path = join(folder, name);
    writeFileSync(path, JSON.stringify(changed(JSON.parse(readFileSync(path, 'utf8')))));
  };
  const { added_tokens: added } = JSON.parse(readFileSync(join(folder, 'tokenizer.json'), 'utf8'));
  const { id, content } = added[0];
  const single = [{ SpecialToken: { id: content, type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }];
  change('tokenizer.json', (json) => ({
    ...json,
    post_processor: {
      type: 'TemplateProcessing',
      single,
      pair: single,
      special_tokens: { [content]: { id: content, ids: [id], tokens: [content] } },
    },
  }));
  // What is undefined is not written.
  const changes = { bos_token: content, add_bos_token: flag, chat_template: chatTemplate };
  change('tokenizer_config.json', (json) => ({ ...json, ...changes }));
  const model = openModel(folder);
  const entries = ggufMetadata(model, 'name', FILE_TYPES.f32.number);
  model.close();
  return entries.get('tokenizer.ggml.add_bos_token')?.value;
}

test('stands there where it was trained, and nowhere else', () => {
  expect(addsBos(BODY)).toBe(false);
  expect(addsBos(`{{ bos_token }}${BODY}`)).toBe(true);
  expect(addsBos(undefined)).toBe(true);
});

test('the post-processor decides, by which texts are trained', () => {
  expect(addsBos(undefined, false)).toBe(true);
  expect(addsBos(`{{ bos_token }}${BODY}`, false)).toBe(true);
  expect(addsBos(BODY, true)).toBe(false);
});

test('of a template that cannot be used here, nothing is known, and the file is written all the same', () => {
  expect(addsBos('{% if broken %}')).toBe(true);
});
