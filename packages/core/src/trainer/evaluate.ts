import { countLabels, evaluationBatches } from '../datasets/steps.ts';
import type { Session } from './session.ts';
import type { TrainingEngine } from './trainingEngine.ts';

/** Mean loss over the target tokens of the validation rows. */
export async function evaluate(engine: TrainingEngine, { data, plan }: Session): Promise<number> {
  const store = data.validation;
  if (!store) throw new Error('there are no validation rows');
  let loss = 0;
  let targetTokens = 0;
  for (const batch of evaluationBatches(store, plan.bounds.T as number)) {
    loss += await engine.evaluate([batch]);
    targetTokens += countLabels(batch);
  }
  return loss / targetTokens;
}
