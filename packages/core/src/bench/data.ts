import { basename } from 'node:path';
import { openFormat } from '../datasets/formats/index.ts';
import { processRows } from '../datasets/processRows.ts';
import { openSource } from '../datasets/read.ts';
import { openModelText } from '../generate/modelText.ts';
import { openModel } from '../models/open.ts';
import { peakGigabytes } from './row.ts';

export interface DataBenchRow {
  readonly suite: 'data';
  readonly shape: string;
  readonly rows: number;
  /** From opening the file to knowing its rows. */
  readonly openMs: number;
  /** 100 rows from the middle. */
  readonly pageMs: number;
  /** Rendered text, of at most `maxRows` rows. */
  readonly megabytes: number;
  readonly tokens: number;
  /** Rendering, tokenizing and judging, by the clock and by processor time: the second is what one core does. */
  readonly megabytesPerSecond: number;
  readonly megabytesPerCoreSecond: number;
  readonly tokensPerSecond: number;
  readonly peakGb: number;
}

export interface DataBenchOptions {
  readonly modelPath: string;
  readonly file: string;
  readonly maxRows: number;
}

/** What the data path makes of a file: opening and paging it, and the way from rows to tokens. */
export async function benchData({ modelPath, file, maxRows }: DataBenchOptions): Promise<DataBenchRow> {
  const model = openModel(modelPath);
  const { tokenizer, renderer } = openModelText(model);
  model.close();
  const opening = performance.now();
  const source = await openSource(file);
  const openMs = performance.now() - opening;
  const paging = performance.now();
  const middle = await source.page(source.rowCount >> 1, 100);
  const pageMs = performance.now() - paging;
  const reader = openFormat(
    'auto',
    middle.map((row) => row.value),
    {},
    file,
  );
  const mask = { rolesToTrain: ['assistant'], trainOnEos: 'turn' } as const;
  const processing = { reader, renderer, tokenizer, mask, sequenceLen: 1 << 20, excessLength: 'drop' } as const;

  let bytes = 0;
  let tokens = 0;
  let rows = 0;
  const start = performance.now();
  const before = process.cpuUsage();
  for await (const page of source.rows(256)) {
    for (const row of await processRows(processing, page)) {
      bytes += Buffer.byteLength(row.rendered?.text ?? '');
      tokens += row.encoded?.ids.length ?? 0;
    }
    rows += page.length;
    if (rows >= maxRows) break;
  }
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(before);
  await source.close();
  return {
    suite: 'data',
    shape: basename(file),
    rows: source.rowCount,
    openMs,
    pageMs,
    megabytes: bytes / 1e6,
    tokens,
    megabytesPerSecond: bytes / 1e6 / seconds,
    megabytesPerCoreSecond: bytes / (user + system),
    tokensPerSecond: tokens / seconds,
    peakGb: peakGigabytes(),
  };
}
