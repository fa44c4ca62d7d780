import type { Command } from 'commander';
import { addRunsDirectoryOption } from './runsDirectory.ts';

export const sourceHelp =
  'a run (id, path, "latest"), an adapter folder, a model folder, a .gguf file, or a name that was pulled';

/** For verbs that take a model as `service/models/source.ts` understands it. */
export function addSourceOptions(command: Command): Command {
  return addRunsDirectoryOption(
    command.option('--checkpoint <which>', 'of a run: best, latest, or the number of a step'),
  );
}
