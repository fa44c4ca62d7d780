/** The validation loss of a run's checkpoint, or of the model a recipe starts from. */
import { dirname, join } from 'node:path';
import { UserError } from '@anneal/core/errors';
import type { PreparationProgress } from '@anneal/core/protocol/estimates';
import { type EvaluateRequest, type Evaluation, evaluateRequest } from '@anneal/core/protocol/evaluations';
import { evaluate } from '@anneal/core/trainer/evaluate';
import { checkModel } from '@anneal/core/trainer/inputs';
import { runDate } from '@anneal/core/trainer/runDate';
import { readRun } from '@anneal/core/trainer/runReader';
import type { Session } from '@anneal/core/trainer/session';
import { startEngine } from '@anneal/core/trainer/startEngine';
import { TrainingEngine } from '@anneal/core/trainer/trainingEngine';
import type { Context } from '../context.ts';
import { refuseCheckpoint, resolveSource } from '../models/source.ts';
import { parseRequest } from '../parseRequest.ts';
import { openRecipe } from '../recipes/open.ts';
import { withSession } from '../session.ts';
import { trainedDocuments } from './trainedDocuments.ts';

interface Subject {
  recipePath: string;
  /** null: the model before training. */
  checkpoint: { path: string; step: number } | null;
  /** Where relative paths start. Those of a run are absolute, so only overrides have some: they start here. */
  baseDirectory: string;
  /** The run whose training may have seen the rows. */
  runPath: string | null;
  /** The model that this run began with; another may be asked for. */
  trainedFrom: string | null;
}

/** @throws UserError `no_validation_rows`, `eval_source`, and whatever keeps a run from its first step */
export async function* evaluateSource(
  context: Context,
  request: EvaluateRequest,
): AsyncGenerator<PreparationProgress, Evaluation> {
  const wanted = parseRequest(evaluateRequest, request);
  const { recipePath, checkpoint, baseDirectory, runPath, trainedFrom } = await subjectOf(context, wanted);
  const { resolved } = await openRecipe(recipePath, wanted.set, baseDirectory);
  const measure = async (session: Session) => {
    const { validation, summary } = session.data;
    if (!validation) throw nothingToMeasure(recipePath);
    if (runPath !== null && resolved.base_model === trainedFrom) await checkModel(runPath, session.model);
    const trained = runPath === null || checkpoint === null ? 0 : await trainedDocuments(runPath, validation);
    const { engine: started } = await startEngine(session, checkpoint?.path ?? null);
    await using engine = new TrainingEngine(started, session.objective);
    return { ...(await evaluate(engine, session)), documents: summary.validationDocuments, trained };
  };
  const now = runPath === null ? undefined : runDate(readRun(runPath).status.created);
  const measured = yield* withSession(resolved, measure, { now, signal: context.signal, goesOn: true });
  return { source: request.source, baseModel: resolved.base_model, step: checkpoint?.step ?? 0, ...measured };
}

async function subjectOf(context: Context, request: ReturnType<typeof evaluateRequest.parse>): Promise<Subject> {
  const { source, base } = request;
  if (/\.ya?ml$/i.test(source)) {
    refuseCheckpoint(request);
    return { recipePath: source, checkpoint: null, baseDirectory: dirname(source), runPath: null, trainedFrom: null };
  }
  const { run } = await resolveSource(context, request);
  if (run) {
    const recipePath = join(run.path, 'recipe.resolved.yaml');
    const checkpoint = base ? null : run.checkpoint;
    return { recipePath, checkpoint, baseDirectory: '.', runPath: run.path, trainedFrom: run.recipe.base_model };
  }
  throw new UserError({
    what: 'this is neither a run nor a recipe, so there are no rows to measure on',
    where: source,
    next: 'name a run (see `anneal runs ls`) or a recipe',
    code: 'eval_source',
  });
}

function nothingToMeasure(recipePath: string): UserError {
  return new UserError({
    what: 'the recipe keeps no rows apart to measure on',
    where: recipePath,
    next: "name rows it has not seen: --set val_set_size=0 --set 'test_datasets=[{path: held-out.jsonl}]'",
    code: 'no_validation_rows',
  });
}
