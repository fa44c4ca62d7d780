/** `anneal eval`: the validation loss of a run's checkpoint, or of the model a recipe starts from. */
import { dirname, join } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { evaluate } from '@anneal/core/trainer/evaluate';
import { runDate } from '@anneal/core/trainer/runDate';
import { readRun } from '@anneal/core/trainer/runReader';
import { type Session, startEngine } from '@anneal/core/trainer/session';
import { TrainingEngine } from '@anneal/core/trainer/trainingEngine';
import type { EvalOptions } from '../commands/eval.ts';
import { resolveSource } from '../modelSource.ts';
import { withSession } from '../runner/withSession.ts';
import { openRecipe } from '../service/recipes/open.ts';
import { errorColors } from '../terminal/colors.ts';
import { print, printJson, remark } from '../terminal/print.ts';
import { formatPairs } from '../terminal/table.ts';
import { formatCount, formatNumber } from '../terminal/units.ts';
import { trainedDocuments } from './trainedDocuments.ts';

interface Subject {
  recipePath: string;
  /** null: the model before training. */
  checkpoint: { path: string; step: number } | null;
  /** Where relative paths start. Those of a run are absolute, so only --set has some: they start here. */
  baseDirectory: string;
  /** The run whose training may have seen the rows. */
  runPath: string | null;
}

export async function evaluateSource(name: string, options: EvalOptions): Promise<void> {
  const { recipePath, checkpoint, baseDirectory, runPath } = await subjectOf(name, options);
  const { resolved } = await openRecipe(recipePath, options.set, baseDirectory);
  const measure = async (session: Session) => {
    const { validation, summary } = session.data;
    if (!validation) throw nothingToMeasure(recipePath);
    const trained = runPath === null || checkpoint === null ? 0 : trainedDocuments(runPath, validation);
    await using engine = new TrainingEngine(await startEngine(session, checkpoint?.path ?? null));
    const loss = await evaluate(engine, session);
    return { loss, perplexity: Math.exp(loss), documents: summary.validationDocuments, trained };
  };
  const now = runPath === null ? undefined : runDate(readRun(runPath).status.created);
  const result = await withSession(resolved, measure, { now });
  remarkTrained(result);
  if (options.json) return printJson({ source: name, step: checkpoint?.step ?? 0, ...result });
  print(
    formatPairs([
      ['model', checkpoint ? `${name} after step ${checkpoint.step}` : `${resolved.base_model} before training`],
      ['validation rows', formatCount(result.documents)],
      ['loss', formatNumber(result.loss)],
      ['perplexity', formatNumber(result.perplexity)],
    ]),
  );
}

async function subjectOf(name: string, options: EvalOptions): Promise<Subject> {
  if (/\.ya?ml$/i.test(name))
    return { recipePath: name, checkpoint: null, baseDirectory: dirname(name), runPath: null };
  const { run } = await resolveSource(name, options);
  if (run) {
    const recipePath = join(run.path, 'recipe.resolved.yaml');
    return { recipePath, checkpoint: options.base ? null : run.checkpoint, baseDirectory: '.', runPath: run.path };
  }
  throw new UserError({
    what: 'this is neither a run nor a recipe, so there are no rows to measure on',
    where: name,
    next: 'name a run (see `anneal runs ls`) or a recipe',
    code: 'eval_source',
  });
}

function remarkTrained({ trained, documents }: { trained: number | null; documents: number }): void {
  if (trained === 0) return;
  const what =
    trained === null
      ? 'the tokens of this run are gone, so nobody can tell whether these rows were trained on'
      : `${formatCount(trained)} of these ${formatCount(documents)} documents were trained on: the loss says what was memorized`;
  remark(`${errorColors.yellow('warning:')} ${what}`);
}

function nothingToMeasure(recipePath: string): UserError {
  return new UserError({
    what: 'the recipe keeps no rows apart to measure on',
    where: recipePath,
    next: "name rows it has not seen: --set val_set_size=0 --set 'test_datasets=[{path: held-out.jsonl}]'",
    code: 'no_validation_rows',
  });
}
