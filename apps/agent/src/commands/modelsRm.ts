import { UserError } from '@anneal/core/errors';
import { listRuns } from '@anneal/core/trainer/runReader';
import { print, printJson } from '../terminal/print.ts';
import { contextOf, type RunsOptions } from './runsDirectory.ts';
import { useCase } from './useCases.ts';

export async function remove(model: string, options: RunsOptions & { yes?: boolean }): Promise<void> {
  const context = contextOf(options);
  const request = { model, runs: await listRuns(options.runsDir) };
  if (!options.yes) {
    const { folder } = await (await useCase('removableModel'))(context, request);
    throw new UserError({
      what: `this would remove ${folder}`,
      next: 'nothing was removed; add --yes to do it',
      code: 'confirmation_needed',
    });
  }
  const { folder } = await (await useCase('removeModel'))(context, request);
  if (options.json) printJson({ removed: folder });
  else print(`removed ${folder}`);
}
