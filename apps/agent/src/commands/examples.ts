import type { Command } from 'commander';

/** Every verb ends its help with something to copy. */
export function addExamples(command: Command, ...lines: string[]): Command {
  const title = lines.length === 1 ? 'Example' : 'Examples';
  return command.addHelpText('after', () => {
    const shown = isRemote(command) ? lines.map((line) => line.replace(/^anneal (?!remote)/, 'anneal remote ')) : lines;
    return `\n${title}:\n${shown.map((line) => `  $ ${line}`).join('\n')}`;
  });
}

/** The same verbs stand below `remote` as well. */
function isRemote({ parent }: Command): boolean {
  return parent !== null && (parent.name() === 'remote' || isRemote(parent));
}
