import type { PolicyMeasures } from '../objectives/objective.ts';
import type { StepOutcome, SubmittedStep } from './submittedStep.ts';

/** What is recorded of a step. */
export function stepEvent(
  { step, learningRate }: SubmittedStep,
  { trained, result, sampled }: StepOutcome,
  { epoch, milliseconds }: { readonly epoch: number; readonly milliseconds: number },
) {
  return {
    type: 'step' as const,
    step,
    epoch,
    loss: result.loss,
    ...result.preference,
    ...sampled?.measures,
    ...measuresOf(result.policy),
    ...(result.balanceLoss !== null && { balanceLoss: result.balanceLoss }),
    gradNorm: result.gradientNorm,
    learningRate,
    tokens: trained.tokens,
    targetTokens: trained.targetTokens,
    tokensPerSecond: trained.tokens / (milliseconds / 1000),
    milliseconds,
    memory: process.memoryUsage.rss(),
  };
}

/** What is not measured, or not finite, is left out of an event. */
function measuresOf(policy: PolicyMeasures | null): Partial<Record<keyof PolicyMeasures, number>> {
  return Object.fromEntries(Object.entries(policy ?? {}).filter(([, value]) => Number.isFinite(value)));
}
