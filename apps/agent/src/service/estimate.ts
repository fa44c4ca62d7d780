import { resolve } from 'node:path';
import {
  type Estimate,
  type EstimateRequest,
  estimateRequest,
  type PreparationProgress,
} from '@anneal/core/protocol/estimates';
import type { ResolvedRecipe } from '@anneal/core/recipe/resolve';
import { fitOf, memoryOf, misfit } from '@anneal/core/trainer/fit';
import { RUNS_ELSEWHERE } from '@anneal/core/trainer/newRun';
import type { Session } from '@anneal/core/trainer/session';
import { sessionEvents } from '@anneal/core/trainer/sessionEvents';
import { obstacleTo } from '@anneal/formats/files/makeFolder';
import type { Context } from './context.ts';
import { parseRequest } from './parseRequest.ts';
import { openRecipe, openRecipeText } from './recipes/open.ts';
import { withSession } from './session.ts';

type Saving = Session['plan']['savings'][number];

/** What a run of the recipe would be: the same plan that training executes, and everything up to its first step. */
export async function* estimateRun(
  { runsFolder, signal }: Context,
  request: EstimateRequest,
): AsyncGenerator<PreparationProgress, { recipe: ResolvedRecipe; estimate: Estimate }> {
  const { recipe: path, set, text, mostBytesPrepared: mostBytes } = parseRequest(estimateRequest, request);
  const { resolved: recipe } = text === undefined ? await openRecipe(path, set) : openRecipeText(text, path, set);
  const atAGlance = mostBytes === undefined ? undefined : { mostBytes };
  const folder = resolve(runsFolder ?? recipe.output_dir);
  const estimate = yield* withSession(recipe, async (session) => estimateOf(session, folder), { signal, atAGlance });
  return { recipe, estimate };
}

/** @param folder where the run would lie */
function estimateOf(session: Session, folder: string): Estimate {
  const { job, model, data, loader, plan, totalSteps, trainableParameters } = session;
  const fit = fitOf(session, folder);
  const error = (misfit(fit, session.job.device) ?? obstacleTo(folder, RUNS_ELSEWHERE))?.toJSON();
  return {
    model: { path: model.path, architecture: model.architecture.modelType, trainableParameters },
    data: { ...data.summary },
    steps: {
      total: totalSteps,
      perEpoch: loader.stepsPerEpoch,
      maxTokens: loader.maxTokens,
      packingEfficiency: loader.packingEfficiency,
    },
    weightType: job.weightType,
    savings: savingParts(plan.savings),
    memory: memoryOf(session),
    fit,
    warnings: sessionEvents(session).filter((event) => event.type === 'warning'),
    ...(error && { error }),
  };
}

/** Equal parts of several layers as one. */
function savingParts(savings: Session['plan']['savings']): Estimate['savings'] {
  const parts = Map.groupBy(savings, ({ how, what }) => `${how} ${what}`);
  return [...parts.values()].map((members) => ({
    how: (members[0] as Saving).how,
    what: (members[0] as Saving).what,
    layers: members.length,
    bytes: members.reduce((sum, { bytes }) => sum + bytes, 0),
    milliseconds: members.reduce((sum, { milliseconds }) => sum + milliseconds, 0),
  }));
}
