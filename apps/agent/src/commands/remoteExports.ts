import type { Command } from 'commander';
import { addExamples } from './examples.ts';
import { define as defineHere } from './exports.ts';

/** As on this machine, and what was exported can be fetched. */
export function define(command: Command): void {
  defineHere(command);
  const summary = 'fetch an export of a run; what has arrived of an earlier try is kept';
  addExamples(
    command
      .command('get')
      .summary(summary)
      .description(summary)
      .argument('<run>', 'id of the run, its beginning or end, or "latest"')
      .argument('<path...>', 'as `anneal remote exports ls` shows them')
      .option('--to <folder>', 'the folder here to put it into', '.')
      .action(async (run: string, paths: string[], options: { to?: string; json?: boolean }) =>
        (await import('./remoteExport.ts')).get(run, paths, options),
      ),
    'anneal remote exports get latest starter/runs/20260131-142500-lora-16/export/step-60/merged --to ./models',
  );
}
