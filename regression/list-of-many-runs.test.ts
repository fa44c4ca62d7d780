/**
 * An agent read every log of its folder anew to list the runs, again and again while somebody looked at the list: with 5,000 runs that took
 * over a minute, a whole core and 1.5 GB, and nobody else was answered meanwhile. And a client that was reading such
 * a list over a slow line was closed as one that does not read, each time it came back. `anneal runs ls` read every log as well.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ListedRun } from '@anneal/core/protocol/studio';
import { lockRun } from '@anneal/core/trainer/runLock';
import { expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { annealIn } from '../apps/agent/test/helpers/anneal.ts';
import { client, makePlace, paired, said, start } from '../apps/agent/test/helpers/daemon.ts';

const begun = new Date('2026-01-01');
const event = (seq: number, more: object) => `${JSON.stringify({ seq, time: begun.toISOString(), ...more })}\n`;
const failed = (what: string) => event(2, { type: 'failed', error: { code: 'x', what } });

function writeRun(workspace: string, name: string, { model = 'm', events = '' } = {}): string {
  const run = join(workspace, 'runs', name);
  mkdirSync(run, { recursive: true });
  writeFileSync(join(run, 'recipe.resolved.yaml'), `base_model: ${model}\n`);
  const log = join(run, 'events.jsonl');
  writeFileSync(log, event(1, { type: 'run_created', version: 1, id: name, name }) + events);
  for (const path of [log, run]) utimesSync(path, begun, begun);
  return log;
}

it('a list that was read once is told by the next agent without the logs, until the index is made anew', async () => {
  const place = makePlace();
  const log = writeRun(place.workspace, 'a', { events: failed('first') });
  writeRun(place.workspace, 'b', { events: 'no event\nand more\n' });
  const listed = async (): Promise<readonly ListedRun[]> => {
    const daemon = await start(place);
    const { api } = client(daemon, await paired(daemon));
    const runs = await new Promise<readonly ListedRun[]>((resolve, reject) =>
      api.runs.list.subscribe(undefined, { onData: (change) => resolve(change.runs), onError: reject }),
    );
    await daemon.close();
    return runs;
  };
  const first = await listed();
  expect(first).toMatchObject([{ error: { what: 'first' } }, { state: 'damaged' }]);
  writeFileSync(log, readFileSync(log, 'utf8').replace('first', 'other'));
  for (const path of [log, join(log, '..')]) utimesSync(path, begun, begun);
  expect(await listed()).toEqual(first);

  const anneal = annealIn(place.workspace, { XDG_DATA_HOME: process.env.XDG_DATA_HOME });
  const running = await start(place);
  const refused = await anneal('doctor', '--rebuild-index');
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('an agent serves this folder already');
  await running.close();
  const rebuilt = await anneal('doctor', '--rebuild-index', '--json');
  expect(JSON.parse(rebuilt.stdout)).toMatchObject({ runs: 2, damaged: [{ run: 'runs/b' }] });
  expect(rebuilt.code).toBe(1);
  expect(await listed()).toMatchObject([{ error: { what: 'other' } }, { state: 'damaged' }]);
  expect(said.join()).not.toContain('index');
});

it('the command line opens a log again only where the files of the run have changed', async () => {
  const place = makePlace();
  const log = writeRun(place.workspace, 'a', { events: failed('first') });
  for (let at = 0; at < 100; at++) writeRun(place.workspace, `c${at}`);
  writeRun(place.workspace, 'b', { events: 'no event\nand more\n' });
  const cache = join(place.workspace, 'cache');
  const anneal = annealIn(place.workspace, { ANNEAL_CACHE: cache });
  const listed = async () => JSON.parse((await anneal('runs', 'ls', '--json')).stdout).slice(0, 2);
  const first = await listed();
  expect(first).toMatchObject([{ error: { what: 'first' }, tags: [] }, { state: 'damaged' }]);
  const rewrite = (from: string, to: string) => {
    writeFileSync(log, readFileSync(log, 'utf8').replace(from, to));
    for (const path of [log, join(log, '..')]) utimesSync(path, begun, begun);
  };
  rewrite('first', 'other');
  expect(await listed()).toEqual(first);
  // What is said of a run is a change, and so is a longer log.
  await anneal('runs', 'tag', 'a', 'good');
  expect(await listed()).toMatchObject([{ error: { what: 'other' }, tags: ['good'] }, { state: 'damaged' }]);
  rewrite('other', 'longer');
  expect(await listed()).toMatchObject([{ error: { what: 'longer' } }, { state: 'damaged' }]);
  // One that another process writes is read, whatever its files look like.
  rewrite('longer', 'larger');
  const { pid } = process;
  const held = lockRun(join(log, '..'));
  for (const path of [log, join(log, '..')]) utimesSync(path, begun, begun);
  expect(await listed()).toMatchObject([{ error: { what: 'larger' }, pid }, { state: 'damaged' }]);
  held.release();
  // A damaged cache, and one that cannot be written, cost time alone.
  for (const file of readdirSync(join(cache, 'runs'))) writeFileSync(join(cache, 'runs', file), '{');
  expect(await listed()).toMatchObject([{ error: { what: 'larger' } }, { state: 'damaged' }]);
  rmSync(cache, { recursive: true });
  writeFileSync(cache, '');
  expect(await listed()).toMatchObject([{ error: { what: 'larger' } }, { state: 'damaged' }]);
});

it('an answer of many megabytes reaches a client that reads it slowly', async () => {
  const place = makePlace();
  const runs = 40;
  for (let at = 0; at < runs; at++) writeRun(place.workspace, `r${at}`, { model: 'm'.repeat(500_000) });
  const daemon = await start(place);
  const socket = new WebSocket(`${daemon.url.replace('http', 'ws')}/trpc`, {
    headers: { cookie: await paired(daemon), origin: daemon.url },
  });
  const told = await new Promise<string>((resolve, reject) => {
    socket.once('close', () => reject(new Error('the client was closed')));
    socket.once('upgrade', ({ socket: line }) => {
      line.prependListener('data', () => {
        line.pause();
        setTimeout(() => line.resume(), 15);
      });
    });
    socket.once('open', () =>
      socket.send(JSON.stringify({ id: 1, method: 'subscription', params: { path: 'runs.list' } })),
    );
    socket.on('message', (data: Buffer) => data.length > 1 << 20 && resolve(data.toString()));
  });
  expect(JSON.parse(told).result.data.runs).toHaveLength(runs);
  socket.terminate();
});
