import { prioritySchema } from '@anneal/core/protocol/queue';
import type { Command } from 'commander';
import { optionFor } from './requestOption.ts';

/** `--queue` and `--priority` of what starts a run. */
export function addQueueOptions(command: Command): Command {
  return command
    .option('--queue', 'wait until the device has room: the agent that serves this folder starts the run')
    .addOption(optionFor(prioritySchema, '--priority <level>', 'with --queue: higher ones begin first'));
}
