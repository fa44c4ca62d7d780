import { createReadStream } from 'node:fs';
import { join } from 'node:path';
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
    await pipeline(createReadStream(join(path, 'run.log')), process.stdout, { end: false });
    return;
  }
  const events = options.follow ? followEvents(path) : followEvents(path, { isLive: () => false });
  for await (const event of events) {
    if (options.json) printJsonLine(event);
    else printEvent(event, (line) => print(line));
  }
}
