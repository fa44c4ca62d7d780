import type { Command } from 'commander';

/** Which agent is asked, and what opens it. */
export function addConnectionOptions(command: Command): Command {
  return command
    .option('--host <url>', 'the agent: https://gpu.lab:7420, or http://127.0.0.1:7420 of a tunnel; else ANNEAL_HOST')
    .option('--token-file <file>', 'a file with a token that has a role, which only you can read; else ANNEAL_TOKEN')
    .option('--ca-file <file>', 'certificates to trust beside those of this machine, PEM');
}
