/**
 * Measures a GPU and its peers in one run and keeps the rows. It needs this folder and no checkout: on the GPU host, with an unpacked bundle,
 *   BUNDLE/bin/node bench/recordCuda.ts --anneal BUNDLE/anneal --commit COMMIT --to h100.json [--python python3 --peers bench/peers] [--only TEXT]
 * Each row is a process of its own. The file is written after every row, so that a run that is cut off keeps what it measured;
 * a row that fails stands in it with what it said. --only takes the rows whose name contains the text, --skip leaves them out.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { optional, readArguments, required } from './arguments.ts';
import { GpuResults, type Row } from './gpuResults.ts';

interface Setup {
  readonly shape: string;
  readonly rows: number;
  readonly sequenceLen: number;
  readonly options: readonly string[];
  /** Answers to a prompt of `sequenceLen` tokens instead of steps: one, or `rows` of them sampled beside each other. */
  readonly suite?: 'decode' | 'rollouts';
  /** Steps before measuring, and measured, where these are not the usual numbers. */
  readonly warmup?: number;
  readonly steps?: number;
}

const nf4 = ['--quantization', 'nf4'];
const keep = ['--activations', 'keep'];
const recompute = ['--activations', 'recompute'];
const offload = ['--activations', 'offload'];
const full = ['--lora-r', '0', '--optimizer', 'adamw_8bit'];

