import type { OpenedRecipe } from '../commands/openRecipe.ts';
import { failIfMisfit, printFit, printMemory, printRun, summarize } from '../estimate/summary.ts';
import { print, printJson } from '../terminal/print.ts';
import { withSession } from './withSession.ts';

/** Everything up to the first step, as training would do it; nothing is written. */
export async function dryRun({ resolved }: OpenedRecipe, root: string, options: { json?: boolean }): Promise<void> {
  const summary = await withSession(resolved, async (session) => summarize(session, root));
  if (options.json) {
    const error = failIfMisfit(summary.fit);
    return printJson({ recipe: resolved, ...summary, ...(error && { error }) });
  }
  printRun(summary);
  print();
  printMemory(summary);
  printFit(summary);
}
