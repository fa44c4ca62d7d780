/**
 * `npm run fuzz -- NAME … [--count N] [--seed N]`: many more inputs than `npm test` tries. The first that is neither read nor refused by an
 * error for people ends it, with the seed that makes it again. It is no part of `npm test`, which tries a few of each.
 */
import { spawnSync } from 'node:child_process';
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
  run: ['packages/core/src/trainer/runFuzz.test.ts', 'damaged runs'],
  safetensors: ['packages/formats/test/fuzz.test.ts', 'of safetensors'],
  gguf: ['packages/formats/test/fuzz.test.ts', 'of GGUF'],
  messages: ['apps/agent/test/malformed.test.ts', 'messages of sockets'],
  requests: ['apps/agent/test/malformed.test.ts', 'requests of every route'],
};

const { names, values } = readArguments({
  command: 'npm run fuzz --',
  about: `Tries many inputs, of all readers or of those that are named: ${Object.keys(fuzzers).join(', ')}.`,
  others: 'NAME',
  options: { count: 10_000, seed: 1 },
});
const unknown = names.find((name) => !(name in fuzzers));
if (unknown !== undefined) {
  console.error(`error: no fuzzer is called '${unknown}', only ${Object.keys(fuzzers).join(', ')}`);
  process.exit(2);
}

const root = join(import.meta.dirname, '..');
/** In memory where there is such a folder: on a disk most of the time goes into syncing files that nobody keeps. */
const temporary = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
for (const name of names.length > 0 ? names : Object.keys(fuzzers)) {
  const [file, test] = fuzzers[name] as readonly [string, string];
  console.log(`${name}: ${values.count} inputs from seed ${values.seed}`);
  const { status } = spawnSync(process.execPath, [vitest, 'run', file, '-t', test], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, TMPDIR: temporary, FUZZ_RUNS: String(values.count), FUZZ_SEED: String(values.seed) },
  });
  if (status !== 0) process.exit(1);
}
