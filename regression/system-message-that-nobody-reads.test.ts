/** `anneal chat --system` with a template that prints no system message said nothing: the model never saw it. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { annealIn } from '../apps/agent/test/helpers/anneal.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';

const STARTER = join(import.meta.dirname, '../apps/agent/starter/model');

function modelWith(folder: string, template: string): string {
  const model = join(folder, 'model');
  cpSync(STARTER, model, { recursive: true });
  const path = join(model, 'tokenizer_config.json');
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), chat_template: template }));
  return model;
}

async function warningsOf(template: string, ...options: string[]): Promise<string> {
  const folder = temporaryFolder();
  const asked = ['--prompt', 'Hello', '--max-tokens', '1', ...options];
  return (await annealIn(folder)('chat', modelWith(folder, template), ...asked)).stderr;
}

test('what the template does not print of what is asked is a warning', async () => {
  const all = '{% for m in messages %}{{ m.role }}: {{ m.content }}<|im_end|>{% endfor %}assistant: ';
  const some = all.replace('in messages', "in messages if m.role != 'system'");
  expect(await warningsOf(some, '--system', 'Be kind')).toContain('leaves out the system message (message 1)');
  expect(await warningsOf(some)).not.toContain('leaves out');
  expect(await warningsOf(all, '--system', 'Be kind')).not.toContain('leaves out');
  expect(await warningsOf('Yes, <|im_end|>assistant: ')).toContain('leaves out what a message says (message 1)');
});
