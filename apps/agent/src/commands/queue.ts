import { concurrencySchema } from '@anneal/core/protocol/queue';
import { type Command, createArgument } from 'commander';
import { z } from 'zod';
import { type AgentFolderOptions, agentSubcommands } from './agentFolder.ts';
import { addExamples } from './examples.ts';
import { numberFrom } from './requestOption.ts';

const runArgument = 'id of the run, its beginning or end, or its path';

const verbs = () => import('./queueVerbs.ts');

/** What they do is in one file beside this one, imported when one is run. */
export function define(command: Command): void {
  const subcommand = agentSubcommands(command, 'the folder that the agent serves, or one below it');
  addExamples(
    subcommand('ls', 'list the runs that wait, by device, and what trains there').action(
      async (options: AgentFolderOptions) => (await verbs()).ls(options),
    ),
    'anneal queue ls',
  );
  addExamples(
    subcommand('move', 'move a run to another place among those that wait for its device')
      .argument('<run>', runArgument)
      .addArgument(createArgument('<place>', '1 begins next').argParser(numberFrom(z.int().min(1))))
      .action(async (run: string, place: number, options: AgentFolderOptions) =>
        (await verbs()).move(run, place, options),
      ),
    'anneal queue move lora-16 1',
  );
  addExamples(
    subcommand('assign', 'let a run that has not begun wait for another device')
      .argument('<run>', runArgument)
      .argument('<device>', 'cpu, cuda:0, …')
      .action(async (run: string, device: string, options: AgentFolderOptions) =>
        (await verbs()).assign(run, device, options),
      ),
    'anneal queue assign lora-16 cpu',
  );
  addExamples(
    subcommand('rm', 'take a run out of the queue; it stays and can be resumed')
      .argument('<run>', runArgument)
      .action(async (run: string, options: AgentFolderOptions) => (await verbs()).remove(run, options)),
    'anneal queue rm lora-16',
  );
  addExamples(
    subcommand('set', 'set how many runs a device trains at a time')
      .argument('<device>', 'cpu, cuda:0, …')
      .addArgument(
        createArgument('<runs>', 'how many at a time; 0: begin none').argParser(numberFrom(concurrencySchema)),
      )
      .action(async (device: string, runs: number, options: AgentFolderOptions) =>
        (await verbs()).set(device, runs, options),
      ),
    'anneal queue set cuda:0 2',
  );
  addExamples(command, 'anneal queue ls', 'anneal queue move lora-16 1');
}