/** Ours, in the order in which a short run should have them. */
const ours: readonly Setup[] = [
  { shape: 'qwen3-0.6b', rows: 2, sequenceLen: 2048, options: keep },
  { shape: 'qwen3-0.6b', rows: 2, sequenceLen: 2048, options: recompute },
  { shape: 'llama-3.1-8b', rows: 2, sequenceLen: 2048, options: keep },
  { shape: 'llama-3.1-8b', rows: 2, sequenceLen: 2048, options: recompute },
  { shape: 'qwen3-0.6b', rows: 2, sequenceLen: 2048, options: offload },
  { shape: 'llama-3.1-8b', rows: 2, sequenceLen: 2048, options: offload },
  { shape: 'qwen3-0.6b', rows: 8, sequenceLen: 2048, options: keep },
  { shape: 'qwen3-0.6b', rows: 8, sequenceLen: 512, options: keep },
  { shape: 'qwen3-0.6b', rows: 32, sequenceLen: 128, options: keep },
  { shape: 'qwen3-0.6b', rows: 8, sequenceLen: 177, options: keep },
  { shape: 'qwen3-0.6b', rows: 2, sequenceLen: 2048, options: [...keep, '--dora'] },
  { shape: 'llama-3.1-8b', rows: 2, sequenceLen: 2048, options: [...keep, '--dora'] },
  { shape: 'qwen3-0.6b', rows: 2, sequenceLen: 2048, options: [...keep, '--lora-r', '0'] },
  { shape: 'qwen3-0.6b', rows: 2, sequenceLen: 2048, options: [...keep, ...full] },
  { shape: 'qwen3-0.6b', rows: 8, sequenceLen: 2048, options: [...keep, ...full] },
  { shape: 'qwen3-1.7b', rows: 2, sequenceLen: 2048, options: keep },
  { shape: 'qwen3-1.7b', rows: 2, sequenceLen: 2048, options: [...keep, ...full] },
  { shape: 'qwen3-14b', rows: 2, sequenceLen: 2048, options: recompute },
  { shape: 'llama-3.1-8b', rows: 1, sequenceLen: 32768, options: offload, steps: 4 },
  { shape: 'qwen3-0.6b', rows: 2, sequenceLen: 2048, options: [...keep, ...nf4] },
  { shape: 'qwen3-0.6b', rows: 2, sequenceLen: 2048, options: [...recompute, ...nf4] },
  { shape: 'qwen3-0.6b', rows: 2, sequenceLen: 2048, options: [...offload, ...nf4] },
  { shape: 'llama-3.1-8b', rows: 2, sequenceLen: 2048, options: [...keep, ...nf4] },
  { shape: 'llama-3.1-8b', rows: 2, sequenceLen: 2048, options: [...recompute, ...nf4] },
  { shape: 'llama-3.1-8b', rows: 2, sequenceLen: 2048, options: [...offload, ...nf4] },
  { shape: 'llama-3.1-8b', rows: 1, sequenceLen: 32768, options: [...offload, ...nf4], steps: 4 },
  { shape: 'qwen3-14b', rows: 2, sequenceLen: 2048, options: [...keep, ...nf4] },
  { shape: 'qwen3-32b', rows: 2, sequenceLen: 2048, options: [...keep, ...nf4] },
  { shape: 'qwen3-30b-a3b', rows: 2, sequenceLen: 2048, options: recompute, steps: 10 },
  { shape: 'qwen3-30b-a3b', rows: 2, sequenceLen: 2048, options: [...keep, ...nf4], steps: 10 },
  { shape: 'qwen3-30b-a3b', rows: 2, sequenceLen: 2048, options: [...recompute, ...nf4], steps: 10 },
  ...['gemma-3-4b', 'gemma-2-2b', 'gemma-4-e2b', 'phi-4-mini', 'smollm3-3b', 'qwen3.5-4b', 'lfm2-1.2b'].map(inKeep),
  ...['granite-4.0-h-micro', 'gpt-oss-20b', 'moonlight-16b-a3b'].map(inKeep),
  { ...inKeep('gpt-oss-20b'), options: [...keep, ...nf4] },
  { ...inKeep('qwen3.5-35b-a3b'), options: [...keep, ...nf4] },
  { suite: 'decode', shape: 'gemma-4-e2b', rows: 1, sequenceLen: 512, options: [], steps: 5 },
  { suite: 'decode', shape: 'qwen3.5-4b', rows: 1, sequenceLen: 512, options: [], steps: 5 },
  { suite: 'decode', shape: 'qwen3-0.6b', rows: 1, sequenceLen: 512, options: [], steps: 5 },
  { suite: 'decode', shape: 'qwen3-0.6b', rows: 1, sequenceLen: 8192, options: [], steps: 5 },
  { suite: 'decode', shape: 'llama-3.1-8b', rows: 1, sequenceLen: 512, options: [], steps: 5 },
  { suite: 'decode', shape: 'qwen3-0.6b', rows: 1, sequenceLen: 512, options: nf4, steps: 5 },
  { suite: 'decode', shape: 'llama-3.1-8b', rows: 1, sequenceLen: 512, options: nf4, steps: 5 },
  { suite: 'decode', shape: 'qwen3-30b-a3b', rows: 1, sequenceLen: 512, options: nf4, steps: 5 },
  ...[8, 32, 64].flatMap((rows): Setup[] => {
    const rollouts = { suite: 'rollouts', rows, sequenceLen: 256, steps: 5 } as const;
    return [
      { ...rollouts, shape: 'qwen3-0.6b', options: [] },
      { ...rollouts, shape: 'qwen3-0.6b', options: ['--lora-r', '0'] },
      { ...rollouts, shape: 'llama-3.1-8b', options: [] },
      { ...rollouts, shape: 'llama-3.1-8b', options: ['--lora-r', '0'] },
      { ...rollouts, shape: 'llama-3.1-8b', options: nf4 },
      ...['qwen3.5-4b', 'granite-4.0-h-micro', 'lfm2-1.2b'].map((shape) => ({ ...rollouts, shape, options: [] })),
    ];
  }),
  { shape: 'llama-3.1-8b', rows: 1, sequenceLen: 65_536, options: [...offload, ...nf4], warmup: 0, steps: 1 },
  { shape: 'llama-3.1-8b', rows: 1, sequenceLen: 131_072, options: [...offload, ...nf4], warmup: 0, steps: 1 },
];

/** Two documents of 2,048 tokens. */
function inKeep(shape: string): Setup {
  return { shape, rows: 2, sequenceLen: 2048, options: keep, steps: 10 };
}

const huggingFace = 'sft.py';
const unsloth = 'unsloth_sft.py';

