import { removedElsewhere, storageKinds } from '@anneal/core/protocol/storageKinds';
import type { Command } from 'commander';
import { addExamples } from './examples.ts';

export interface StorageOptions {
  folder: string;
  json?: boolean;
}

const kinds = storageKinds.filter((kind) => !removedElsewhere.has(kind)).join(', ');
const verbs = () => import('./storageVerbs.ts');

export function define(command: Command): void {
  const subcommand = (name: string, summary: string): Command =>
    command
      .command(name)
      .summary(summary)
      .description(summary)
      .option('--folder <folder>', 'the folder that holds your projects, or that an agent serves', '.');
  addExamples(
    subcommand(
      'ls',
      'what takes room: runs, checkpoints, exports, trash, models, data sets, data files, prepared data, uploads',
    )
      .option('--all', 'every item, by the name that clean takes')
      .action(async (options: StorageOptions & { all?: boolean }) => (await verbs()).ls(options)),
    'anneal storage ls',
  );
  addExamples(
    subcommand('clean', 'give room back: only what no run needs, and what can be made again')
      .argument('<what...>', `${kinds}; or an item as \`ls --all\` shows it`)
      .option('--yes', 'remove it; without this, what would go is only listed')
      .action(async (what: string[], options: StorageOptions & { yes?: boolean }) =>
        (await verbs()).clean(what, options),
      ),
    'anneal storage clean trash prepared --yes',
  );
  addExamples(command, 'anneal storage ls', 'anneal storage clean trash --yes');
}
