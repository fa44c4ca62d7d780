/**
 * Trains one epoch on rows of a file, with a model of random weights, and keeps how many rows it takes in a second: eight rows a step,
 * and packed. On the GPU host, with an unpacked bundle:
 *   BUNDLE/bin/node bench/realRows.ts --anneal BUNDLE/anneal --commit COMMIT --to h100.json --data alpaca.json \
 *     --model FOLDER (see peers/random_model.py) --tokenizer FOLDER --shape llama-3.1-8b [--quantization nf4]
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { readArguments, required } from './arguments.ts';
import { GpuResults, type Row } from './gpuResults.ts';

const { values } = readArguments({
  command: 'node bench/realRows.ts',
  about: 'Measures training on the rows of a file on a GPU; adds its results to the file after --to.',
  options: {
    anneal: required,
    commit: required,
    to: required,
    data: required,
    model: required,
    tokenizer: required,
    shape: required,
    quantization: 'none',
  },
});
const warmup = 5;

const isTokenizer = (name: string): boolean => /tokenizer|^chat_template/.test(name);

interface Event {
  readonly type: string;
  readonly [key: string]: unknown;
}

const results = new GpuResults(values.to);
const folder = mkdtempSync(join(tmpdir(), 'anneal-real-rows-'));
try {
  for (const packed of [false, true]) {
    const row = measure(packed);
    results.add(row);
    console.log(row['name'], values.shape, values.quantization, row['rowsPerSecond'], 'rows/s, spread', row['spread']);
  }
} finally {
  rmSync(folder, { recursive: true });
}

function measure(packed: boolean): Row {
  const documents = packed ? 2 : 8;
  const recipe = {
    base_model: modelFolder(),
    adapter: values.quantization === 'nf4' ? 'qlora' : 'lora',
    lora_r: 16,
    lora_target_linear: true,
    datasets: [{ path: resolve(values.data) }],
    val_set_size: 0,
    sequence_len: 2048,
    sample_packing: packed,
    micro_batch_size: documents,
    gradient_accumulation_steps: 1,
    num_epochs: 1,
    logging_steps: 1,
    saves_per_epoch: 0,
    evals_per_epoch: 0,
    output_dir: folder,
  };
  const path = join(folder, 'recipe.yaml');
  writeFileSync(path, JSON.stringify(recipe)); // which is YAML
  const { status, stdout, stderr } = spawnSync(values.anneal, ['train', path, '--json', '--set', 'device=cuda'], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  if (status !== 0) throw new Error(`anneal train ended with ${status}: ${stderr || stdout}`);
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Event);
  const prepared = events.find(({ type }) => type === 'data_prepared') as Event & { rows: number; tokens: number };
  const steps = events.filter(({ type }) => type === 'step').slice(warmup) as (Event & {
    tokens: number;
    milliseconds: number;
  })[];
  if (steps.length < 10) throw new Error(`${values.data} has too few rows: ${steps.length} steps after ${warmup}`);
  const milliseconds = steps.map((step) => step.milliseconds).sort((a, b) => a - b);
  const tokens = sum(steps.map((step) => step.tokens));
  const tokensPerSecond = (tokens / sum(milliseconds)) * 1000;
  const median = milliseconds[milliseconds.length >> 1] as number;
  return {
    name: `train ${prepared.rows} rows of ${basename(values.data)}, ${packed ? 'packed to 2 x 2048' : '8 a step'}`,
    commit: values.commit,
    device: results.gpu,
    dtype: 'bf16',
    suite: 'train',
    loraR: recipe.lora_r,
    shape: values.shape,
    quantization: values.quantization,
    rows: packed ? 'packed' : documents,
    steps: steps.length,
    medianMsPerStep: median,
    spread: ((milliseconds.at(-1) as number) - (milliseconds[0] as number)) / median,
    tokensPerStep: tokens / steps.length,
    tokensPerSecond,
    rowsPerSecond: (tokensPerSecond * prepared.rows) / prepared.tokens,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** The model's weights beside the tokenizer's files, by links. */
function modelFolder(): string {
  const both = mkdtempSync(join(folder, 'model-'));
  for (const name of readdirSync(values.model).filter((file) => !isTokenizer(file)))
    symlinkSync(resolve(values.model, name), join(both, name));
  for (const name of readdirSync(values.tokenizer).filter(isTokenizer))
    symlinkSync(resolve(values.tokenizer, name), join(both, name));
  return both;
}
