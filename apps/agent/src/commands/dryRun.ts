import { resolve } from 'node:path';
import { failIfMisfit, printFit, printMemory, printRun, summarize } from '../estimate/summary.ts';
import { withSession } from '../runner/withSession.ts';
import { openRecipe } from '../service/recipes/open.ts';
import { print, printJson } from '../terminal/print.ts';

/** Everything up to the first step, as training would do it; nothing is written. */
export async function dryRun(
  recipe: string,
  { set, runsDir, json }: { set?: readonly string[]; runsDir?: string; json?: boolean },
): Promise<void> {
  const { resolved } = await openRecipe(recipe, set);
  const root = resolve(runsDir ?? resolved.output_dir);
  const summary = await withSession(resolved, async (session) => summarize(session, root));
  if (json) {
    const error = failIfMisfit(summary.fit);
    return printJson({ recipe: resolved, ...summary, ...(error && { error }) });
  }
  printRun(summary);
  print();
  printMemory(summary);
  printFit(summary);
}
