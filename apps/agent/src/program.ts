/** The command tree. */
import { Command } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { type Verb, verbs } from './commands/index.ts';
import { exitCodeMeanings } from './exitCodes.ts';

/** The tree with the options and subcommands of `verb` filled in, or of every verb for `all`. */
export async function buildProgram(wanted: string | { all: true }): Promise<Command> {
  const program = new Command('anneal')
    .description(
      'Fine-tune language models on your own machine: one recipe, every token visible, bit-identical resume.',
    )
    .version(manifest.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'explain this command')
    .helpCommand('help [command]', 'explain a command')
    .option('--debug', 'print the full stack of an unexpected error')
    .showHelpAfterError('(add --help for what can be given)')
    .configureHelp({ showGlobalOptions: false })
    .exitOverride()
    .addHelpText('after', `\n${exitCodeHelp()}\n\nExample:\n  $ anneal init && anneal train recipe.yaml`);
  for (const verb of verbs) await addVerb(program, verb, wanted === verb.name || typeof wanted !== 'string');
  return program;
}

async function addVerb(program: Command, verb: Verb, filledIn: boolean): Promise<void> {
  const command = program.command(verb.name).summary(verb.summary).description(verb.summary);
  if (!filledIn) return;
  const { define } = await verb.load();
  define(command);
  for (const leaf of leavesOf(command)) {
    if (!printsNoJson.has(leaf.name())) leaf.option('--json', 'print JSON');
  }
}

/** Their output has one form: a script for the shell, a schema that is JSON already. */
const printsNoJson: ReadonlySet<string> = new Set(['completion', 'schema']);

export function leavesOf(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leavesOf);
}

function exitCodeHelp(): string {
  return ['Exit codes:', ...exitCodeMeanings.map(([code, meaning]) => `  ${String(code).padEnd(4)} ${meaning}`)].join(
    '\n',
  );
}
