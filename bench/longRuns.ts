/**
 * How fast long runs open: `node bench/longRuns.ts NAME [--steps 1000000] [--runs 50] [--compared 100000]`. Writes one run of so many
 * steps, opens it as the studio's page of a run does, and zooms in; then compares many shorter ones. Every time is a client's, over
 * its socket on loopback. Writes bench/results/NAME.json.
 */

import { BenchAgent, type Client, percentiles, round } from './agent.ts';
import { readArguments } from './arguments.ts';
import { writeResults } from './results.ts';
import { writeFinishedRun } from './writtenRuns.ts';

const { names, values } = readArguments({
  command: 'node bench/longRuns.ts',
  about: 'Measures runs of many steps as the studio asks for them; writes bench/results/NAME.json.',
  names: ['NAME'],
  options: { steps: 1_000_000, runs: 50, compared: 100_000 },
});
const [name] = names as [string];
const { steps, runs, compared } = values;
/** As the studio asks. */
const buckets = 800;
const repeats = 9;

const agent = new BenchAgent();
try {
  const long = writeFinishedRun(agent.workspace, 'long', steps);
  await agent.start();
  const firstTime = await opened(long);
  const times: Awaited<ReturnType<typeof opened>>[] = [];
  for (let time = 0; time < repeats; time++) {
    // Nothing of it is in the memory of an agent that was just started.
    await agent.end();
    await agent.start();
    times.push(await opened(long));
  }
  const zooms = await zoomed(long);
  await agent.end();
  const keys = Array.from({ length: runs }, (_, at) => writeFinishedRun(agent.workspace, `run-${at}`, compared));
  await agent.start();
  const firstComparison = await comparison(keys);
  const comparisons: Awaited<ReturnType<typeof comparison>>[] = [];
  for (let time = 0; time < repeats; time++) {
    await agent.end();
    await agent.start();
    comparisons.push(await comparison(keys));
  }
  const result = {
    what: `a run of ${steps} steps with 8 metrics opened by a client of an agent that was just started, and ${runs} runs of ${compared} steps compared`,
    open: {
      /** The log was never read before. */
      firstTimeSeconds: round(firstTime.seconds, 2),
      seconds: percentilesOf(times.map(({ seconds }) => seconds)),
      kilobytesSent: round(Math.max(...times.map(({ bytes }) => bytes)) / 1000),
    },
    zoomMilliseconds: percentiles(zooms),
    compare: {
      firstTimeSeconds: round(firstComparison.seconds, 2),
      seconds: percentilesOf(comparisons.map(({ seconds }) => seconds)),
      kilobytesSent: round(Math.max(...comparisons.map(({ bytes }) => bytes)) / 1000),
    },
    agentMegabytes: round(agent.memory / 1e6),
  };
  console.log(JSON.stringify(result, null, 2));
  console.log(writeResults(name, result));
} finally {
  await agent.remove();
}

function percentilesOf(seconds: readonly number[]): { median: number; max: number } {
  const sorted = [...seconds].sort((a, b) => a - b);
  return { median: round(sorted[sorted.length >> 1] as number, 3), max: round(sorted.at(-1) as number, 3) };
}

/** What the page of a run asks for before it is drawn: the run, its events beside the steps, its curves, and what comes next. */
async function opened(run: string): Promise<{ seconds: number; bytes: number }> {
  const client = agent.client();
  const began = performance.now();
  const [, { seq }] = await Promise.all([
    client.api.runs.get.query({ run }),
    client.api.runs.happenings.query({ run }),
  ]);
  const series = await client.api.runs.series.query({ run, buckets });
  const seconds = (performance.now() - began) / 1000;
  if (Math.max(...series.bands.loss.max.map(Number)) !== 99) throw new Error('the spike is lost');
  if (series.step.length !== Math.min(buckets, steps) || seq < steps) throw new Error('steps are missing');
  const bytes = client.received();
  await client.close();
  return { seconds, bytes };
}

async function zoomed(run: string): Promise<number[]> {
  const client = agent.client();
  await client.api.runs.get.query({ run });
  const milliseconds: number[] = [];
  for (let time = 0; time < 50; time++) {
    const width = steps / 10 ** (time % 4);
    const from = Math.floor(((time * 0.618) % 1) * (steps - width));
    const asked = performance.now();
    await client.api.runs.series.query({ run, from, to: Math.floor(from + width), buckets });
    milliseconds.push(performance.now() - asked);
  }
  await client.close();
  return milliseconds;
}

/** Results, settings and the curves of every run, as the page that compares them asks for them. */
async function comparison(keys: readonly string[]): Promise<{ seconds: number; bytes: number }> {
  const client: Client = agent.client();
  const began = performance.now();
  const [{ runs: measured }] = await Promise.all([
    client.api.runs.compare.query({ runs: [...keys] }),
    ...keys.map((run) => client.api.runs.series.query({ run, buckets: 400 })),
  ]);
  const seconds = (performance.now() - began) / 1000;
  if (measured.some((run) => run.recordedSteps !== compared)) throw new Error('steps are missing');
  const bytes = client.received();
  await client.close();
  return { seconds, bytes };
}
