/**
 * A prompt written out by hand over the columns of a row, which the tutorials use (`### Question: … <think> …`), could not be
 * trained: the rows were rendered by the model's chat template, and the model was then asked otherwise than it was wanted.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { InspectedRows } from '../apps/agent/src/service/data/rows.ts';
import { exportSource } from '../apps/agent/src/service/exports/export.ts';
import { finish } from '../apps/agent/src/service/finish.ts';
import { resolveSource } from '../apps/agent/src/service/models/source.ts';
import { encodePrompt, openModelText } from '../packages/core/src/generate/modelText.ts';
import { openModel } from '../packages/core/src/models/open.ts';
import { importRecipe } from '../packages/core/src/recipe/import/index.ts';
import { checkRecipe } from '../packages/core/src/recipe/read.ts';
import { resolveRecipe } from '../packages/core/src/recipe/resolve.ts';
import { dataOptions } from '../packages/core/src/trainer/dataOptions.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';
import { tinyRecipe, trainHere } from '../packages/core/test/runs.ts';

type Prompt = Exclude<Parameters<typeof tinyRecipe>[1], undefined>['datasets'] extends (infer D)[] | undefined
  ? Extract<D extends { type?: infer T } ? T : never, object>
  : never;

const reasoning: Prompt = {
  field_instruction: 'Question',
  field_thinking: 'Complex_CoT',
  field_output: 'Response',
  format: '### Question:\n{instruction}\n\n### Response:\n<think>\n{thinking}\n</think>\n{output}',
};
const rows = [
  { Question: 'Why {so}?', Complex_CoT: 'I wonder.', Response: 'Because.' },
  { Question: 'And now?', Complex_CoT: 'Now is now.', Response: 'Now, then.' },
];

/** The text of the first row, and what the loss counts of it. */
async function firstRow(type: Prompt, row: object, changes = {}): Promise<{ text: string | null; trained: string }> {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'mine.jsonl'), `${JSON.stringify(row)}\n`);
  const datasets = [{ path: join(folder, 'mine.jsonl'), type }];
  const recipe = resolveRecipe(tinyRecipe(folder, { datasets, ...changes }), { baseDirectory: '/' });
  expect(resolveRecipe(recipe, { baseDirectory: '/' })).toEqual(recipe);
  const data = dataOptions(recipe);
  const model = openModel(recipe.base_model);
  onTestFinished(() => model.close());
  const inspected = new InspectedRows(data, openModelText(model, data.text));
  onTestFinished(() => inspected.close());
  for await (const shown of inspected.range({ first: 1, last: 1 })) {
    const trained = (shown.tokens ?? []).filter(({ target }) => target).map(({ text }) => text);
    return { text: shown.text, trained: trained.join('') };
  }
  throw new Error('no row');
}

test('the answer is trained from its first column on, with the EOS token; the prompt is not', async () => {
  const { text, trained } = await firstRow(reasoning, rows[0] as object);
  const prompt = '### Question:\nWhy {so}?\n\n### Response:\n<think>\n';
  expect(text).toBe(`${prompt}I wonder.\n</think>\nBecause.<|im_end|>`);
  expect(trained).toBe('I wonder.\n</think>\nBecause.<|im_end|>');
  const all = await firstRow(reasoning, rows[0] as object, { train_on_inputs: true });
  expect(all.trained).toBe(text?.slice(1)); // nothing predicts the first token
});

test('an empty input has a prompt of its own, a system text stands before, and the output may be left to the end', async () => {
  const type: Prompt = {
    system_format: '[{system}] ',
    system_prompt: 'Be brief.',
    field_system: 'sys',
    format: '{{Q}} {instruction} / {input} A: ',
    no_input_format: '{{Q}} {instruction} A: ',
  };
  const withInput = await firstRow(type, { instruction: 'Add', input: '1 2', output: '3', sys: 'Count.' });
  expect(withInput).toEqual({ text: '[Count.] {Q} Add / 1 2 A: 3<|im_end|>', trained: ' 3<|im_end|>' });
  const withoutInput = await firstRow(type, { instruction: 'Go', output: 'Gone' });
  expect(withoutInput).toEqual({ text: '[Be brief.] {Q} Go A: Gone<|im_end|>', trained: ' Gone<|im_end|>' });
});

