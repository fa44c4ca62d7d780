import { userInfo } from 'node:os';
import { basename } from 'node:path';
import { print, printJson } from '../terminal/print.ts';
import { formatTime } from '../units.ts';
import { contextOf, type RunsOptions } from './runsDirectory.ts';
import { useCase } from './useCases.ts';

export async function note(name: string, text: string | undefined, options: RunsOptions): Promise<void> {
  const context = contextOf(options);
  const run =
    text === undefined
      ? await (await useCase('showRun'))(context, { run: name })
      : await (await useCase('noteRun'))(context, { run: name, text }, userInfo().username);
  if (options.json) return printJson({ id: run.id, note: run.note });
  if (run.note) print(`${run.note.text}\n(${run.note.by}, ${formatTime(run.note.time)})`);
  else print(`${basename(run.path)} has no note`);
}
