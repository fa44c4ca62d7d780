import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { findRun, followEvents } from '@anneal/core/trainer/runReader';
import { print, printJsonLine } from '../terminal/print.ts';
import { printEvent } from '../terminal/runProgress.ts';

export async function logs(
  name: string,
  options: { runsDir: string; json?: boolean; follow?: boolean; output?: boolean },
): Promise<void> {
  const path = await findRun(options.runsDir, name);
  if (options.output) {
    const output = createReadStream(join(path, 'run.log'));
    if (!options.json) return pipeline(output, process.stdout, { end: false });
    for await (const line of createInterface({ input: output })) printJsonLine({ line });
    return;
  }
  const events = options.follow ? followEvents(path) : followEvents(path, { isLive: () => false });
  for await (const event of events) {
    if (options.json) printJsonLine(event);
    else printEvent(event, (line) => print(line));
  }
}
