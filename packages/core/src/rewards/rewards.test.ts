import { describe, expect, onTestFinished, test } from 'vitest';
import { partThinking } from '../protocol/thinking.ts';
import type { ComputedReward, JudgedAnswerText } from './answer.ts';
import { type RewardLimits, Rewards } from './rewards.ts';

const answer = (completion: string, row: Record<string, unknown> = {}, ended = true): JudgedAnswerText => ({
  prompt: 'a question',
  completion,
  ...partThinking(completion),
  tokens: completion.length,
  ended,
  row,
});

async function open(reward: Omit<ComputedReward, 'name'> | string, limits?: RewardLimits): Promise<Rewards> {
  const written =
    typeof reward === 'string' ? { type: 'typescript', path: '/recipes/mine.ts', source: reward } : reward;
  const rewards = await Rewards.open([{ name: 'mine', ...written } as ComputedReward], limits);
  onTestFinished(() => rewards[Symbol.asyncDispose]());
  return rewards;
}

async function valuesOf(reward: Omit<ComputedReward, 'name'> | string, answers: JudgedAnswerText[]) {
  return (await (await open(reward)).judge(answers))[0];
}

describe('functions that are here', () => {
  test.each([
    ['a format', { type: 'regex', pattern: '^<a>.*</a>$', flags: 's' }, [answer('<a>1\n2</a>'), answer('1')], [1, 0]],
    [
      'an exact answer',
      { type: 'exact', field: 'wanted', extract: null },
      [answer(' Paris ', { wanted: 'Paris' }), answer('In Paris', { wanted: 'Paris' })],
      [1, 0],
    ],
    [
      'an answer in its place, after what was thought',
      { type: 'exact', field: 'wanted', extract: '<a>(.*?)</a>' },
      [answer('<think><a>Rome</a></think><a>Paris</a>', { wanted: 'Paris' }), answer('Paris', { wanted: 'Paris' })],
      [1, 0],
    ],
    [
      'a number',
      { type: 'numeric', field: 'wanted', extract: null, tolerance: 0.01 },
      [
        answer('3 and 4 are 1,234.50', { wanted: '#### 1234.5' }),
        answer('7', { wanted: 8 }),
        answer('-.5', { wanted: -0.5 }),
      ],
      [1, 0, 1],
    ],
    [
      'JSON of a schema',
      { type: 'json_schema', schema: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] } },
      [answer('{"n": 1}'), answer('```json\n{"n": 1}\n```'), answer('{"n": "1"}'), answer('none')],
      [1, 1, 0, 0],
    ],
    ['a length', { type: 'length', target: 4 }, [answer('1234'), answer('12'), answer('123456789')], [1, 0.5, 0]],
    [
      'answers that are too long',
      { type: 'soft_overlong', cache: 4, longest: 10 },
      [answer('123456'), answer('12345678'), answer('1234567890')],
      [-0, -0.5, -1],
    ],
    ['repetition', { type: 'repetition', ngram: 2 }, [answer('a b a b a'), answer('a b c')], [-0.5, -0]],
  ] as const)('%s', async (_, reward, answers, expected) => {
    expect(await valuesOf(reward as Omit<ComputedReward, 'name'>, [...answers])).toEqual(
      expected.map((value) => value || expect.closeTo(0)),
    );
  });

  test('a row without the field is said', async () => {
    const rewards = await open({ type: 'exact', field: 'wanted', extract: null } as Omit<ComputedReward, 'name'>);
    await expect(rewards.judge([answer('x')])).rejects.toThrow(
      "the reward mine cannot be used: the row has no field 'wanted'",
    );
  });
});

test('TypeScript of your own', async () => {
  const source = `
    interface Answer { completion: string; row: { wanted: string }; tokens: number }
    const score = (answer: Answer): number => (answer.completion === answer.row.wanted ? 1 : -0.25);
    export default async function (answers: readonly Answer[]): Promise<number[]> {
      return answers.map(score);
    }`;
  expect(await valuesOf(source, [answer('a', { wanted: 'a' }), answer('b', { wanted: 'a' })])).toEqual([1, -0.25]);
});

describe('what cannot be used is said', () => {
  test.each([
    ['export default (answers) => {', 'mine.ts:1'],
    ['export default 7', 'it has no `export default function`'],
    ["import { readFileSync } from 'node:fs';\nexport default () => []", 'it imports "node:fs"'],
    ['enum A { b }\nexport default () => []', 'enum'],
    ["throw new Error('at once')", 'at once'],
  ])('%s', async (source, message) => {
    await expect(open(source)).rejects.toThrow(message);
  });

  test.each([
    ["() => { throw new Error('no'); }", 'it throws Error: no'],
    ['(answers) => answers.map(() => NaN)', 'its value for answer 1 is NaN'],
    ['(answers) => answers.map(() => null)', 'its value for answer 1 is null'],
    ['() => [1, 2, 3]', 'it returns 3 values for 1 answers'],
    ['() => 1', 'it returns number'],
    ['() => [Math.random()]', 'a reward must not be random'],
    ["async () => [(await import('node:fs')).statSync('/').size]", 'it imports "node:fs"'],
    ['() => [typeof process + typeof fetch + typeof require]', 'its value for answer 1 is undefinedundefinedundefined'],
    [
      "(answers) => [answers.constructor.constructor('return process')().pid]",
      'Code generation from strings disallowed',
    ],
    [
      "async () => { try { await import('node:net') } catch (e) { return [e.constructor.constructor('return 1')()] } }",
      'Code generation from strings disallowed',
    ],
    [
      "async () => { try { await import('node:net') } catch (e) { return [String(e instanceof Error)] } }",
      'its value for answer 1 is true',
    ],
  ])('%s', async (source, message) => {
    const rewards = await open(`export default ${source}`);
    await expect(rewards.judge([answer('x')])).rejects.toThrow(message);
  });

  test('work without end', async () => {
    const rewards = await open('export default () => { for (;;); }', { judgeMilliseconds: 1500 });
    await expect(rewards.judge([answer('x')])).rejects.toThrow('took longer than 1.5 s');
  });

  test('an answer that never comes', async () => {
    const rewards = await open('export default () => new Promise(() => {})', { judgeMilliseconds: 1500 });
    await expect(rewards.judge([answer('x')])).rejects.toThrow('took longer than 1.5 s');
  });

  test('too much memory', async () => {
    const source = 'export default () => { const all = []; for (;;) all.push(new Array(1e5).fill(1.5)); }';
    const rewards = await open(source, { megabytes: 64 });
    await expect(rewards.judge([answer('x')])).rejects.toThrow('took more than 64 MB of memory');
  });
});
