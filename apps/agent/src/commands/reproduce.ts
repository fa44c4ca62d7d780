import { reproduceRequest } from '@anneal/core/protocol/reproductions';
import type { Command } from 'commander';
import { addExamples } from './examples.ts';
import { optionFor } from './requestOption.ts';
import { addRunsDirectoryOption } from './runsDirectory.ts';

export function define(command: Command): void {
  const { until, into } = reproduceRequest.shape;
  addExamples(
    addRunsDirectoryOption(command)
      .argument('[run]', 'id of the run, its beginning or end, a path, or "latest"', 'latest')
      .addOption(optionFor(until, '--until <step>', 'the last step to repeat; default: that of the newest checkpoint'))
      .addOption(
        optionFor(into, '--into <folder>', 'keep the repetition as a run in this folder; default: a temporary one'),
      )
      .action(async (run: string, options) => (await import('./reproduceRun.ts')).reproduce(run, options)),
    'anneal reproduce latest',
    'anneal reproduce latest --until 100 --into repetitions',
  );
}
