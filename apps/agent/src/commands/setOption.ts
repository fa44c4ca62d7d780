import type { Command } from 'commander';

/** `--set key=value`, any number of times. */
export function addSetOption(command: Command): Command {
  return command.option(
    '--set <key=value>',
    'replace a key of the recipe; again for another one',
    (value: string, earlier: readonly string[] = []) => [...earlier, value],
  );
}
