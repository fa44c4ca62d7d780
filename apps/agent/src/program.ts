/** The command tree. */
import { Command, Help } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { exitCodeMeanings, exitCodes } from './exitCodes.ts';
import { asCalled } from './terminal/asCalled.ts';
import { errorColors, shown } from './terminal/colors.ts';
import { type Verb, verbs } from './verbs.ts';

/**
 * The tree with the options and subcommands of `verb` filled in, or of every verb for `all`.
 * With `quiet` wrong usage is only thrown, as a CommanderError, and not printed.
 */
export async function buildProgram(
  wanted: string | { all: true },
  { quiet = false }: { quiet?: boolean } = {},
): Promise<Command> {
  const program = new Command('anneal')
    .description(
      'Fine-tune language models on your own machine: one recipe, every token visible, bit-identical resume.',
    )
    .version(manifest.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'explain this command')
    .helpCommand('help [command]', 'explain a command')
    .option('--debug', 'print the full stack of an unexpected error')
    .showHelpAfterError('(add --help for what can be given)')
    .configureHelp({ showGlobalOptions: false, formatHelp })
    .configureOutput({
      writeOut: (text) => process.stdout.write(shown(asCalled(text))),
      writeErr: (text) => !quiet && process.stderr.write(shown(asCalled(text), errorColors)),
    })
    .exitOverride()
    .addHelpText('after', '\nExample:\n  $ anneal init && anneal train recipe.yaml');
  for (const verb of verbs) await addVerb(program, verb, wanted === verb.name || typeof wanted !== 'string');
  return program;
}

async function addVerb(program: Command, verb: Verb, filledIn: boolean): Promise<void> {
  const command = program.command(verb.name).summary(verb.summary).description(verb.summary);
  if (!filledIn) return;
  const { define } = await verb.load();
  await define(command);
  for (const leaf of leavesOf(command)) {
    leaf.option('--json', 'print JSON');
    refuseRepeats(leaf);
  }
}

/** Of an option that takes one value commander keeps the last one, and says nothing of those before. */
function refuseRepeats(leaf: Command): void {
  for (const option of leaf.options.filter(({ required, optional }) => required || optional)) {
    let given: string | undefined;
    leaf.on(`option:${option.name()}`, (value: string) => {
      const collects = Array.isArray(leaf.getOptionValue(option.attributeName()));
      if (!collects && given !== undefined && given !== value) {
        leaf.error(`error: ${option.long} is given twice, as ${given} and ${value}: give it once`);
      }
      given = value;
    });
  }
}

function leavesOf(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leavesOf);
}

/** As commander has it, and the exit codes. */
function formatHelp(command: Command, help: Help): string {
  const codes = exitCodeMeanings.filter(([code]) => canExitWith(command, code));
  const lines = codes.map(([code, meaning]) => `  ${String(code).padEnd(4)} ${meaning}`);
  return `${Help.prototype.formatHelp.call(help, command, help)}\nExit codes:\n${lines.join('\n')}\n`;
}

/** Only training, with a checkpoint where somebody may go on with it, and synthesizing are stopped. */
function canExitWith(command: Command, code: number): boolean {
  if (code !== exitCodes.stopped && code !== exitCodes.interrupted) return true;
  const stoppable =
    code === exitCodes.interrupted ? ['train', 'resume', 'synthesize', 'reproduce'] : ['train', 'resume', 'synthesize'];
  return leavesOf(command).some((leaf) => stoppable.includes(leaf.name()));
}
