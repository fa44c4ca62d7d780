/**
 * Of a model with several chat templates only the one named `default` was ever used, also for rows with tools; each place where a
 * template can stand had a reader of its own, so that training took tokenizer_config.json's where everything else took
 * chat_template.jinja; a merged export had the old template beside the new one, and an adapter had none.
 * Later a chat_template.json, which no tokenizer of transformers reads, went before tokenizer_config.json.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { exportSource } from '../apps/agent/src/service/exports/export.ts';
import { finish } from '../apps/agent/src/service/finish.ts';
import { openSourceModel, resolveSource } from '../apps/agent/src/service/models/source.ts';
import { openChatRenderer, rendererFor } from '../packages/core/src/datasets/chatRenderer.ts';
import { render } from '../packages/core/src/datasets/render.ts';
import { openAnswerer } from '../packages/core/src/generate/answerer.ts';
import { encodePrompt, openModelText } from '../packages/core/src/generate/modelText.ts';
import { greedy } from '../packages/core/src/generate/sample.ts';
import { openModel } from '../packages/core/src/models/open.ts';
import { openTokenizer } from '../packages/core/src/tokenizers/tokenizer.ts';
import { byteTokenizer, CHATML } from '../packages/core/test/byteTokenizer.ts';
import { temporaryFolder, writeTinyModel } from '../packages/core/test/fixtures.ts';
import { tinyRecipe, trainHere } from '../packages/core/test/runs.ts';

const TOOL_USE = `{% for tool in tools %}{{ tool.function.name }}
{% endfor %}${CHATML}`;
const tools = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }];
const messages = [{ role: 'user', content: 'hi' }];

afterEach(() => vi.restoreAllMocks());

/** As byte-level vocabularies write it. */
const spelled = (token: string): string => token.replace('\n', 'Ċ').replace(' ', 'Ġ');

/** The tiny model with its templates in the places named. */
function modelWith(templates: { jinja?: string; named?: Record<string, string>; json?: unknown; config?: unknown }) {
  const folder = temporaryFolder();
  const path = writeTinyModel(folder);
  const tokenizer = join(path, 'tokenizer.json');
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true }; // one that llama.cpp has
  const characters = JSON.parse(readFileSync(tokenizer, 'utf8'));
  const vocab = Object.fromEntries(Object.entries(characters.model.vocab).map(([token, id]) => [spelled(token), id]));
  writeFileSync(
    tokenizer,
    JSON.stringify({
      ...characters,
      model: { ...characters.model, vocab },
      pre_tokenizer: byteLevel,
      decoder: byteLevel,
    }),
  );
  const config = join(path, 'tokenizer_config.json');
  const written = JSON.parse(readFileSync(config, 'utf8'));
  writeFileSync(config, JSON.stringify({ ...written, chat_template: templates.config }));
  if (templates.jinja !== undefined) writeFileSync(join(path, 'chat_template.jinja'), templates.jinja);
  if (templates.json)
    writeFileSync(join(path, 'chat_template.json'), JSON.stringify({ chat_template: templates.json }));
  for (const [name, source] of Object.entries(templates.named ?? {})) {
    mkdirSync(join(path, 'additional_chat_templates'), { recursive: true });
    writeFileSync(join(path, 'additional_chat_templates', `${name}.jinja`), source);
  }
  return { folder, path };
}

const list = [
  { name: 'default', template: CHATML },
  { name: 'tool_use', template: TOOL_USE },
];

test.each([
  ['a list in tokenizer_config.json', { config: list }, CHATML],
  ['a folder beside chat_template.jinja', { jinja: CHATML, named: { tool_use: TOOL_USE }, config: 'old' }, CHATML],
  ['a folder beside tokenizer_config.json', { named: { tool_use: TOOL_USE }, config: CHATML }, CHATML],
  ['a list in chat_template.json', { json: list }, CHATML],
  ['a list in tokenizer_config.json beside chat_template.json, of processors', { config: list, json: 'other' }, CHATML],
])('%s: the same templates for training, chat and the tokenizer alone', async (_, places, expected) => {
  const { path } = modelWith(places);
  const model = openModel(path);
  const text = openModelText(model);
  model.close();
  expect(model.chatTemplates).toEqual({ default: expected, named: { tool_use: TOOL_USE } });
  expect(text.renderer?.template.source).toBe(expected);
  expect(openTokenizer(path).chatTemplate).toBe(expected);
  const prompt = async (given: unknown[] | null) => text.tokenizer.decode(await encodePrompt(text, messages, given));
  expect(await prompt(tools)).toMatch(/^weather\n<\|im_start\|>user/);
  expect(await prompt(null)).toMatch(/^<\|im_start\|>user/);
});

