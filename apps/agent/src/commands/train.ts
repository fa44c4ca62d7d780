import type { Command } from 'commander';
import { addExamples } from './examples.ts';
import { addQueueOptions } from './queueOption.ts';
import type { QueueOptions } from './queueRun.ts';
import { contextOf } from './runsDirectory.ts';
import { parseSeeds } from './seeds.ts';
import { addSetOption } from './setOption.ts';

interface TrainOptions extends QueueOptions {
  set?: string[];
  dryRun?: boolean;
  resume?: string | true;
  name?: string;
  seeds?: readonly number[];
  runsDir?: string;
  json?: boolean;
}

export function define(command: Command): void {
  addExamples(
    addQueueOptions(addSetOption(command.argument('<recipe>', 'the recipe, a YAML file')))
      .option('--dry-run', 'prepare the data and plan the memory, then end without training')
      .option('--detach', 'train in the background: the run outlives this terminal')
      .option('--resume [run]', 'continue the newest run of this recipe, or the one named, from its newest checkpoint')
      .option('--name <name>', 'name of the run; default: that of the recipe, or of its folder for recipe.yaml')
      .option('--seeds <list>', 'a run for each of these seeds, and how far they lie apart: 1,2,3', parseSeeds)
      .option('--runs-dir <folder>', 'where the run gets its folder; default: output_dir of the recipe')
      .action(train),
    'anneal train recipe.yaml',
    'anneal train recipe.yaml --set learning_rate=1e-4 --set num_epochs=1 --name lower-rate',
    'anneal train recipe.yaml --detach',
    'anneal train recipe.yaml --queue --priority low',
    'anneal train recipe.yaml --seeds 1,2,3',
  );
}

async function train(recipe: string, options: TrainOptions): Promise<void> {
  const context = contextOf(options);
  const { seeds } = options;
  if (seeds) {
    const { trainSeeds } = await import('./trainSeeds.ts');
    return trainSeeds(context, recipe, { ...options, seeds });
  }
  if (options.dryRun) {
    const { dryRun } = await import('./dryRun.ts');
    return dryRun(recipe, options);
  }
  const { set, name, resume } = options;
  if (options.queue) {
    const { queueRecipe } = await import('./queueRun.ts');
    return queueRecipe(context, { recipe, set, name }, options);
  }
  const { startRun, resumeRun } = await import('./startRun.ts');
  if (resume !== undefined) {
    const { runOfRecipe } = await import('../service/runs/ofRecipe.ts');
    const run = typeof resume === 'string' ? resume : undefined;
    return resumeRun(context, await runOfRecipe(context, { recipe, set, name, run }), options);
  }
  const { createRun } = await import('../service/runs/create.ts');
  const { path } = await createRun(context, { recipe, set, name });
  await startRun(context, path, options);
}
