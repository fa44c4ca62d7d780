import { basename } from 'node:path';
import { print, printJson } from '../terminal/print.ts';
import { contextOf, type RunsOptions } from './runsDirectory.ts';
import { useCase } from './useCases.ts';

export async function tag(
  name: string,
  add: readonly string[],
  options: RunsOptions & { remove?: readonly string[] },
): Promise<void> {
  const { remove = [], ...rest } = options;
  const context = contextOf(rest);
  const isChange = add.length + remove.length > 0;
  const run = isChange
    ? await (await useCase('tagRun'))(context, { run: name, add, remove })
    : await (await useCase('showRun'))(context, { run: name });
  if (options.json) return printJson({ id: run.id, tags: run.tags });
  print(run.tags.length > 0 ? run.tags.join(' ') : `${basename(run.path)} has no tags`);
}
