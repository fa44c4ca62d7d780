/**
 * Kills an agent, the runner that trains for it, or both at random moments: `node bench/kills.ts NAME [--kills 200] [--seed 1] [--jobs 1]`,
 * with so many agents at the same time, each in a folder of its own. Runs of the starter model wait in the queue; after each kill the agent
 * is started again, and an interrupted run resumed. Throws where an event is lost, a process is left over, the index of runs is damaged
 * by a kill, an index differs from the logs, or a run does not end with the bits of one that nobody killed. Writes bench/results/NAME.json.
 */
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type RunEvent, withoutSuperseded } from '@anneal/core/protocol/events';
import { random } from '@anneal/core/random';
import { readEvents } from '@anneal/core/trainer/eventReader';
import { readRun } from '@anneal/core/trainer/runReader';
import type { TRPCClientError } from '@trpc/client';
import type { AppRouter } from '../apps/agent/src/daemon/router/index.ts';
import { indexPath } from '../apps/agent/src/daemon/runs/runIndex.ts';
import { anneal, BenchAgent, type Client, processesOf } from './agent.ts';
import { readArguments } from './arguments.ts';
import { writeResults } from './results.ts';

const { names, values } = readArguments({
  command: 'node bench/kills.ts',
  about:
    'Kills an agent, its runner or both at random moments, and looks for what is lost; writes bench/results/NAME.json.',
  names: ['NAME'],
  options: { kills: 200, seed: 1, jobs: 1 },
});
const counts = ['runs', 'resumed', 'eventsOnRecord', 'eventsHeard', 'indexedRunsRead'] as const;
type Killed = Record<(typeof counts)[number], number> & { killed: Record<(typeof victims)[number], number> };

const { uint32, below } = random('kills', values.seed);
const uniform = () => uint32() / 2 ** 32;
const victims = ['agent', 'runner', 'both'] as const;
const longestOpening = 2500;
/** A run has some 450. */
const mostEvents = 400;
const longestWait = 30_000;
const patienceMilliseconds = 120_000;

const agent = new BenchAgent();
const runs = join(agent.workspace, 'harbour', 'runs');
let client: Client | undefined;
/** Numbers of the events of each run, as they came to a client that is never told to begin anew. */
const heard = new Map<string, number[]>();
const killed = { agent: 0, runner: 0, both: 0 };
let resumed = 0;
/** Rows of indexes, after all kills. */
let indexedRunsRead = 0;

if (process.send) {
  process.once('disconnect', () => process.exit(1)); // whoever started this is gone
  process.send(await killHere(), () => process.exit());
} else {
  const started = performance.now();
  const parts = values.jobs > 1 ? await killInProcesses() : [await killHere()];
  const result = {
    what: `SIGKILL at ${values.kills} random moments of an agent, of the runner that trains for it, or of both`,
    agents: parts.length,
    seconds: Math.round((performance.now() - started) / 1000),
    killed: Object.fromEntries(victims.map((victim) => [victim, sumOf(parts.map((part) => part.killed[victim]))])),
    ...Object.fromEntries(counts.map((name) => [name, sumOf(parts.map((part) => part[name]))])),
    lostEvents: 0,
    processesLeft: 0,
    indexesThatDiffer: 0,
    runsWithOtherBits: 0,
  };
  console.log(JSON.stringify(result, null, 2));
  console.log(writeResults(names[0] as string, result));
}

/** One agent after the other is too slow where there are many processors. */
async function killInProcesses(): Promise<Killed[]> {
  await agent.remove(); // each has its own
  const shares = Array.from(
    { length: values.jobs },
    (_, job) => Math.floor(((job + 1) * values.kills) / values.jobs) - Math.floor((job * values.kills) / values.jobs),
  );
  const parts = await Promise.allSettled(
    shares.map(async (kills, job) => {
      const args = [names[0] as string, '--kills', String(kills), '--seed', String(values.seed + job)];
      const child = fork(import.meta.filename, args);
      let told: Killed | undefined;
      child.once('message', (message) => {
        told = message as Killed;
      });
      const [status] = await once(child, 'exit');
      if (!told || status !== 0)
        throw new Error(`the part with --kills ${kills} --seed ${values.seed + job} failed, see above`);
      return told;
    }),
  );
  // Only when every part has ended and cleaned up.
  return parts.map((part) => {
    if (part.status === 'rejected') throw part.reason;
    return part.value;
  });
}

