/**
 * `npm run fuzz -- NAME … [--count N] [--seed N] [--jobs N]`: many more inputs than `npm test` tries, in so many processes. One that is
 * neither read nor refused by an error for people ends its process, with the seed that makes it again, and no other begins. It is no part
 * of `npm test`, which tries a few of each.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readArguments } from '../bench/arguments.ts';

/** The file of each fuzzer, and what its test is called there. */
const fuzzers: Readonly<Record<string, readonly [file: string, test: string]>> = {
  csv: ['packages/core/src/datasets/tableFuzz.test.ts', '^csv'],
  parquet: ['packages/core/src/datasets/tableFuzz.test.ts', '^parquet$'],
  manifest: ['packages/core/src/datasets/storeFuzz.test.ts', '^manifest$'],
  templates: ['packages/core/src/templates/templateFuzz.test.ts', '^templates$'],
  tokenizer: ['packages/core/src/tokenizers/tokenizerFuzz.test.ts', '^tokenizer$'],
  run: ['packages/core/src/trainer/runFuzz.test.ts', '^damaged runs$'],
  safetensors: ['packages/formats/test/fuzz.test.ts', 'of safetensors'],
  gguf: ['packages/formats/test/fuzz.test.ts', 'of GGUF'],
  messages: ['apps/agent/test/malformed.test.ts', 'messages of sockets'],
  requests: ['apps/agent/test/malformed.test.ts', 'requests of every route'],
};

const { names, values } = readArguments({
  command: 'npm run fuzz --',
  about: `Tries many inputs, of all readers or of those that are named: ${Object.keys(fuzzers).join(', ')}.`,
  others: 'NAME',
  options: { count: 10_000, seed: 1, jobs: 1 },
});
const unknown = names.find((name) => !(name in fuzzers));
if (unknown !== undefined) {
  console.error(`error: no fuzzer is called '${unknown}', only ${Object.keys(fuzzers).join(', ')}`);
  process.exit(2);
}

for (const name of ['count', 'jobs'] as const) {
  if (Number.isInteger(values[name]) && values[name] > 0) continue;
  console.error(`error: --${name} takes a whole number of at least 1, not ${values[name]}`);
  process.exit(2);
}

const root = join(import.meta.dirname, '..');
/** In memory where there is such a folder: on a disk most of the time goes into syncing files that nobody keeps. */
const temporary = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');

interface Part {
  readonly name: string;
  readonly seed: number;
  readonly count: number;
}

/** Every input has a seed of its own, so that parts with other seeds try what one process would. */
const each = Math.ceil(values.count / values.jobs);
const parts = (names.length > 0 ? names : Object.keys(fuzzers)).flatMap((name): Part[] =>
  Array.from({ length: Math.ceil(values.count / each) }, (_, part) => ({
    name,
    seed: values.seed + part * each,
    count: Math.min(each, values.count - part * each),
  })),
);

const running = new Set<ChildProcess>();
// Who ends this ends what it has started.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    for (const child of running) child.kill(signal);
    process.exitCode = 1;
    parts.length = 0;
  });
}

/** @returns whether no input was a failure */
async function tryAll({ name, seed, count }: Part): Promise<boolean> {
  const [file, test] = fuzzers[name] as readonly [string, string];
  const started = performance.now();
  const child = spawn(process.execPath, [vitest, 'run', file, '-t', test], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: temporary, FUZZ_RUNS: String(count), FUZZ_SEED: String(seed) },
  });
  running.add(child);
  const said: Buffer[] = [];
  for (const output of [child.stdout, child.stderr]) output.on('data', (bytes: Buffer) => said.push(bytes));
  const [status] = await once(child, 'close');
  running.delete(child);
  const milliseconds = performance.now() - started;
  const outcome = status === 0 ? 'fine' : 'FAILED';
  const time = `${(milliseconds / 1000).toFixed(0)} s, ${(milliseconds / count).toFixed(2)} ms each`;
  console.log(`${name}: ${count} inputs from seed ${seed}: ${outcome} (${time})`);
  if (status !== 0) console.log(Buffer.concat(said).toString());
  return status === 0;
}

async function takeTurns(): Promise<void> {
  for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
    if (await tryAll(part)) continue;
    process.exitCode = 1;
    parts.length = 0;
  }
}

await Promise.all(Array.from({ length: values.jobs }, takeTurns));
