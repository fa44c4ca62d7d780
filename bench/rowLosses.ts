/**
 * What recording the loss of each row costs a step: `node bench/rowLosses.ts NAME [--pairs 400]`. Trains the starter model, which is so
 * small that the share is as large as it gets. Each batch is trained twice, with and without its losses being read and recorded, in
 * turn which comes first. What is compared is the processor's time, on one thread: on a machine that others use, too, the clock tells
 * more of them. Writes bench/results/NAME.json.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRecipe } from '../apps/agent/src/service/recipes/open.ts';
import { starterFolder } from '../apps/agent/src/service/starterFolder.ts';
import type { StepBatches } from '../packages/core/src/datasets/types.ts';
import { batchCall } from '../packages/core/src/trainer/batchCall.ts';
import { DocumentLosses } from '../packages/core/src/trainer/documentLosses.ts';
import { createJob } from '../packages/core/src/trainer/job.ts';
import { openSession } from '../packages/core/src/trainer/session.ts';
import { startEngine } from '../packages/core/src/trainer/startEngine.ts';
import { readArguments } from './arguments.ts';
import { writeResults } from './results.ts';

const { names, values } = readArguments({
  command: 'node bench/rowLosses.ts',
  about: 'Measures what keeping the losses of each row costs a step; writes bench/results/NAME.json.',
  names: ['NAME'],
  options: { pairs: 400 },
});
const [name] = names as [string];
const { pairs } = values;
const warmup = 20;

const folder = mkdtempSync(join(tmpdir(), 'anneal-row-losses-'));
const { resolved } = await openRecipe(join(starterFolder, 'recipe.yaml'), ['device=cpu', 'threads=1']);
const session = await openSession(createJob(resolved), { dataFolder: folder });
const { engine } = await startEngine(session, null);
const losses = new DocumentLosses(folder, session.data.train.count, 0);
const { objective, loader } = session;
const recording: number[] = [];
try {
  const [plain, recorded, tokens, rows]: [number[], number[], number[], number[]] = [[], [], [], []];
  for (let pair = 0; pair < warmup + pairs; pair++) {
    const batches = await loader.next();
    const isFirst = pair % 2 === 0;
    const first = await timed(batches, 2 * pair + 1, isFirst);
    const second = await timed(batches, 2 * pair + 2, !isFirst);
    if (pair < warmup) continue;
    recorded.push(isFirst ? first : second);
    plain.push(isFirst ? second : first);
    tokens.push(batches.tokens);
    rows.push(batches.batches.reduce((sum, { documents }) => sum + documents.length, 0));
  }
  const extra = recorded.map((milliseconds, i) => milliseconds - (plain[i] as number));
  const measured = {
    suite: 'row-losses',
    model: 'starter',
    pairs,
    /** Medians over the pairs. */
    tokensPerStep: median(tokens),
    rowsPerStep: median(rows),
    cpuMillisecondsWithout: round(median(plain)),
    cpuMillisecondsWith: round(median(recorded)),
    cpuMillisecondsMore: round(median(extra)),
    percentMore: round((100 * median(extra)) / median(plain)),
    /** Of what is done after the step's native call, by the clock. */
    millisecondsRecording: round(median(recording)),
  };
  console.log(JSON.stringify(measured, null, 2));
  console.log(writeResults(name, measured));
} finally {
  losses[Symbol.dispose]();
  await engine.dispose();
  await session.close();
  rmSync(folder, { recursive: true, force: true });
}

/** Milliseconds of the processor for one optimizer step, with what its losses take where they are recorded. */
async function timed(step: StepBatches, number: number, records: boolean): Promise<number> {
  const { batches } = step;
  const inputs = objective.trainScales(objective.countsOf(batches, []));
  const results = records ? ['rows'] : [];
  const started = process.cpuUsage();
  const outcome = await engine.run([
    { program: 'begin', extents: {}, inputs: {} },
    ...batches.map((batch) => batchCall(engine, objective, 'train', batch, { inputs, results })),
    {
      program: 'update',
      extents: {},
      inputs: { learningRate: Float32Array.of(1e-4), step: Int32Array.of(number) },
      results: ['sums', 'gradientNorm'],
    },
  ]);
  if (records) {
    const before = performance.now();
    losses.record(
      step,
      batches.map((batch, i) => objective.tokenLosses(outcome.results[i] as Float64Array, batch)),
    );
    recording.push(performance.now() - before);
  }
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1000;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] as number;
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}
