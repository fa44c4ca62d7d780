import { print, printJsonLine } from '../terminal/print.ts';
import { printEvent } from '../terminal/runProgress.ts';
import { contextOf, type RunsOptions } from './runsDirectory.ts';
import { useCase } from './useCases.ts';

export async function logs(name: string, options: RunsOptions & { follow?: boolean; output?: boolean }): Promise<void> {
  const context = contextOf(options);
  if (options.output) {
    const readRunOutput = await useCase('readRunOutput');
    for await (const line of readRunOutput(context, { run: name })) {
      if (options.json) printJsonLine({ line });
      else print(line);
    }
    return;
  }
  const followRun = await useCase('followRun');
  for await (const event of followRun(context, { run: name, follow: options.follow ?? false })) {
    if (options.json) printJsonLine(event);
    else printEvent(event, (line) => print(line));
  }
}
