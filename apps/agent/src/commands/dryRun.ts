import { exitCodeOfError } from '../exitCodes.ts';
import { estimateRun } from '../service/estimate.ts';
import { printFit, printMemory, printRun } from '../terminal/estimate.ts';
import { finishPreparing } from '../terminal/preparation.ts';
import { print, printJson } from '../terminal/print.ts';
import { contextOf } from './runsDirectory.ts';

/** Everything up to the first step, as training would do it; nothing is written. */
export async function dryRun(
  path: string,
  { set, runsDir, json }: { set?: readonly string[]; runsDir?: string; json?: boolean },
): Promise<void> {
  const { recipe, estimate } = await finishPreparing(estimateRun(contextOf({ runsDir }), { recipe: path, set }));
  if (estimate.error) process.exitCode = exitCodeOfError(estimate.error.code);
  if (json) return printJson({ recipe, ...estimate });
  printRun(estimate);
  print();
  printMemory(estimate);
  printFit(estimate);
}