test('a row with tools is trained with tool_use, one without with the default', () => {
  const renderer = openChatRenderer(byteTokenizer(), { toolSource: TOOL_USE });
  const row = {
    kind: 'chat' as const,
    messages: [...messages, { role: 'assistant', content: 'HI' }],
    train: [null, null],
  };
  const mask = { rolesToTrain: ['assistant'], trainOnEos: 'turn' as const };
  expect(render(renderer, { ...row, tools }, mask)).toMatchObject({
    text: expect.stringMatching(/^weather/),
    leftOut: [],
  });
  expect(render(renderer, { ...row, tools: null }, mask)).toMatchObject({
    text: expect.stringMatching(/^<\|im_start/),
  });
  expect(rendererFor(renderer, []).template.source).toBe(CHATML);
});

test.each([[[{ name: 'tool_use', template: TOOL_USE }]], [[...list, { name: '../evil', template: 'x' }]], [7]])(
  'a list that cannot be used is refused: %j',
  (config) => {
    const { path } = modelWith({ config });
    expect(() => openModel(path)).toThrow(expect.objectContaining({ code: 'chat_template_invalid' }));
  },
);

test('a list without a default says what there is, and its advice works', () => {
  const { path } = modelWith({ config: [{ name: 'tool_use', template: TOOL_USE }] });
  expect(() => openModel(path)).toThrow(
    expect.objectContaining({
      what: 'chat_template has templates named tool_use, and none named default',
      next: expect.stringContaining('as chat_template.jinja beside it'),
    }),
  );
  writeFileSync(join(path, 'chat_template.jinja'), CHATML);
  mkdirSync(join(path, 'additional_chat_templates'));
  writeFileSync(join(path, 'additional_chat_templates', 'tool_use.jinja'), TOOL_USE);
  const model = openModel(path);
  expect(model.chatTemplates).toEqual({ default: CHATML, named: { tool_use: TOOL_USE } });
  model.close();
});

test('every export has the template of the run and no other, and answers as the run did', async () => {
  const { folder, path } = modelWith({ config: list, named: { rag: 'R' } });
  const own = join(folder, 'own.jinja');
  writeFileSync(own, `Be brief.\n${CHATML}`);
  const recipe = tinyRecipe(folder, { base_model: path, chat_template: own, max_steps: 3 });
  const run = await trainHere(recipe);
  const runsDir = recipe.output_dir as string;
  const to = join(folder, 'exported');
  await finish(
    exportSource({ runsFolder: runsDir }, { source: run.path, lora: true, merged: 'f32', gguf: ['f32'], to }),
  );

  const expected = { default: `Be brief.\n${CHATML}`, named: {} };
  const gguf = join(to, 'gguf', 'test-F32.gguf');
  const answers: string[] = [];
  for (const name of [run.path, join(to, 'lora'), join(to, 'merged'), gguf]) {
    const source = await resolveSource({ runsFolder: runsDir }, { source: name });
    const model = openSourceModel(source);
    expect(model.chatTemplates).toEqual(expected);
    model.close();
    const { modelPath, adapterFolder, text } = source;
    const answerer = await openAnswerer({ modelPath, adapterFolder, text, weightType: 'f32', contextLength: 64 });
    let answer = '';
    const how = { sampling: greedy, maxNewTokens: 8, seed: 1 };
    for await (const piece of answerer.answer(messages, how)) answer += piece.text;
    await answerer.close();
    answers.push(answer);
  }
  expect(answers[0]).not.toBe('');
  expect(new Set(answers).size).toBe(1);
  for (const form of ['lora', 'merged']) {
    expect(readFileSync(join(to, form, 'tokenizer_config.json'), 'utf8')).not.toContain('chat_template');
    expect(readFileSync(join(to, form, 'chat_template.jinja'), 'utf8')).toBe(expected.default);
    expect(existsSync(join(to, form, 'tokenizer.json'))).toBe(true);
    expect(existsSync(join(to, form, 'additional_chat_templates'))).toBe(false);
  }
});

test('exports of a model with its own templates carry all of them', async () => {
  const { folder, path } = modelWith({ jinja: CHATML, named: { tool_use: TOOL_USE } });
  const to = join(folder, 'exported');
  await finish(exportSource({ runsFolder: folder }, { source: path, merged: 'f32', gguf: ['f16'], to }));
  for (const form of ['merged', 'gguf/tiny-smollm2-F16.gguf']) {
    const model = openModel(join(to, form));
    expect(model.chatTemplates).toEqual({ default: CHATML, named: { tool_use: TOOL_USE } });
    model.close();
  }
});
