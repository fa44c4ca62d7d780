import { listRuns } from '@anneal/core/trainer/runReader';
import { finish } from '../service/finish.ts';
import { print, printHint, printJson } from '../terminal/print.ts';
import { formatTable } from '../terminal/table.ts';
import { formatBytes, formatCount } from '../units.ts';
import { contextOf, type RunsOptions } from './runsDirectory.ts';
import { useCase } from './useCases.ts';

export async function ls(paths: string[], options: RunsOptions): Promise<void> {
  const runs = await listRuns(options.runsDir);
  const listModels = await useCase('listModels');
  const models = await finish(listModels(contextOf(options), { paths, runs }));
  if (options.json) return printJson(models);
  if (models.length === 0) return printHint('no models are here: anneal pull fetches one');
  const rows = models.map((model) => [
    model.name,
    model.isWhole ? (model.architecture ?? (model.error ? 'cannot be opened' : '')) : 'not whole',
    model.parameters === null ? '' : formatCount(model.parameters),
    model.types[0] ?? '',
    formatBytes(model.bytes),
    model.license ?? '',
    String(model.runs.length || ''),
    model.path,
  ]);
  const titles = ['NAME', 'ARCHITECTURE', 'PARAMETERS', 'TYPE', 'SIZE', 'LICENSE', 'RUNS', 'PATH'];
  const right = new Set(['PARAMETERS', 'SIZE', 'RUNS']);
  print(
    formatTable(
      titles.map((title) => ({ title, align: right.has(title) ? 'right' : 'left' })),
      rows,
    ),
  );
}
