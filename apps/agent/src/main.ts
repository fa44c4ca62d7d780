/** The `anneal` command. Imports next to nothing, so that `anneal --help` answers at once: a verb loads when it is run. */
import { CommanderError } from 'commander';
import { exitCodes } from './exitCodes.ts';
import { buildProgram } from './program.ts';
import { watchOutput } from './terminal/lostOutput.ts';

const args = process.argv.slice(2);
const verb = wantedVerb(args);
const json = args.includes('--json');

watchOutput();
// What no command waits for: Node would print it as it is, and end with another code. The first is reported, others on the way are not.
let ending: Promise<void> | undefined;
process.on('uncaughtException', (error) => {
  ending ??= report(error).finally(() => process.exit());
});

try {
  const program = await buildProgram(verb, { quiet: json });
  await program.parseAsync(args, { from: 'user' });
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.badInput;
    if (json && error.exitCode !== 0) await printWrongUsage(error);
  } else {
    await report(error);
  }
} finally {
  if (verb === 'remote') await (await import('./commands/remoteConnect.ts')).disconnect();
}

async function report(error: unknown): Promise<void> {
  const { reportError } = await import('./terminal/reportError.ts');
  process.exitCode = reportError(error, { json, debug: args.includes('--debug') });
}

/** The verb whose options have to be known: `anneal train …` and `anneal help train`. */
function wantedVerb(all: readonly string[]): string {
  const words = all.filter((arg) => !arg.startsWith('-'));
  return (words[0] === 'help' ? words[1] : words[0]) ?? '';
}

async function printWrongUsage({ message }: CommanderError): Promise<void> {
  const { printError } = await import('./terminal/reportError.ts');
  const [what = message, advice] = message.replace(/^error: /, '').split('\n');
  const next = advice?.replace(/^\(Did (.+)\)$/, 'did $1') ?? 'add --help for what can be given';
  printError({ code: 'wrong_usage', what, next }, { json });
}
