import { readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { temporaryFolder } from '../../../../scripts/testing/temporaryFolder.ts';
import { byteTokenizer } from '../../test/byteTokenizer.ts';
import { openChatRenderer } from './chatRenderer.ts';
import { type PreparedData, type PrepareOptions, prepareData } from './prepareData.ts';

const tokenizer = byteTokenizer();
let folder: string;
let cache: string;
let rows: string;

beforeEach(() => {
  folder = temporaryFolder('prepared');
  cache = join(folder, 'cache');
  rows = join(folder, 'rows.jsonl');
  writeRows('one', 'two');
});

const row = (content: string) => ({
  messages: [
    { role: 'user', content: 'q' },
    { role: 'assistant', content },
  ],
});

function writeRows(...answers: string[]): void {
  writeFileSync(rows, answers.map((answer) => JSON.stringify(row(answer))).join('\n'));
  utimesSync(rows, 1e9, 1e9);
}

/** Into a folder of its own, as every reader and every run does. */
async function prepare(name: string, more: Partial<PrepareOptions> = {}): Promise<PreparedData> {
  const prepared = await prepareData({
    datasets: [
      { files: [rows], type: 'auto', fields: {}, mask: { rolesToTrain: ['assistant'], trainOnEos: 'turn' }, weight: 1 },
    ],
    tokenizer,
    renderer: openChatRenderer(tokenizer, { now: new Date() }),
    sequenceLen: 128,
    excessLength: 'drop',
    deduplicate: false,
    validationSize: 0,
    seed: 1,
    folder: join(folder, name),
    cache,
    ...more,
  });
  onTestFinished(() => prepared.train.close());
  return prepared;
}

const tokens = (name: string) => join(folder, name, 'tokens.bin');
const entries = () => readdirSync(cache).filter((name) => /^[0-9a-f]{64}$/.test(name));

test('what one has prepared the next one takes, without copying its tokens', async () => {
  const first = await prepare('first');
  const second = await prepare('second');
  expect([first.reused, second.reused]).toEqual([false, true]);
  expect(second.summary).toEqual(first.summary);
  expect(statSync(tokens('second')).ino).toBe(statSync(tokens('first')).ino);
  expect(readFileSync(second.droppedFile)).toEqual(readFileSync(first.droppedFile));
  expect((await prepare('third', { sequenceLen: 64 })).reused).toBe(false);
  expect(entries()).toHaveLength(2);
  rmSync(cache, { recursive: true });
  expect((await prepare('second')).reused).toBe(true);
});

test('data that changed while size and time stayed are prepared anew', async () => {
  await prepare('first');
  writeRows('one', 'owt');
  const second = await prepare('second');
  expect(second.reused).toBe(false);
  expect(readFileSync(tokens('second'))).not.toEqual(readFileSync(tokens('first')));
  expect((await prepare('third')).reused).toBe(true);
  expect(entries()).toHaveLength(1);
});

test('at a glance what is prepared is taken as it is, and no more than so many bytes are prepared', async () => {
  const atAGlance = { mostBytes: statSync(rows).size };
  expect((await prepare('first', { atAGlance })).reused).toBe(false);
  // Of the same size and time: only reading it would tell.
  writeRows('one', 'owt');
  expect((await prepare('second', { atAGlance })).reused).toBe(true);
  expect((await prepare('third')).reused).toBe(false);
  writeRows('one', 'three');
  await expect(prepare('fourth', { atAGlance })).rejects.toMatchObject({ code: 'data_not_prepared' });
  await prepare('fifth');
  expect((await prepare('sixth', { atAGlance })).reused).toBe(true);
});

test.each(['tokens.bin', 'rows.bin', 'dropped.jsonl'])(
  'a damaged %s is made anew, and no reader sees it',
  async (name) => {
    writeRows('one', '');
    await prepare('first');
    const kept = join(cache, entries()[0] as string, name);
    const whole = readFileSync(kept);
    rmSync(kept);
    writeFileSync(
      kept,
      whole.map((byte, index) => (index === 5 ? byte ^ 1 : byte)),
    );
    const second = await prepare('second');
    expect(second.reused).toBe(false);
    expect(second.cacheError).toMatchObject({
      code: 'token_cache_damaged',
      what: `the prepared data are damaged: ${name} is not as it was written`,
    });
    expect(readFileSync(join(folder, 'second', name))).toEqual(whole);
    expect(await prepare('third')).toMatchObject({ reused: true });
  },
);

test('a cache that cannot be used is told, and the data are prepared all the same', async () => {
  writeFileSync(cache, 'a file');
  const prepared = await prepare('first');
  expect(prepared).toMatchObject({ reused: false, summary: { rows: 2 } });
  expect(prepared.cacheError).toMatchObject({ what: 'something that is no folder has this name', where: cache });
});

test('rows that are too long are refused each time, and read once', async () => {
  writeRows('one', 'x'.repeat(500), 'y'.repeat(600));
  const refused = {
    code: 'rows_too_long',
    what: expect.stringContaining('2 of 3 rows'),
    where: expect.stringMatching(/:2: /),
  };
  const raise = { excessLength: 'raise' as const };
  await expect(prepare('first', raise)).rejects.toMatchObject(refused);
  const onProgress = vi.fn();
  await expect(prepare('first', { ...raise, onProgress })).rejects.toMatchObject(refused);
  await expect(prepare('second', { ...raise, onProgress })).rejects.toMatchObject(refused);
  expect(await prepare('third', { onProgress })).toMatchObject({ reused: true, summary: { kept: 1, dropped: 2 } });
  expect(onProgress).not.toHaveBeenCalled();
  writeRows('x'.repeat(500));
  await expect(prepare('fourth', raise)).rejects.toMatchObject({ code: 'rows_too_long' });
});

test('two at once keep one entry', async () => {
  await Promise.all(['a', 'b', 'c'].map((name) => prepare(name)));
  expect(readdirSync(cache)).toEqual(entries());
  expect(entries()).toHaveLength(1);
});

test('the date is part of the tokens only where the template prints it', async () => {
  const at = (date: string, source: string) => ({
    renderer: openChatRenderer(tokenizer, { source, now: new Date(date) }),
  });
  const plain = tokenizer.chatTemplate as string;
  const dated = `{{ strftime_now('%d %b %Y') }}${plain}`;
  await prepare('first', at('2024-02-03', plain));
  expect((await prepare('second', at('2025-02-03', plain))).reused).toBe(true);
  await prepare('third', at('2024-02-03', dated));
  expect((await prepare('fourth', at('2024-02-03', dated))).reused).toBe(true);
  expect((await prepare('fifth', at('2025-02-03', dated))).reused).toBe(false);
});
