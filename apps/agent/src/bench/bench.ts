/** `anneal bench`: each row in a process of its own, so that its peak memory is its own. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { BenchRow } from '@anneal/core/bench/row';
import { chooseDevice } from '@anneal/core/device';
import { UserError } from '@anneal/core/errors';
import { resolveModelPath } from '@anneal/core/hub/resolve';
import type { OpenModel } from '@anneal/core/models/model';
import type { BenchOptions } from '../commands/bench.ts';
import { print, printJson, remark } from '../terminal/print.ts';
import { formatTable } from '../terminal/table.ts';
import { formatNumber } from '../terminal/units.ts';
import { printData } from './data.ts';
import { printOps } from './ops.ts';

export async function bench(options: BenchOptions): Promise<void> {
  if (options.suite === 'sft' && options.quantization === 'nf4' && options.loraR === 0)
    throw new UserError({
      what: 'weights in 4 bits cannot be trained themselves',
      next: 'add --lora-r 16, or leave --quantization out',
      code: 'option_wrong',
    });
  if (options.suite === 'ops') return printOps(options);
  if (options.suite === 'data') return printData(modelOf(options), options);
  if (options.shape === undefined) modelOf(options);
  const rows = options.dtype ? await measure(options, options.dtype) : await measureEach(['f32', 'bf16']);
  if (options.json) return printJson(rows);
  print(
    formatTable(
      [
        { title: 'SUITE' },
        { title: 'MODEL' },
        { title: 'TYPE' },
        { title: 'TOKENS', align: 'right' },
        { title: 'TOKENS/S', align: 'right' },
        { title: 'MS', align: 'right' },
        { title: 'SPREAD', align: 'right' },
        { title: 'PEAK GB', align: 'right' },
        { title: 'DEVICE' },
      ],
      rows.map((row) => [
        row.suite,
        row.shape,
        row.dtype,
        String(row.sequenceLen),
        row.tokensPerSecond.toFixed(1),
        row.msPerStep.toFixed(1),
        `${(100 * row.spread).toFixed(0)} %`,
        row.peakGb.toFixed(2),
        row.device,
      ]),
    ),
  );
  for (const row of rows) printProfile(row);
}

function modelOf({ suite, model }: BenchOptions): string {
  if (model !== undefined) return resolveModelPath(model);
  throw new UserError({
    what: `the suite ${suite} needs a model`,
    next: 'add --model smollm2-135m, a model folder or a .gguf file, or for sft and decode --shape',
    code: 'option_missing',
  });
}

async function measure(options: BenchOptions, dtype: 'f32' | 'bf16'): Promise<BenchRow[]> {
  const device = chooseDevice(options.device, { threads: options.threads });
  const { rows, sequenceLen, loraR, quantization, activations, warmup, steps, newTokens } = options;
  const model = await openWeights(options);
  if (options.suite === 'decode') {
    const { benchDecode } = await import('@anneal/core/bench/decode');
    return benchDecode({
      model,
      device,
      weightType: dtype,
      quantization,
      promptLength: sequenceLen,
      newTokens,
      repeats: steps,
    });
  }
  const { benchSft } = await import('@anneal/core/bench/sft');
  const profile = options.profile ?? false;
  return [
    await benchSft({
      model,
      device,
      weightType: dtype,
      quantization,
      rows,
      sequenceLen,
      loraR,
      activations,
      warmup,
      steps,
      profile,
    }),
  ];
}

async function openWeights(options: BenchOptions): Promise<OpenModel> {
  if (options.shape === undefined) {
    const { openModel } = await import('@anneal/core/models/open');
    return openModel(modelOf(options));
  }
  const { randomModel, shapes } = await import('@anneal/core/bench/shapes');
  if (options.shape in shapes) return randomModel(options.shape);
  throw new UserError({
    what: `there is no shape ${options.shape}`,
    next: `choose one of ${Object.keys(shapes).join(', ')}, or give a model with --model`,
    code: 'option_wrong',
  });
}

/** This very command again, once for each type. */
async function measureEach(dtypes: readonly ('f32' | 'bf16')[]): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const dtype of dtypes) {
    const args = [...process.argv.slice(1).filter((arg) => arg !== '--json'), '--dtype', dtype, '--json'];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { maxBuffer: 1 << 26 });
    if (stderr) remark(stderr.trimEnd());
    rows.push(...(JSON.parse(stdout) as BenchRow[]));
  }
  return rows;
}

function printProfile(row: BenchRow): void {
  const profile = row['profile'] as { op: string; msPerStep: number; launches: number }[] | undefined;
  if (!profile) return;
  print(`\n${row.dtype}, milliseconds of a step by op`);
  print(
    formatTable(
      [{ title: 'OP' }, { title: 'MS', align: 'right' }, { title: 'LAUNCHES', align: 'right' }],
      profile
        .toSorted((a, b) => b.msPerStep - a.msPerStep)
        .map(({ op, msPerStep, launches }) => [op, msPerStep.toFixed(2), formatNumber(launches)]),
    ),
  );
}
