/**
 * Measures this machine and its peers in one run and keeps the rows:
 * `node bench/record.ts NAME --model PATH.gguf [--data ROWS.jsonl] [--python PYTHON] [--llama-cpp NODE_MODULES]`.
 * Peers that are not given are left out. Writes bench/results/NAME.json; run it on an otherwise idle machine, from a clean commit.
 */
import { execFileSync } from 'node:child_process';
import { globSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { optional, readArguments, required } from './arguments.ts';
import { writeResults } from './results.ts';

type Row = Record<string, unknown> & { suite: string; dtype?: string; tokensPerSecond: number };

const folder = dirname(fileURLToPath(import.meta.url));
const { names, values } = readArguments({
  command: 'node bench/record.ts',
  about:
    'Measures training, prompts, decoding and data, beside the peers that are given; writes bench/results/NAME.json.',
  names: ['NAME'],
  options: { model: required, data: optional, python: optional, 'llama-cpp': optional },
});
const [name] = names as [string];
const { model } = values;
const main = join(folder, '../apps/agent/bin/anneal.mjs');

/** Everyone's, as `anneal bench` takes them. */
const threads = String(availableParallelism());
const rows: Row[] = [];
const llamaCpp = values['llama-cpp'] && { modules: values['llama-cpp'], gguf: f16Model() };
for (const dtype of ['f32', 'bf16']) {
  rows.push(...anneal('--suite', 'sft', '--sequence-len', '512', '--lora-r', '16', '--dtype', dtype));
  if (values.python)
    rows.push(...run(values.python, join(folder, 'peers/sft.py'), '--dtype', dtype, '--threads', threads));
}
for (const promptLength of ['16', '512']) {
  rows.push(...anneal('--suite', 'decode', '--dtype', 'bf16', '--sequence-len', promptLength));
  if (llamaCpp) {
    const { modules, gguf } = llamaCpp;
    const peer = join(folder, 'peers/llamaCpp.mjs');
    rows.push(...run(process.execPath, peer, modules, gguf, threads, promptLength, '64', '10'));
  }
}
if (values.data) rows.push(...anneal('--suite', 'data', '--data', values.data));

const path = writeResults(name, { rows });
for (const row of rows)
  console.log(row.suite, row.dtype ?? '', row.peer ?? 'anneal', row.tokensPerSecond.toFixed(1), 'tok/s');
console.log(path);

function anneal(...options: string[]): Row[] {
  return JSON.parse(
    execFileSync(process.execPath, [main, 'bench', '--model', model as string, '--json', ...options], {
      encoding: 'utf8',
    }),
  ) as Row[];
}

/** A peer prints one JSON row a line. */
function run(command: string, ...options: string[]): Row[] {
  const output = execFileSync(command, options, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  return output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Row);
}

/** llama.cpp is compared in f16, which is what its users run; ours in bf16 has as many bytes. */
function f16Model(): string {
  const target = mkdtempSync(join(tmpdir(), 'anneal-bench-'));
  process.on('exit', () => rmSync(target, { recursive: true }));
  execFileSync(process.execPath, [main, 'export', model as string, '--gguf', 'f16', '--to', target]);
  return globSync(join(target, '**/*F16.gguf'))[0] as string;
}
