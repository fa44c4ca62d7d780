import { UserError } from '@anneal/core/errors';
import { listRuns } from '@anneal/core/trainer/runReader';
import { removableModel, removeModel } from '../service/models/remove.ts';
import { print, printJson } from '../terminal/print.ts';
import { contextOf, type RunsOptions } from './runsDirectory.ts';

export async function remove(model: string, options: RunsOptions & { yes?: boolean }): Promise<void> {
  const context = contextOf(options);
  const request = { model, runs: await listRuns(options.runsDir) };
  if (!options.yes) {
    throw new UserError({
      what: `this would remove ${removableModel(context, request).folder}`,
      next: 'nothing was removed; add --yes to do it',
      code: 'confirmation_needed',
    });
  }
  const { folder } = removeModel(context, request);
  if (options.json) printJson({ removed: folder });
  else print(`removed ${folder}`);
}