async function killHere(): Promise<Killed> {
  try {
    command('init', 'harbour');
    command('train', 'harbour/recipe.yaml', ...changes('undisturbed'));
    const expected = outcomeOf(runNames()[0] as string);
    await agent.start();
    client = agent.client();
    for (let number = 0; number < values.kills; number++) await killOnce(client);
    while (!runNames().every(isFinished)) {
      await resumeInterrupted();
      await wait(200);
    }
    for (const run of runNames()) {
      if (!isDeepStrictEqual(outcomeOf(run), expected))
        throw new Error(`${run} has other bits than a run that nobody killed`);
      await eventually(`${run}: an event is lost on its way to a client`, () => {
        return (heard.get(run)?.at(-1) ?? 0) === eventsOf(run).length || !heard.has(run);
      });
    }
    for (const [run, numbers] of heard) expectNumbered(numbers, `${run}, as a client heard it`);
    await compareIndex();
    await client.close();
    await agent.end();
    const left = [...processesOf(agent.workspace).values()];
    if (left.length > 0) throw new Error(`processes are left over: ${left.join(', ')}`);
    const eventsHeard = sumOf([...heard.values()].map(({ length }) => length));
    return { killed, runs: runNames().length, resumed, eventsOnRecord: recorded(), eventsHeard, indexedRunsRead };
  } finally {
    await client?.close();
    await agent.remove();
  }
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

async function killOnce(of: Client): Promise<void> {
  if (runNames().filter((run) => !isFinished(run)).length < 2) {
    command('train', 'harbour/recipe.yaml', '--queue', ...changes(`run-${runNames().length}`));
  }
  await resumeInterrupted();
  for (const run of runNames()) listen(of, run);
  const victim = victims[below(victims.length)] as (typeof victims)[number];
  await moment();
  const before = new Map(runNames().map((run) => [run, eventsOf(run)]));
  const runner = runNames()
    .map((run) => readRun(join(runs, run)).owner?.pid)
    .find((pid) => pid !== undefined);
  if (victim !== 'agent' && runner !== undefined) kill(runner);
  if (victim !== 'runner') {
    await agent.end('SIGKILL');
    checkIndexes();
    await agent.start();
  }
  killed[victim]++;
  for (const [run, events] of before) {
    const now = eventsOf(run);
    expectNumbered(
      now.map(({ seq }) => seq),
      run,
    );
    if (!isDeepStrictEqual(now.slice(0, events.length), events))
      throw new Error(`${run}: an event was lost or changed`);
  }
}

function recorded(): number {
  return sumOf(runNames().map((run) => eventsOf(run).length));
}

/** A quarter of them while processes open everything, the others while a run trains and saves. */
async function moment(): Promise<void> {
  if (uniform() < 0.25) return wait(uniform() * longestOpening);
  const goal = recorded() + uniform() * mostEvents;
  for (const end = Date.now() + longestWait; recorded() < goal && Date.now() < end; ) await wait(10);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it has ended in this moment
  }
}

/** As somebody does who looks at the list. A run whose process was killed before its first event is out of the queue, too. */
async function resumeInterrupted(): Promise<void> {
  const waiting = runNames().filter((name) => readRun(join(runs, name)).owner === undefined && !isFinished(name));
  for (const run of waiting) {
    const { state, queued } = await ask((api) => api.runs.get.query({ run: `harbour/runs/${run}` }));
    if ((state !== 'interrupted' && state !== 'created') || queued !== null) continue;
    await ask((api) => api.runs.resume.mutate({ run: `harbour/runs/${run}` }));
    resumed++;
  }
}

/** By a socket of its own: that of the events may be on its way back. */
async function ask<T>(question: (api: Client['api']) => Promise<T>): Promise<T> {
  const asking = agent.client();
  try {
    return await question(asking.api);
  } catch (error) {
    const { message, data } = error as TRPCClientError<AppRouter>;
    throw new Error(`the agent answered with ${message} ${JSON.stringify(data)}`, { cause: error });
  } finally {
    await asking.close();
  }
}

