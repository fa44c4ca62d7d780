/** What a reward function may try against the process it runs in. Each is told as an error, and the run loses nothing. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../test/fixtures.ts';
import { type RewardLimits, Rewards } from './rewards.ts';

const answer = { prompt: 'q', completion: 'x', answer: 'x', thinking: null, tokens: 1, ended: true, row: {} };

/** Opens a module and judges one answer. */
async function judged(source: string, limits?: RewardLimits): Promise<readonly (readonly number[])[]> {
  const rewards = await Rewards.open([{ name: 'mine', type: 'typescript', path: '/recipes/mine.ts', source }], limits);
  onTestFinished(() => rewards[Symbol.asyncDispose]());
  return await rewards.judge([answer]);
}

/** The same with another program in the place of Node. */
async function judgedBy(program: string): Promise<unknown> {
  const { execPath } = process;
  onTestFinished(() => {
    process.execPath = execPath;
  });
  process.execPath = program;
  return await judged('export default () => [1]');
}

describe('chance and the clock are gone before the module begins', () => {
  test.each([
    ['const { random } = Math; export default () => [random()]', 'must not be random'],
    ['const { now } = Date; export default () => [now()]', 'must not read the clock'],
    ['const at = new Date(); export default () => [+at]', 'must not read the clock'],
    ['export default () => [Number(Date())]', 'must not read the clock'],
    ['export default () => [+new (new Date(0).constructor)()]', 'must not read the clock'],
    ['class Mine extends Date {} export default () => [+new Mine()]', 'must not read the clock'],
    ['export default () => [Number(new Intl.DateTimeFormat().format())]', 'Intl.DateTimeFormat is not a constructor'],
  ])('%s', async (source, message) => {
    await expect(judged(source)).rejects.toThrow(message);
  });

  test('a date that is given can be read, and is the same on every machine', async () => {
    expect(await judged("export default () => [+new Date('2020-01-01T00:00')]")).toEqual([[1_577_836_800_000]]);
  });

  test('nothing is there but the language', async () => {
    const names = 'Atomics FinalizationRegistry SharedArrayBuffer WeakRef WebAssembly console process require fetch';
    const source = `export default () => [${JSON.stringify(names)}.split(' ').filter((name) => name in globalThis).length]`;
    expect(await judged(source)).toEqual([[0]]);
  });
});

describe('what is replaced in the context changes nothing around it', () => {
  test('numbers', async () => {
    const source = `
      JSON.stringify = () => '{"returned":[1e999]}';
      Number.isFinite = () => true;
      export default () => [Infinity];`;
    await expect(judged(source)).rejects.toThrow('its value for answer 1 is Infinity');
  });

  test('lists', async () => {
    const source =
      "Array.prototype.toJSON = () => 'no list'; Object.prototype.toJSON = () => 1; export default () => [1]";
    await expect(judged(source)).rejects.toThrow('it returns string, not a list');
  });

  test('promises, whose methods would be given functions of this side', async () => {
    const source = 'Promise.prototype.then = (resolve) => resolve(1); export default () => [1]';
    await expect(judged(source)).rejects.toThrow("Cannot assign to read only property 'then'");
  });

  test('errors of this side, to which a full stack leads', async () => {
    const source = `
      const foreign = [];
      const deeper = () => {
        try {
          deeper();
        } catch {
          import('x').catch((error) => { if (!(error instanceof Error)) foreign.push(error); });
        }
      };
      export default async () => {
        deeper();
        for (let turn = 0; turn < 100; turn++) await null;
        for (const error of foreign)
          for (let of = Object.getPrototypeOf(error); of !== null; of = Object.getPrototypeOf(of))
            if (!Object.isFrozen(of)) throw new Error('it can be changed');
        return [1];
      };`;
    expect(await judged(source)).toEqual([[1]]);
  });
});

describe('errors', () => {
  test.each([
    ["export default () => { throw new Error('x'.repeat(1e8)); }", 'when judging'],
    ["throw new Error('x'.repeat(1e8))", 'when opening'],
  ])('a long one is cut: %s', async (source) => {
    const message = await judged(source).then(String, (error: Error) => error.message);
    expect(message).toMatch(/it throws Error: x+ … \(cut: it has 100,0\d\d,\d\d\d characters\)\n/);
    expect(message.length).toBeLessThan(3000);
  });

  test.each([
    ['export default () => Promise.reject(null)', 'it throws null'],
    ['throw undefined', 'it throws undefined'],
    ['export default () => { throw { get stack() { throw 1; } }; }', 'it throws something that has no text'],
    ['process.exit(0)', 'process is not defined'],
    ["export default () => { Promise.reject(new Error('unseen')); return [1]; }", 'which failed: Error: unseen'],
    [
      "const late = async () => { for (let i = 0; i < 1e4; i++) await null; throw new Error('late'); }; late(); export default () => [1]",
      'nobody awaits a promise of it, which failed: Error: late',
    ],
    ['export default () => new Array(1e6).fill(1)', 'it returns 2000014 characters of JSON'],
    ["export default () => ['x'.repeat(1e7)]", 'it returns 10000017 characters of JSON'],
    ['export default () => [1n]', 'Do not know how to serialize a BigInt'],
  ])('%s', async (source, message) => {
    await expect(judged(source)).rejects.toThrow(message);
  });
});

describe('time and memory', () => {
  test.each(['for (;;); export default () => [1]', 'await new Promise(() => {}); export default () => [1]'])(
    'opening has an end: %s',
    async (source) => {
      await expect(judged(source, { openMilliseconds: 1000 })).rejects.toThrow(
        'opening the reward functions took longer than 1 s',
      );
    },
  );

  test('turns without end', async () => {
    const source = 'export default async () => { for (;;) await null; }';
    await expect(judged(source, { judgeMilliseconds: 1000 })).rejects.toThrow('judging the answers of a step');
  });

  test.each([
    'export default () => { const all = []; for (;;) all.push(new Float64Array(1e6).fill(1.5)); }',
    "export default () => { const all = []; for (let i = 0; ; i++) all.push(JSON.stringify(('x' + i).repeat(2 ** 24))); }",
  ])('memory, of the heap or not: %s', async (source) => {
    await expect(judged(source, { megabytes: 256, judgeMilliseconds: 120_000 })).rejects.toThrow(
      'took more than 256 MB of memory',
    );
  });
});

describe('another program in the place of Node', () => {
  test('one that cannot be started', async () => {
    await expect(judgedBy('/nowhere/node')).rejects.toThrow(
      'the process of the reward functions cannot be started: spawn /nowhere/node ENOENT',
    );
  });

  test('one that says more than a reply', async () => {
    const program = join(temporaryFolder(), 'program');
    const talk = "for (let i = 0; i < 1000; i++) process.stdout.write('x'.repeat(1000)); setInterval(() => {}, 1000)";
    writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' -e "${talk}"\n`, { mode: 0o755 });
    await expect(judgedBy(program)).rejects.toThrow('says more than a reply can have');
  });
});
