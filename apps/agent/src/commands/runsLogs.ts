import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { linesOfFile, readEvents } from '@anneal/core/trainer/eventLog';
import { assertIsRun, openRunFile } from '@anneal/core/trainer/runFiles';
import { findRun, followEvents } from '@anneal/core/trainer/runReader';
import { print, printJsonLine } from '../terminal/print.ts';
import { printEvent } from '../terminal/runProgress.ts';

export async function logs(
  name: string,
  options: { runsDir: string; json?: boolean; follow?: boolean; output?: boolean },
): Promise<void> {
  const path = await findRun(options.runsDir, name);
  assertIsRun(path);
  if (options.output) {
    printOutput(join(path, 'run.log'), options.json ?? false);
    return;
  }
  const events = options.follow ? followEvents(path) : readEvents(join(path, 'events.jsonl'));
  for await (const event of events) {
    if (options.json) printJsonLine(event);
    else printEvent(event, (line) => print(line));
  }
}

function printOutput(path: string, json: boolean): void {
  const file = openRunFile(path);
  try {
    for (const { text = '(a line too long to show)' } of linesOfFile(file, { from: 0, unfinished: true })) {
      if (json) printJsonLine({ line: text });
      else print(text);
    }
  } finally {
    closeSync(file);
  }
}
