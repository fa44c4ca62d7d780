import { divergenceBatches } from '../datasets/divergence.ts';
import { evaluationBatches } from '../datasets/steps.ts';
import type { Measured } from '../objectives/objective.ts';
import type { Session } from './session.ts';
import type { TrainingEngine } from './trainingEngine.ts';

/** What the objective says of the validation rows. */
export async function evaluate(engine: TrainingEngine, { data, plan, job, objective }: Session): Promise<Measured> {
  const store = data.validation;
  if (!store) throw new Error('there are no validation rows');
  const maxTokens = plan.bounds.T as number;
  const documents = Array.from({ length: store.count }, (_, document) => document);
  const pairs = objective.divergence ? divergenceBatches(store, documents, job.steps.sequenceLen, maxTokens) : [];
  return engine.evaluate(evaluationBatches(store, maxTokens, objective.answersPerRow), pairs);
}
