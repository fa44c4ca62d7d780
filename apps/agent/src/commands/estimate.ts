import type { Command } from 'commander';
import { printJson } from '../terminal/print.ts';
import { addExamples } from './examples.ts';
import { addSetOption } from './setOption.ts';

export function define(command: Command): void {
  addExamples(
    addSetOption(command.argument('<recipe>', 'the recipe, a YAML file')).action(estimate),
    'anneal estimate recipe.yaml',
    'anneal estimate recipe.yaml --set sequence_len=4096 --set activations=recompute',
  );
}

async function estimate(path: string, options: { set?: readonly string[]; json?: boolean }): Promise<void> {
  const [{ openRecipe }, { withSession }, { failIfMisfit, printFit, printMemory, summarize }] = await Promise.all([
    import('../service/recipes/open.ts'),
    import('../runner/withSession.ts'),
    import('../estimate/summary.ts'),
  ]);
  const { resolved } = await openRecipe(path, options.set);
  const summary = await withSession(resolved, async (session) => summarize(session, resolved.output_dir));
  if (options.json) {
    const error = failIfMisfit(summary.fit);
    return printJson({ ...summary, ...(error && { error }) });
  }
  printMemory(summary);
  printFit(summary);
}