test('chat, samples, exports and the Modelfile write the same prompt', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'mine.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
  const datasets = [{ path: join(folder, 'mine.jsonl'), type: reasoning }];
  const starter = join(import.meta.dirname, '../apps/agent/starter/model');
  const recipe = tinyRecipe(folder, { base_model: starter, datasets, max_steps: 1, sequence_len: 96 });
  const run = await trainHere(recipe);
  const runsDir = recipe.output_dir as string;
  const expected = '### Question:\nHi\n\n### Response:\n<think>\n';

  const { text, modelPath } = await resolveSource({ runsFolder: runsDir }, { source: run.path });
  const base = openModel(modelPath);
  onTestFinished(() => base.close());
  const modelText = openModelText(base, text);
  const ids = await encodePrompt(modelText, [{ role: 'user', content: 'Hi' }]);
  expect(await modelText.tokenizer.decode(ids)).toBe(expected);

  const output = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  onTestFinished(() => output.mockRestore());
  const to = join(folder, 'exported');
  await finish(exportSource({ runsFolder: runsDir }, { source: run.path, gguf: ['f32'], ollama: true, to }));
  const file = readdirSync(join(to, 'gguf')).find((name) => name.endsWith('.gguf')) as string;
  const exported = openModel(join(to, 'gguf', file));
  onTestFinished(() => exported.close());
  const { renderer } = openModelText(exported);
  const prompt = renderer?.template.render([{ role: 'user', content: 'Hi' }], { addGenerationPrompt: true });
  expect(prompt).toBe(expected);
  const modelfile = readFileSync(join(to, 'gguf', 'Modelfile'), 'utf8');
  expect(modelfile).toMatch(/### Question:\n\{\{ \.Content \}\}[^]*\n\n### Response:\n<think>\n"""/);
});

const written = (type: string, more = '') =>
  checkRecipe(`base_model: m\ndatasets:\n  - path: a.jsonl\n    type: ${type}\n${more}`, 'recipe.yaml');

test.each([
  ['{format: "{question} {output}"}', '', 'prompt_format', /\{question\}/],
  ['{format: "{output} {instruction}"}', '', 'prompt_format', /after the answer has begun/],
  ['{format: "{output}"}', '', 'prompt_format', /no place for the question/],
  ['{format: "{instruction}{thinking}"}', '', 'prompt_format', /no \{output\}/],
  ['{format: "{instruction}", field_outptu: a}', '', 'unknown_key', /field_outptu/],
  ['{field_instruction: q}', '', 'missing_key', /format/],
  ['{format: "{instruction}"}', '    field_output: a\n', 'impossible_combination', /field_output/],
  ['{format: "{instruction}"}', 'chat_template: a.jinja\n', 'impossible_combination', /chat template/],
  ['{format: "{instruction}"}', '  - path: b.jsonl\n', 'impossible_combination', /rendered by the chat template/],
  [
    '{format: "{instruction}"}',
    '  - path: b.jsonl\n    type: {format: "Q {instruction}"}\n',
    'impossible_combination',
    /differ in `format`/,
  ],
])('%s %s is refused', (type, more, code, what) => {
  const checked = written(type, more);
  expect(checked.ok ? [] : checked.problems).toEqual([
    expect.objectContaining({ code, what: expect.stringMatching(what) }),
  ]);
});

test('plain text may stand beside it', () => {
  expect(written('{format: "{instruction}"}', '  - path: b.txt\n    type: completion\n').ok).toBe(true);
});

test("Axolotl's custom prompts are translated", () => {
  const { recipe, untranslated } = importRecipe(
    'base_model: m\ndatasets:\n  - path: a.jsonl\n    type:\n      system_prompt: ""\n      field_instruction: q\n      field_output: a\n      format: "[INST] {instruction} [/INST]"\n      no_input_format: "[INST] {instruction} [/INST]"\n',
    'axolotl.yaml',
  );
  expect(untranslated).toEqual([]);
  expect(recipe.datasets?.[0]?.type).toEqual({
    field_instruction: 'q',
    field_output: 'a',
    format: '[INST] {instruction} [/INST]',
    no_input_format: '[INST] {instruction} [/INST]',
  });
});
