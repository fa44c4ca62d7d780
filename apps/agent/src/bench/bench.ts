/** `anneal bench`: each row in a process of its own, so that its peak memory is its own. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { BenchRow } from '@anneal/core/bench/row';
import { cpuDevice } from '@anneal/core/device';
import { UserError } from '@anneal/core/errors';
import { resolveModelPath } from '@anneal/core/hub/resolve';
import type { BenchOptions } from '../commands/bench.ts';
import { print, printJson, remark } from '../terminal/print.ts';
import { formatTable } from '../terminal/table.ts';
import { formatNumber } from '../terminal/units.ts';
import { printData } from './data.ts';
import { printOps } from './ops.ts';

export async function bench(options: BenchOptions): Promise<void> {
  if (options.suite === 'ops') return printOps(options);
  const modelPath = modelOf(options);
  if (options.suite === 'data') return printData(modelPath, options);
  const rows = options.dtype ? await measure(modelPath, options, options.dtype) : await measureEach(['f32', 'bf16']);
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
    next: 'add --model smollm2-135m, a model folder or a .gguf file',
    code: 'option_missing',
  });
}

async function measure(modelPath: string, options: BenchOptions, dtype: 'f32' | 'bf16'): Promise<BenchRow[]> {
  const device = cpuDevice({ threads: options.threads });
  const { sequenceLen, loraR, activations, warmup, steps, newTokens } = options;
  if (options.suite === 'decode') {
    const { benchDecode } = await import('@anneal/core/bench/decode');
    return benchDecode({ modelPath, device, weightType: dtype, promptLength: sequenceLen, newTokens, repeats: steps });
  }
  const { benchSft } = await import('@anneal/core/bench/sft');
  const profile = options.profile ?? false;
  return [
    await benchSft({ modelPath, device, weightType: dtype, sequenceLen, loraR, activations, warmup, steps, profile }),
  ];
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
