import { join, relative } from 'node:path';
import { verdictOf } from '@anneal/core/protocol/parity';
import { print, printHint, printJson } from '../terminal/print.ts';
import { formatTable } from '../terminal/table.ts';
import { formatBytes } from '../units.ts';
import { contextOf, type RunsOptions } from './runsDirectory.ts';
import { useCase } from './useCases.ts';

export async function ls(run: string, options: RunsOptions): Promise<void> {
  const listExports = await useCase('listExports');
  const exports = await listExports(contextOf(options), { run });
  if (options.json) return printJson(exports);
  if (exports.length === 0) return printHint('nothing was exported: see anneal export --help');
  const rows = exports.map(({ form, type, folder, path, files, run: origin, parity }) => [
    form,
    type ?? '',
    String(origin?.step ?? ''),
    formatBytes(files.reduce((sum, { bytes }) => sum + bytes, 0)),
    parity ? verdictOf(parity).replace('_', ' ') : 'not checked',
    relative('.', join(folder, path)),
  ]);
  const titles = ['FORM', 'TYPE', 'STEP', 'SIZE', 'ANSWERS', 'PATH'];
  print(
    formatTable(
      titles.map((title) => ({ title, align: title === 'STEP' || title === 'SIZE' ? 'right' : 'left' })),
      rows,
    ),
  );
}
