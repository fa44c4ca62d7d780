import type { OpenedRecipe } from '../commands/openRecipe.ts';
import { printMemory, printRun, summarize } from '../estimate/summary.ts';
import { print, printJson } from '../terminal/print.ts';
import { withSession } from './withSession.ts';

/** Everything up to the first step, as training would do it; nothing is written. */
export async function dryRun({ resolved }: OpenedRecipe, options: { json?: boolean }): Promise<void> {
  const summary = await withSession(resolved, async (session) => summarize(session));
  if (options.json) return printJson({ recipe: resolved, ...summary });
  printRun(summary);
  print();
  printMemory(summary);
}
