/** Exporting on another machine, and bringing what was written here. */
import { UserError } from '@anneal/core/errors';
import type { StudioExport } from '@anneal/core/protocol/exports';
import { type DownloadProgress, downloadExport } from '../remote/download.ts';
import { followJob } from '../remote/jobs.ts';
import { runThere } from '../remote/names.ts';
import { notRemote } from '../remote/notRemote.ts';
import { finish } from '../service/finish.ts';
import { print, printJson, remark } from '../terminal/print.ts';
import { bar, ProgressLine } from '../terminal/progressLine.ts';
import { formatBytes } from '../units.ts';
import { type ExportOptions, printSizes, progressText, wantedForms } from './export.ts';
import { connected } from './remoteConnect.ts';

/** Into the run's export folder there, and from there to `--to` here, by default the current folder. */
export async function exportAndFetch(source: string, options: ExportOptions): Promise<void> {
  if (options.sizes) return printSizes(source, options);
  if (typeof options.imatrix === 'string') {
    const next = "give --imatrix without a file: the run's own rows are read there";
    throw notRemote('the agent reads no importance matrix of another machine', '--imatrix', next);
  }
  const { connection, signal } = connected();
  const { key: run } = await runThere(connection, source);
  const line = process.stderr.isTTY ? new ProgressLine(process.stderr) : undefined;
  const order = { ...wantedForms(options), run, checkpoint: options.checkpoint, check: options.check ?? false };
  const before = new Set((await listed(run)).map(madeOf));
  const { job } = await connection.ask((api) => api.exports.start.mutate({ ...order, gguf: [...order.gguf] }));
  await finish(followJob<'export'>(connection, job, signal), (progress) => line?.show(progressText(progress))).finally(
    () => line?.clear(),
  );
  const made = (await listed(run)).filter((one) => !before.has(madeOf(one)));
  await fetchHere(run, made, options);
  if (options.check) remark('the answers are compared there: `anneal exports ls` tells how it went');
}

/** What was exported already, brought here. @param paths as `anneal exports ls` shows them */
export async function get(name: string, paths: readonly string[], options: FetchOptions): Promise<void> {
  const { key: run } = await runThere(connected().connection, name);
  const all = await listed(run);
  const wanted = paths.map((path) => all.find(({ key }) => key === path) ?? notExported(path));
  await fetchHere(run, wanted, options);
}

interface FetchOptions {
  to?: string;
  json?: boolean;
}

async function fetchHere(
  run: string,
  exports: readonly StudioExport[],
  { to = '.', json }: FetchOptions,
): Promise<void> {
  const { connection, signal } = connected();
  const line = process.stderr.isTTY ? new ProgressLine(process.stderr) : undefined;
  const show = ({ file, done, total }: DownloadProgress) =>
    line?.show(`${bar(done / total, 20)}  ${formatBytes(done)} of ${formatBytes(total)}  ${file}`);
  const fetched = [];
  for (const exported of exports) {
    const { form, type, key } = exported;
    const download = downloadExport(connection.address, { run, exported, folder: to, signal });
    const files = await finish(download, show).finally(() => line?.clear());
    fetched.push({ form, type, key, files });
    if (!json)
      for (const { path, bytes } of files) print(`${form.padEnd(7)} ${formatBytes(bytes).padStart(8)}  ${path}`);
  }
  if (json) printJson(fetched);
}

function notExported(where: string): never {
  throw new UserError({
    what: 'the run was not exported as this',
    where,
    next: 'name it as `anneal exports ls` shows it',
    code: 'export_not_found',
  });
}

async function listed(run: string): Promise<StudioExport[]> {
  return connected().connection.ask((api) => api.exports.list.query({ run }));
}

const madeOf = ({ key, created }: StudioExport): string => `${created} ${key}`;
