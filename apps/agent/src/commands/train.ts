import type { Command } from 'commander';
import { addExamples } from './examples.ts';
import { addSetOption } from './openRecipe.ts';

export interface TrainOptions {
  set?: readonly string[];
  dryRun?: boolean;
  detach?: boolean;
  resume?: string | true;
  name?: string;
  runsDir?: string;
  json?: boolean;
}

export function define(command: Command): void {
  addExamples(
    addSetOption(command.argument('<recipe>', 'the recipe, a YAML file'))
      .option('--dry-run', 'prepare the data and plan the memory, then end without training')
      .option('--detach', 'train in the background: the run outlives this terminal')
      .option('--resume [run]', 'continue the newest run of this recipe, or the one named, from its newest checkpoint')
      .option('--name <name>', 'name of the run; default: that of the recipe, or of its folder for recipe.yaml')
      .option('--runs-dir <folder>', 'where the run gets its folder; default: output_dir of the recipe')
      .action(async (recipe: string, options: TrainOptions) => {
        const { train } = await import('../runner/train.ts');
        await train(recipe, options);
      }),
    'anneal train recipe.yaml',
    'anneal train recipe.yaml --set learning_rate=1e-4 --set num_epochs=1 --name lower-rate',
    'anneal train recipe.yaml --detach',
  );
}
