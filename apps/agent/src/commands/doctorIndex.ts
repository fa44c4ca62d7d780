import { rebuildIndex } from '../daemon/runs/rebuildIndex.ts';
import { exitCodes } from '../exitCodes.ts';
import { print, printJson, remark } from '../terminal/print.ts';

/** Of the folder here, which an agent serves when it runs. The exit code tells whether all runs could be read. */
export async function doctorIndex({ json }: { json?: boolean }): Promise<void> {
  const rebuilt = await rebuildIndex('.', remark);
  const { folder, runs, damaged } = rebuilt;
  process.exitCode = damaged.length === 0 ? exitCodes.done : exitCodes.failed;
  if (json) return printJson(rebuilt);
  print(`The index of ${runs} ${runs === 1 ? 'run' : 'runs'} in ${folder} is made anew.`);
  for (const { run, what } of damaged) print(`  ${run} cannot be read: ${what}`);
}
