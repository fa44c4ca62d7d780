import { UserError } from '@anneal/core/errors';
import { print, printJsonLine, remark, untilTaken } from '../terminal/print.ts';
import { printEvent } from '../terminal/runProgress.ts';
import { contextOf, type RunsOptions } from './runsDirectory.ts';
import { useCase } from './useCases.ts';

interface Options extends RunsOptions {
  follow?: boolean;
  output?: boolean;
  search?: string;
}

export async function logs(name: string, options: Options): Promise<void> {
  const context = contextOf(options);
  if (options.search !== undefined) return search(name, options.search, options);
  if (options.output) {
    const readRunOutput = await useCase('readRunOutput');
    let isEmpty = true;
    for await (const line of readRunOutput(context, { run: name })) {
      isEmpty = false;
      if (options.json) printJsonLine({ line });
      else print(line);
      await untilTaken();
    }
    if (isEmpty && !options.json)
      remark('the process of the run has printed nothing; what happened: leave out --output');
    return;
  }
  const followRun = await useCase('followRun');
  for await (const event of followRun(context, { run: name, follow: options.follow ?? false })) {
    if (options.json) printJsonLine(event);
    else printEvent(event, (line) => print(line));
    await untilTaken();
  }
}

async function search(name: string, text: string, options: Options): Promise<void> {
  if (!options.output) {
    throw new UserError({
      what: '--search is given without --output',
      next: 'add --output: what the process of the run has printed is searched',
      code: 'options_conflict',
    });
  }
  const searchRunOutput = await useCase('searchRunOutput');
  const { count, lines } = await searchRunOutput(contextOf(options), { run: name, text });
  if (options.json) for (const line of lines) printJsonLine(line);
  else for (const line of lines) print(`${line.number}: ${line.text}`);
  if (count === 0 && !options.json) remark(`no line of what the process of the run has printed holds '${text}'`);
  if (count > lines.length) remark(`the newest ${lines.length} of ${count} lines`);
}
