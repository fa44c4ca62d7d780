/**
 * `eval` with a validation split that the run had not kept apart measured rows it had trained on, and said nothing; `chat`
 * gave cut answers as whole ones, took `/commands` for questions, and ignored switches that the template does not know.
 */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { unknownCommand } from '../apps/agent/src/commands/converse.ts';
import { describeCut } from '../apps/agent/src/terminal/answer.ts';
import { annealIn, annealPath, env, temporaryFolder } from '../apps/agent/test/helpers/anneal.ts';
import { writeCapitalsTask, writeTinyModel } from '../packages/core/test/fixtures.ts';

function project() {
  const folder = temporaryFolder();
  writeTinyModel(folder);
  writeCapitalsTask(folder);
  const lines = ['base_model: ./tiny-smollm2', 'datasets: [{path: rows.jsonl}]', 'sequence_len: 64', 'max_steps: 1'];
  writeFileSync(
    join(folder, 'recipe.yaml'),
    [...lines, 'warmup_steps: 0', 'chat_template_kwargs: {mood: glad}'].join('\n'),
  );
  return { folder, anneal: annealIn(folder) };
}

test('eval says how many of its rows were trained on', async () => {
  const { folder, anneal } = project();
  expect((await anneal('train', 'recipe.yaml')).stdout).toMatch(/does not read `mood` of chat_template_kwargs/);
  const seen = await anneal('eval', 'latest', '--set', 'val_set_size=4');
  expect(seen.stderr).toMatch(/warning: 4 of these 4 documents were trained on/);
  const json = JSON.parse((await anneal('eval', 'latest', '--set', 'val_set_size=4', '--json')).stdout);
  expect(json).toMatchObject({ trained: 4, documents: 4 });
  const unseen = {
    messages: [
      { role: 'user', content: 'new' },
      { role: 'assistant', content: 'NEW' },
    ],
  };
  writeFileSync(join(folder, 'held-out.jsonl'), `${JSON.stringify(unseen)}\n`);
  const fresh = await anneal('eval', 'latest', '--set', 'test_datasets=[{path: held-out.jsonl}]');
  expect(fresh).toMatchObject({ code: 0, stderr: '' });
});

test('a command that chat does not know is no question', () => {
  expect(['/exit', '/new', 'a /b', '/etc/hosts is what?', ''].map(unknownCommand)).toEqual(Array(5).fill(null));
  expect(['/quit', '/help me', '/'].map(unknownCommand)).toEqual(['/quit', '/help', '/']);
});

test('chat marks a cut answer and names the switch that changes nothing; a prompt from stdin keeps its last newline', async () => {
  const { folder, anneal } = project();
  const asked = await anneal('chat', './tiny-smollm2', '--prompt', 'hi', '--max-tokens', '2', '--no-thinking');
  expect(asked.stderr).toMatch(/--no-thinking: the chat template has no such switch/);
  expect(asked.stderr).toMatch(/the answer is not whole: cut at --max-tokens after 2 tokens/);
  const end = { text: '', tokens: 3, firstMilliseconds: 0, tokensPerSecond: 0 };
  expect(describeCut({ ...end, reason: 'context' })).toMatch(/cut at --context/);
  expect(describeCut({ ...end, reason: 'stop' })).toBeNull();

  const piped = async (input: string) => {
    const args = [
      annealPath,
      'chat',
      './tiny-smollm2',
      '--prompt',
      '-',
      '--plain',
      '--json',
      '--temperature',
      '0',
      '--max-tokens',
      '8',
    ];
    const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ['pipe', 'pipe', 'ignore'] });
    child.stdin.end(input);
    return JSON.parse(await text(child.stdout)).text;
  };
  const given = (prompt: string) =>
    anneal(
      'chat',
      './tiny-smollm2',
      '--prompt',
      prompt,
      '--plain',
      '--json',
      '--temperature',
      '0',
      '--max-tokens',
      '8',
    );
  expect(await piped('ab\n')).toBe(JSON.parse((await given('ab\n')).stdout).text);
  expect(await piped('ab\n')).not.toBe(JSON.parse((await given('ab')).stdout).text);
});
