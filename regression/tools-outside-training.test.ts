/**
 * A model trained to call tools could not be asked with any: neither `chat` nor `sample_prompts` handed definitions to the chat
 * template, and a Modelfile left them out without a word.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readToolsFile } from '../apps/agent/src/service/chat/tools.ts';
import { unreadOptions } from '../apps/agent/src/service/chat/warnings.ts';
import { annealIn } from '../apps/agent/test/helpers/anneal.ts';
import { exportGguf } from '../packages/core/src/export/gguf.ts';
import { exportModelfile } from '../packages/core/src/export/modelfile.ts';
import { openModelText } from '../packages/core/src/generate/modelText.ts';
import { openModel } from '../packages/core/src/models/open.ts';
import { resolveRecipe } from '../packages/core/src/recipe/resolve.ts';
import type { Recipe } from '../packages/core/src/recipe/schema.ts';
import { createJob } from '../packages/core/src/trainer/job.ts';
import { openSession } from '../packages/core/src/trainer/session.ts';
import { CHATML } from '../packages/core/test/byteTokenizer.ts';
import { temporaryFolder, writeTinyModel } from '../packages/core/test/fixtures.ts';
import { tinyRecipe } from '../packages/core/test/runs.ts';

const weather = { name: 'weather', description: 'Tells it', parameters: { type: 'object', properties: {} } };
const TEMPLATE = `{% for tool in tools or [] %}{{ tool.function.name }} {% endfor %}${CHATML}`;

function modelWith(template: string) {
  const folder = temporaryFolder();
  const path = writeTinyModel(folder);
  writeFileSync(join(path, 'chat_template.jinja'), template);
  return { folder, path };
}

test('chat takes tools from a file, and says when the template prints none', async () => {
  const { folder, path } = modelWith(TEMPLATE);
  const file = join(folder, 'tools.json');
  writeFileSync(file, JSON.stringify([weather]));
  const tools = readToolsFile(file);
  expect(tools).toEqual([{ type: 'function', function: weather }]);

  const model = openModel(path);
  expect(unreadOptions(openModelText(model), { tools })).toEqual([]);
  const bare = { default: CHATML, named: {} };
  expect(unreadOptions(openModelText(model, { chatTemplates: bare }), { tools })).toEqual([
    { options: ['tools'], why: expect.stringMatching(/^the chat template does not print/) },
  ]);
  model.close();

  const anneal = annealIn(folder);
  const ask = async (...more: string[]) => {
    const fixed = ['--prompt', 'hi', '--max-tokens', '12', '--temperature', '0', '--dtype', 'f32', '--json'];
    const { code, stdout, stderr } = await anneal('chat', path, ...fixed, ...more);
    return { code, stdout, stderr };
  };
  const [asked, without] = [await ask('--tools', file), await ask()];
  expect(asked).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(asked.stdout).text).not.toBe(JSON.parse(without.stdout).text);
  writeFileSync(file, '{"weather": true}');
  expect(await ask('--tools', file)).toMatchObject({
    code: 2,
    stdout: expect.stringMatching(/no definitions of tools/),
  });
});

test('sample prompts may have tools', async () => {
  const { folder, path } = modelWith(TEMPLATE);
  const messages = [{ role: 'user', content: 'hi' }];
  const prompts = ['hi', { messages, tools: [weather] }] as Recipe['sample_prompts'];
  const recipe = tinyRecipe(folder, { base_model: path, sample_prompts: prompts, max_steps: 1 });
  const job = createJob(resolveRecipe(recipe, { baseDirectory: '/' }));
  const session = await openSession(job, { dataFolder: temporaryFolder() });
  const texts = await Promise.all(session.samplePrompts.map((ids) => session.text.tokenizer.decode(ids)));
  await session.close();
  expect(texts[0]).toMatch(/^<\|im_start\|>/);
  expect(texts[1]).toMatch(/^weather.*<\|im_start\|>/);
  const wrong = {
    ...recipe,
    sample_prompts: [{ messages, tools: [{ title: 'weather' }] }] as Recipe['sample_prompts'],
  };
  expect(() => createJob(resolveRecipe(wrong, { baseDirectory: '/' }))).toThrow(/no definitions of tools/);
});

async function modelfileWarnings(template: string): Promise<readonly string[]> {
  const { folder, path } = modelWith(template);
  const tokenizer = join(path, 'tokenizer.json');
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true }; // one that llama.cpp has
  const json = JSON.parse(readFileSync(tokenizer, 'utf8')) as object;
  writeFileSync(tokenizer, JSON.stringify({ ...json, pre_tokenizer: byteLevel }));
  const model = openModel(path);
  await exportGguf(join(folder, 'gguf'), { model, adapter: null, types: ['f16'], name: 'tiny' });
  const exported = await exportModelfile(join(folder, 'gguf', 'tiny-F16.gguf'), model);
  model.close();
  expect(readFileSync(exported.path, 'utf8')).toContain('TEMPLATE """');
  return exported.warnings;
}

test('a Modelfile says that its template has no place for tools', async () => {
  expect(await modelfileWarnings(TEMPLATE)).toEqual([expect.stringMatching(/hands no tools to the model/)]);
  expect(await modelfileWarnings(CHATML)).toEqual([]);
});
