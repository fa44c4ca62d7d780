import { divergenceBatches } from '../datasets/divergence.ts';
import { evaluationBatches } from '../datasets/steps.ts';
import type { PreferenceMeasures } from '../objectives/objective.ts';
import { keptInMemory } from '../rewards/openRewards.ts';
import { openSessionRewards, type RolloutMeasures, Rollouts } from './rollouts.ts';
import type { Session } from './session.ts';
import type { TrainingEngine } from './trainingEngine.ts';

/** As events tell it: beside the loss what goes with it. */
export type Evaluated = { readonly loss: number } & (
  | { readonly perplexity: number }
  | PreferenceMeasures
  | RolloutMeasures
);

/**
 * What the objective says of the validation rows. Of prompts the loss is the mean reward of the likeliest answers, negative.
 * @param rollouts of a run; without them those of a session that has some are opened for this alone
 * @param signal gives up asking judges, and rejects with its reason
 */
export async function evaluate(
  engine: TrainingEngine,
  session: Session,
  rollouts: Rollouts | null = null,
  signal?: AbortSignal,
): Promise<Evaluated> {
  const { data, plan, job, objective } = session;
  const store = data.validation;
  if (!store) throw new Error('there are no validation rows');
  if (rollouts) return asLoss(await rollouts.evaluate(signal));
  if (job.rollouts) {
    await using rewards = await openSessionRewards(job.rollouts, session, keptInMemory());
    await using own = new Rollouts(job.rollouts, session, engine, rewards);
    return asLoss(await own.evaluate(signal));
  }
  const maxTokens = plan.bounds.T as number;
  const documents = Array.from({ length: store.count }, (_, document) => document);
  const pairs = objective.divergence ? divergenceBatches(store, documents, job.steps.sequenceLen, maxTokens) : [];
  const { loss, preference } = await engine.evaluate(
    evaluationBatches(store, maxTokens, objective.answersPerRow),
    pairs,
  );
  return { loss, ...(preference ?? { perplexity: Math.exp(loss) }) };
}

const asLoss = (measures: RolloutMeasures): Evaluated => ({ loss: -measures.reward, ...measures });
