import { appendFileSync, closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../../../scripts/testing/temporaryFolder.ts';
import type { EventBody } from '../protocol/events.ts';
import { placeBefore, readEvents } from './eventReader.ts';
import { followEvents } from './followEvents.ts';
import { RunDirectory } from './runDirectory.ts';

const warning = (message: string): EventBody => ({ type: 'warning', code: 'test', message });

const createRun = () => RunDirectory.create({ root: temporaryFolder(), name: 'a', recipeText: '', resolvedText: '' });

/** A log of so many events, of lengths between 90 bytes and more than a piece that is looked through. */
function writeLog(count: number): string {
  const path = join(temporaryFolder(), 'events.jsonl');
  const lines = Array.from({ length: count }, (_, index) => {
    const message = 'ä'.repeat(index % 1000 === 999 ? 50_000 : index % 70);
    return `${JSON.stringify({ seq: index + 1, time: '2026-01-31T14:25:07.123Z', ...warning(message) })}\n`;
  });
  writeFileSync(path, lines.join(''));
  return path;
}

test('an event is found by its number without reading what is before it', () => {
  const path = writeLog(20_000);
  const text = readFileSync(path);
  const file = openSync(path, 'r');
  for (const seq of [1, 2, 777, 999, 1000, 1001, 10_000, 19_999, 20_000, 20_001, 1_000_000]) {
    const place = placeBefore(file, seq);
    expect(place.seq).toBeLessThanOrEqual(seq);
    expect(text.toString('latin1', place.byte, place.byte + 20)).toMatch(`{"seq":${place.seq},`);
    const wanted = text.indexOf(`{"seq":${Math.min(seq, 20_000)},`);
    expect(wanted - place.byte).toBeLessThan(300_000);
    const rest = [...readEvents(path, { afterSeq: seq - 1 })].map((event) => event.seq);
    expect(rest).toEqual(Array.from({ length: Math.max(0, 20_001 - seq) }, (_, index) => seq + index));
  }
  closeSync(file);
});

test('an event after a damaged line is not passed off as the next', () => {
  const path = writeLog(3000);
  writeFileSync(path, readFileSync(path, 'utf8').replace('{"seq":2991,', '{"seq":3991,'));
  expect(() => [...readEvents(path, { afterSeq: 2900 })]).toThrow(/line 2991 is not event number 2991/);
});

test('many followers, quick and slow ones, each see every event after theirs once', async () => {
  const run = await createRun();
  const follow = async (afterSeq: number, slowness: number) => {
    const seen: number[] = [];
    for await (const { seq } of followEvents(run.path, { afterSeq })) {
      seen.push(seq);
      if (slowness > 0 && seq % 7 === 0) await wait(slowness);
    }
    return seen;
  };
  const followers = Array.from({ length: 30 }, (_, index) => ({ afterSeq: index * 5, slowness: (index % 3) * 20 }));
  const all = followers.map(({ afterSeq, slowness }) => follow(afterSeq, slowness));
  for (let count = 2; count < 200; count++) {
    run.record(warning(String(count)));
    if (count % 9 === 0) await wait(8);
  }
  run.record({ type: 'finished', step: 0, loss: null });
  await run.close();
  for (const [index, seen] of (await Promise.all(all)).entries()) {
    const first = index * 5 + 1;
    expect(seen).toEqual(Array.from({ length: 201 - first }, (_, i) => first + i));
  }
});

test('a torn line that the next launch cuts off is not seen, and what it writes there is', async () => {
  const run = await createRun();
  run.record(warning('one'));
  await run.close();
  appendFileSync(
    join(run.path, 'events.jsonl'),
    `{"seq":3,"time":"2026-01-31T14:25:07.123Z","type":"warn${'x'.repeat(999)}`,
  );
  let isLive = true;
  const seen: string[] = [];
  const following = (async () => {
    for await (const event of followEvents(run.path, { isLive: () => isLive })) {
      seen.push(event.type === 'warning' ? event.message : event.type);
    }
  })();
  await wait(120);
  const again = await RunDirectory.open(run.path);
  again.record(warning('two'));
  again.record(warning('three'));
  await again.close();
  while (seen.length < 4) await wait(5);
  isLive = false;
  await following;
  expect(seen).toEqual(['run_created', 'one', 'two', 'three']);
});

test('a run of a newer version is refused by name; one from before versions is read', async () => {
  const run = await createRun();
  await run.close();
  const path = join(run.path, 'events.jsonl');
  const text = readFileSync(path, 'utf8');
  expect(text).toContain('"type":"run_created","version":1,');
  writeFileSync(path, text.replace('"version":1,', '"version":2,'));
  expect(() => [...readEvents(path)]).toThrow(expect.objectContaining({ code: 'run_of_newer_version' }));
  await expect(RunDirectory.open(run.path)).rejects.toMatchObject({ code: 'run_of_newer_version' });
  writeFileSync(path, text.replace('"version":1,', ''));
  await (await RunDirectory.open(run.path)).close();
  expect([...readEvents(path)]).toHaveLength(1);
});
