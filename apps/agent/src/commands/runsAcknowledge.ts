import { userInfo } from 'node:os';
import { basename } from 'node:path';
import { printAlerts } from '../terminal/alerts.ts';
import { print, printJson } from '../terminal/print.ts';
import { contextOf, type RunsOptions } from './runsDirectory.ts';
import { useCase } from './useCases.ts';

export async function acknowledge(name: string, options: RunsOptions): Promise<void> {
  const acknowledgeAlerts = await useCase('acknowledgeAlerts');
  const run = await acknowledgeAlerts(contextOf(options), { run: name }, userInfo().username);
  if (options.json) return printJson(run);
  if (run.alerts.length === 0) print(`${basename(run.path)} has no alerts`);
  else printAlerts(run);
}