function listen(of: Client, run: string): void {
  if (heard.has(run) || run.endsWith('undisturbed')) return;
  const numbers: number[] = [];
  heard.set(run, numbers);
  of.api.runs.events.subscribe(
    { run: `harbour/runs/${run}` },
    {
      onData: ({ data }) => numbers.push(...data.events.map(({ seq }) => seq)),
      onError: (error) => {
        throw new Error(`${run}: its events ended with ${error.message} ${JSON.stringify(error.data)}`, {
          cause: error,
        });
      },
    },
  );
}

function series(): Promise<unknown[]> {
  return ask((api) =>
    Promise.all(runNames().map((run) => api.runs.series.query({ run: `harbour/runs/${run}`, buckets: 400 }))),
  );
}

/** What the agent answers from what it has kept is what it answers from the logs. */
async function compareIndex(): Promise<void> {
  await agent.end();
  await agent.start();
  const kept = [await series(), await listed()];
  await agent.end();
  checkIndexes();
  for (const folder of stateFolders()) {
    rmSync(join(folder, 'runs'), { recursive: true, force: true });
    rmSync(indexPath(folder));
  }
  await agent.start();
  if (!isDeepStrictEqual(kept, [await series(), await listed()]))
    throw new Error('what is kept of runs differs from their logs');
}

/** Of all runs, as somebody sees them who opens the list. */
async function listed(): Promise<unknown[]> {
  return ask((api) => Promise.all(runNames().map((run) => api.runs.get.query({ run: `harbour/runs/${run}` }))));
}

function stateFolders(): string[] {
  const agents = join(agent.workspace, '.state', 'anneal', 'agents');
  return readdirSync(agents).map((id) => join(agents, id));
}

/** As a kill has left it: a copy, as looking at it would mend it. */
function checkIndexes(): void {
  for (const folder of stateFolders().filter((state) => existsSync(indexPath(state)))) {
    const copy = mkdtempSync(join(agent.workspace, '.state', 'index-'));
    for (const end of ['', '-wal']) {
      if (existsSync(indexPath(folder) + end)) cpSync(indexPath(folder) + end, indexPath(copy) + end);
    }
    const database = new DatabaseSync(indexPath(copy));
    const found = database.prepare('PRAGMA integrity_check').all() as { integrity_check: string }[];
    if (found[0]?.integrity_check !== 'ok') throw new Error(`the index of runs is damaged: ${JSON.stringify(found)}`);
    const [table] = database.prepare("SELECT count(*) AS tables FROM sqlite_schema WHERE name = 'runs'").all();
    if (table?.['tables'] === 1) indexedRunsRead += database.prepare('SELECT run, json(digest) FROM runs').all().length;
    database.close();
    rmSync(copy, { recursive: true });
  }
}

function changes(name: string): string[] {
  const set = ['max_steps=400', 'save_steps=50', 'save_total_limit=1', 'logging_steps=1', 'device=cpu'];
  return ['--name', name, ...set.flatMap((change) => ['--set', change])];
}

function command(...args: string[]): void {
  execFileSync(process.execPath, [anneal, ...args], {
    cwd: agent.workspace,
    env: agent.environment,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}

function runNames(): string[] {
  return readdirSync(runs).sort();
}

function eventsOf(run: string): RunEvent[] {
  return [...readEvents(join(runs, run, 'events.jsonl'))];
}

function isFinished(run: string): boolean {
  const { state, owner } = readRun(join(runs, run));
  if (state === 'failed') throw new Error(`${run} has failed`);
  return state === 'finished' && owner === undefined;
}

/** What does not depend on how often a run was killed. */
function outcomeOf(run: string): unknown {
  const losses = withoutSuperseded(eventsOf(run)).flatMap((event) => (event.type === 'step' ? [event.loss] : []));
  const checkpoints = join(runs, run, 'checkpoints');
  const [last] = readdirSync(checkpoints);
  return [losses, readFileSync(join(checkpoints, last as string, 'adapter_model.safetensors'), 'base64')];
}

function expectNumbered(numbers: readonly number[], whose: string): void {
  const at = numbers.findIndex((number, index) => number !== index + 1);
  if (at >= 0) throw new Error(`${whose}: event ${at + 1} is missing`);
}

async function eventually(what: string, holds: () => boolean): Promise<void> {
  for (const end = Date.now() + patienceMilliseconds; !holds(); await wait(100)) {
    if (Date.now() > end) throw new Error(what);
  }
}