const peers: readonly (Setup & { readonly script: string })[] = [
  { script: huggingFace, shape: 'qwen3-0.6b', rows: 2, sequenceLen: 2048, options: [] },
  { script: huggingFace, shape: 'qwen3-0.6b', rows: 2, sequenceLen: 2048, options: ['--compile'] },
  { script: unsloth, shape: 'qwen3-0.6b', rows: 2, sequenceLen: 2048, options: keep },
  { script: unsloth, shape: 'qwen3-0.6b', rows: 2, sequenceLen: 2048, options: recompute },
  { script: unsloth, shape: 'qwen3-0.6b', rows: 2, sequenceLen: 2048, options: [...keep, ...nf4] },
  { script: unsloth, shape: 'llama-3.1-8b', rows: 2, sequenceLen: 2048, options: keep },
  { script: unsloth, shape: 'llama-3.1-8b', rows: 2, sequenceLen: 2048, options: [...keep, ...nf4] },
  { script: unsloth, shape: 'llama-3.1-8b', rows: 2, sequenceLen: 2048, options: [...recompute, ...nf4] },
  { script: huggingFace, shape: 'llama-3.1-8b', rows: 2, sequenceLen: 2048, options: [] },
  { script: huggingFace, shape: 'llama-3.1-8b', rows: 2, sequenceLen: 2048, options: ['--compile'] },
  ...['gemma-3-4b', 'gemma-4-e2b', 'qwen3.5-4b', 'phi-4-mini'].flatMap((shape) =>
    [[], ['--compile']].map((options) => ({ script: huggingFace, shape, rows: 2, sequenceLen: 2048, options })),
  ),
];

const { values } = readArguments({
  command: 'node bench/recordCuda.ts',
  about: 'Measures a GPU, beside the peers that are given; writes the rows to the file after --to.',
  options: {
    anneal: required,
    commit: required,
    to: required,
    python: optional,
    peers: optional,
    only: '',
    skip: optional,
    steps: 20,
    timeout: 300,
  },
});
const { anneal, commit, to, python } = values;

const results = new GpuResults(to);

for (const setup of ours) {
  if (!isWanted(nameOf(setup))) continue;
  const counts = ['--warmup', String(setup.warmup ?? 3), '--steps', String(setup.steps ?? values.steps)];
  const what = setup.suite ? ['--suite', setup.suite, '--new-tokens', '128'] : ['--profile'];
  const args = ['bench', '--device', 'cuda', '--json', ...what, ...counts];
  measure(nameOf(setup), [anneal, ...args, '--dtype', 'bf16', ...shapeOf(setup)]);
}
if (python && values.peers)
  for (const setup of peers) {
    const name = `peer ${setup.script} ${nameOf(setup)}`;
    if (!isWanted(name)) continue;
    const device = setup.script === huggingFace ? ['--device', 'cuda', '--dtype', 'bf16'] : []; // Unsloth knows no other
    measure(name, [
      python,
      join(values.peers, setup.script),
      ...device,
      '--steps',
      String(values.steps),
      ...shapeOf(setup),
    ]);
  }

function isWanted(name: string): boolean {
  return name.includes(values.only) && !(values.skip !== undefined && name.includes(values.skip));
}

function nameOf({ suite, shape, rows: documents, sequenceLen, options }: Setup): string {
  return [...(suite ? [suite] : []), shape, `${documents}x${sequenceLen}`, ...options].join(' ');
}

function shapeOf({ shape, rows: documents, sequenceLen, options }: Setup): string[] {
  return ['--shape', shape, '--rows', String(documents), '--sequence-len', String(sequenceLen), ...options];
}

/** Runs one setup; its row, or what it said instead, goes into the file. */
function measure(name: string, [command, ...args]: string[]): void {
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(command as string, args, {
    encoding: 'utf8',
    timeout: values.timeout * 1000,
    maxBuffer: 1 << 26,
  });
  const said = status === null ? `no end within ${values.timeout} s` : lastLines(stderr || stdout);
  const row = status === 0 ? rowIn(stdout) : { failed: said, status };
  results.add({ name, commit, seconds: Math.round((performance.now() - start) / 1000), ...row });
  const { tokensPerSecond, peakGb, spread, failed } = row as Record<string, number | undefined>;
  const figures = `${tokensPerSecond?.toFixed(0)} tok/s, ${peakGb?.toFixed(2)} GB, spread ${spread?.toFixed(3)}`;
  console.log(`${name}: ${failed ?? figures}`);
}

/** Ours prints a list of rows, of which the last is meant, a peer one row a line. */
function rowIn(text: string): Row {
  const start = text.search(/^(\[|\{"suite")/m);
  const parsed = JSON.parse(text.slice(start)) as Row | Row[];
  return Array.isArray(parsed) ? (parsed.at(-1) as Row) : parsed;
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-4).join(' | ').slice(-600);
}
