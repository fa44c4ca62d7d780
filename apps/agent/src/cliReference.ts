/** docs/cli.md, made from the command tree: what `--help` says of every verb. */
import type { Command } from 'commander';
import { exitCodeMeanings } from './exitCodes.ts';
import { buildProgram } from './program.ts';

const introduction = `# Command line

<!-- Generated from the command tree in apps/agent/src/commands; edit the help texts there. -->

\`npx anneal\` in the repository, \`./anneal\` in the bundle. Results go to stdout, remarks and errors to stderr. With
\`--json\` stdout holds one JSON value (verbs that go on for a while: one a line), and an error is \`{"error": {code, what,
where, next}}\`. On a terminal there are colors and bars, in a pipe plain lines; \`NO_COLOR\` turns the colors off.

A first Ctrl-C during training saves a checkpoint and stops, a second one stops at once. \`anneal completion\` prints a
completion script for bash, zsh or fish.

| Exit code | Meaning |
| --- | --- |
${exitCodeMeanings.map(([code, meaning]) => `| ${code} | ${meaning} |`).join('\n')}
`;

const columns = 100;

export async function cliReference(): Promise<string> {
  const program = await buildProgram({ all: true });
  return [introduction, ...program.commands.flatMap((command) => sections(command, '##'))].join('\n');
}

function sections(command: Command, heading: string): string[] {
  const path = [...ancestors(command), command.name()].join(' ');
  return [
    `${heading} ${path}\n\n\`\`\`text\n${helpOf(command)}\n\`\`\`\n`,
    // The verbs below `remote` are those that stand here already.
    ...(command.name() === 'remote' ? [] : command.commands.flatMap((child) => sections(child, `${heading}#`))),
  ];
}

function ancestors(command: Command): string[] {
  return command.parent ? [...ancestors(command.parent), command.parent.name()] : [];
}

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
    getOutHelpWidth: () => columns,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return text.trimEnd();
}
