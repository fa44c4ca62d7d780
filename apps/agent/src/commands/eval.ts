import type { Evaluation } from '@anneal/core/protocol/evaluations';
import type { Command } from 'commander';
import { errorColors } from '../terminal/colors.ts';
import { print, printJson, remark } from '../terminal/print.ts';
import { functionFigures, rewardFigures } from '../terminal/rewardFigures.ts';
import { formatPairs } from '../terminal/table.ts';
import { formatCount, formatNumber } from '../units.ts';
import { addExamples } from './examples.ts';
import { contextOf, type RunsOptions } from './runsDirectory.ts';
import { addSetOption } from './setOption.ts';
import { addSourceOptions } from './sourceOptions.ts';

interface EvalOptions extends RunsOptions {
  set?: string[];
  checkpoint?: string;
  base?: boolean;
}

export function define(command: Command): void {
  addExamples(
    addSetOption(
      addSourceOptions(
        command.argument('<source>', 'a run (id, path, "latest"), or a recipe: then its model before any training'),
      ),
    )
      .option('--base', 'of a run: the model as it was before training')
      .action(evaluate),
    'anneal eval latest',
    'anneal eval latest --base',
    "anneal eval latest --set val_set_size=0 --set 'test_datasets=[{path: held-out.jsonl}]'",
  );
}

async function evaluate(source: string, options: EvalOptions): Promise<void> {
  const [{ evaluateSource }, { finishPreparing }] = await Promise.all([
    import('../service/evaluate/evaluate.ts'),
    import('../terminal/preparation.ts'),
  ]);
  const { set, checkpoint, base, json } = options;
  const useCase = evaluateSource(contextOf(options), { source, set, checkpoint, base });
  const { baseModel, ...evaluation } = await finishPreparing(useCase);
  remarkTrained(evaluation);
  if (json) return printJson(evaluation);
  const { step, documents, loss, perplexity } = evaluation;
  print(
    formatPairs([
      ['model', step > 0 ? `${source} after step ${step}` : `${baseModel} before training`],
      ['validation rows', formatCount(documents)],
      ['loss', formatNumber(loss)],
      ...(perplexity === undefined ? [] : ([['perplexity', formatNumber(perplexity)]] as const)),
      ...rewardFigures(evaluation),
      ...functionFigures(evaluation),
    ]),
  );
}

function remarkTrained({ trained, documents }: Pick<Evaluation, 'trained' | 'documents'>): void {
  if (trained === 0) return;
  const what =
    trained === null
      ? 'the tokens of this run are gone, so nobody can tell whether these rows were trained on'
      : `${formatCount(trained)} of these ${formatCount(documents)} documents were trained on: the loss says what was memorized`;
  remark(`${errorColors.yellow('warning:')} ${what}`);
}
