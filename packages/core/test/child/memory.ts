/**
 * Trains two steps of a recipe (JSON in the argument) and prints what its plan says beside what the system says: `{ planned, mapped, base, peak }` in bytes.
 * Linux only.
 */
import { readFileSync } from 'node:fs';
import { resolveRecipe } from '../../src/recipe/resolve.ts';
import { createJob } from '../../src/trainer/job.ts';
import { openSession } from '../../src/trainer/session.ts';
import { startEngine } from '../../src/trainer/startEngine.ts';
import { TrainingEngine } from '../../src/trainer/trainingEngine.ts';

type Range = readonly [start: number, end: number];

function mappings(): Range[] {
  const lines = readFileSync('/proc/self/maps', 'utf8').trim().split('\n');
  return lines.map((line) =>
    (line.split(' ')[0] as string).split('-').map((hex) => Number.parseInt(hex, 16)),
  ) as unknown as Range[];
}

/** Bytes of the largest range that is mapped now and was not before. */
function largestNewRange(before: readonly Range[]): number {
  let largest = 0;
  for (let [start, end] of mappings()) {
    for (const [from, to] of before) {
      if (from <= start && to > start) start = to;
      if (from < end && to >= end) end = from;
    }
    largest = Math.max(largest, end - start);
  }
  return largest;
}

function status(field: 'VmRSS' | 'VmHWM'): number {
  const text = readFileSync('/proc/self/status', 'utf8');
  return 1024 * Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1]);
}

const [recipe, dataFolder] = process.argv.slice(2) as [string, string];
const job = createJob(resolveRecipe(JSON.parse(recipe), { baseDirectory: dataFolder }));
const session = await openSession(job, { dataFolder });
// Once there is a batch, the thread that makes them has begun, and takes no more memory.
const first = await session.loader.next();
const before = mappings();
const base = status('VmRSS');
const { engine } = await startEngine(session, null);
const mapped = largestNewRange(before);
const training = new TrainingEngine(engine, session.objective, session.balanceLoss);
for (let step = 1; step <= 2; step++) {
  await training.step(step === 1 ? first : await session.loader.next(), { step, learningRate: 1e-4, seed: 1 });
}
console.log(JSON.stringify({ planned: session.plan.memory.total, mapped, base, peak: status('VmHWM') }));
await session.close();
