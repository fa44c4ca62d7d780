/**
 * What a folder of many runs costs an agent: `node bench/manyRuns.ts NAME [--runs 5000] [--steps 400]`. Lists them to a client the
 * first time and after restarts, then stays with the list while one more run appears. Times are a client's, over its socket on
 * loopback. Writes bench/results/NAME.json.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { ListedRun, RunListChange } from '@anneal/core/protocol/studio';
import { anneal, BenchAgent, percentiles, round } from './agent.ts';
import { readArguments } from './arguments.ts';
import { writeResults } from './results.ts';
import { writeFinishedRun } from './writtenRuns.ts';

const { names, values } = readArguments({
  command: 'node bench/manyRuns.ts',
  about: 'Measures how an agent lists a folder of many runs; writes bench/results/NAME.json.',
  names: ['NAME'],
  options: { runs: 5000, steps: 400 },
});
const { runs, steps } = values;
const restarts = 3;
const idleSeconds = 10;

const agent = new BenchAgent();
try {
  for (let at = 0; at < runs; at++) writeFinishedRun(agent.workspace, idOf(at), steps);
  const first = await listed();
  await agent.end();
  const again: Awaited<ReturnType<typeof listed>>[] = [];
  for (let time = 0; time < restarts; time++) {
    again.push(await listed());
    if (time < restarts - 1) await agent.end();
  }
  const result = {
    what: `${runs} runs of ${steps} steps listed by an agent that was just started, and watched`,
    firstTime: first,
    restarted: {
      startSeconds: percentiles(again.map(({ startSeconds }) => startSeconds)).p50,
      listSeconds: percentiles(again.map(({ listSeconds }) => listSeconds)).p50,
    },
    kilobytesSent: first.kilobytesSent,
    ...(await watched()),
    agentMegabytes: round(agent.memory / 1e6),
    commandLineSeconds: commandLine(),
  };
  console.log(JSON.stringify(result, null, 2));
  console.log(writeResults(names[0] as string, result));
} finally {
  await agent.remove();
}

function idOf(at: number): string {
  return `20260101-${String(at).padStart(6, '0')}-run`;
}

/** From the start of the agent until a client has them all. */
async function listed(): Promise<{ startSeconds: number; listSeconds: number; kilobytesSent: number }> {
  const began = performance.now();
  await agent.start();
  const started = performance.now();
  const client = agent.client();
  const all = new Map<string, ListedRun>();
  await new Promise<void>((resolve, reject) => {
    const subscription = client.api.runs.list.subscribe(undefined, {
      onError: reject,
      onData(change: RunListChange) {
        for (const run of change.runs) all.set(run.key, run);
        if (all.size < runs) return;
        subscription.unsubscribe();
        resolve();
      },
    });
  });
  const listSeconds = round((performance.now() - started) / 1000, 2);
  const wrong = [...all.values()].filter(({ state, step }) => state !== 'finished' || step !== steps);
  if (wrong.length > 0) throw new Error(`${wrong.length} runs are listed as they are not`);
  const kilobytesSent = round(client.received() / 1000);
  await client.close();
  return { startSeconds: round((started - began) / 1000, 2), listSeconds, kilobytesSent };
}

/** While a client looks at the list: what that costs, and how soon a run that appears is told; meanwhile how long another is asked for. */
async function watched() {
  const client = agent.client();
  let told: ((key: string) => void) | undefined;
  const subscription = client.api.runs.list.subscribe(undefined, {
    onData: (change: RunListChange) => {
      for (const run of change.runs) told?.(run.key);
    },
  });
  await wait(5000);
  const before = agent.processorSeconds;
  const asked: number[] = [];
  const end = performance.now() + idleSeconds * 1000;
  while (performance.now() < end) {
    const began = performance.now();
    await client.api.runs.get.query({ run: `runs/${idOf(asked.length % runs)}` });
    asked.push(performance.now() - began);
    await wait(100);
  }
  const coreShare = (agent.processorSeconds - before) / idleSeconds;
  const appeared = new Promise<void>((resolve) => {
    told = (key) => key.endsWith('-new') && resolve();
  });
  writeFinishedRun(agent.workspace, '20270101-000000-new', steps);
  const began = performance.now();
  await appeared;
  const newRunSeconds = round((performance.now() - began) / 1000, 2);
  subscription.unsubscribe();
  await client.close();
  return { coreShareWhileWatched: round(coreShare, 3), askedMilliseconds: percentiles(asked), newRunSeconds };
}

/** `anneal runs ls`, which asks no agent. */
function commandLine(): number {
  const began = performance.now();
  const text = execFileSync(
    process.execPath,
    [anneal, 'runs', 'ls', '--json', '--runs-dir', join(agent.workspace, 'runs')],
    {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    },
  );
  if (!text.includes(idOf(runs - 1))) throw new Error('a run is missing in the list of the command line');
  return round((performance.now() - began) / 1000, 2);
}
