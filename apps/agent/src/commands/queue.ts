import { concurrencySchema } from '@anneal/core/protocol/queue';
import { type Command, createArgument } from 'commander';
import { z } from 'zod';
import { addExamples } from './examples.ts';
import { numberFrom } from './requestOption.ts';

export interface QueueFolderOptions {
  folder: string;
  json?: boolean;
}

const runArgument = 'id of the run, its beginning or end, or its path';

const verbs = () => import('./queueVerbs.ts');

/** What they do is in one file beside this one, imported when one is run. */
export function define(command: Command): void {
  const subcommand = (name: string, summary: string): Command =>
    command
      .command(name)
      .summary(summary)
      .description(summary)
      .option('--folder <folder>', 'the folder that the agent serves, or one below it', '.');
  addExamples(
    subcommand('ls', 'list the runs that wait, by device, and what trains there').action(
      async (options: QueueFolderOptions) => (await verbs()).ls(options),
    ),
    'anneal queue ls',
  );
  addExamples(
    subcommand('move', 'move a run to another place among those that wait for its device')
      .argument('<run>', runArgument)
      .addArgument(createArgument('<place>', '1 begins next').argParser(numberFrom(z.int().min(1))))
      .action(async (run: string, place: number, options: QueueFolderOptions) =>
        (await verbs()).move(run, place, options),
      ),
    'anneal queue move lora-16 1',
  );
  addExamples(
    subcommand('rm', 'take a run out of the queue; it stays and can be resumed')
      .argument('<run>', runArgument)
      .action(async (run: string, options: QueueFolderOptions) => (await verbs()).remove(run, options)),
    'anneal queue rm lora-16',
  );
  addExamples(
    subcommand('set', 'set how many runs a device trains at a time')
      .argument('<device>', 'cpu, cuda:0, …')
      .addArgument(createArgument('<runs>', '0: begin none').argParser(numberFrom(concurrencySchema)))
      .action(async (device: string, runs: number, options: QueueFolderOptions) =>
        (await verbs()).set(device, runs, options),
      ),
    'anneal queue set cuda:0 2',
  );
  addExamples(command, 'anneal queue ls', 'anneal queue move lora-16 1');
}
