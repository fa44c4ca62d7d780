import type { LoaderState } from '../datasets/loader.ts';
import type { StepBatches } from '../datasets/types.ts';
import type { RolloutStep, Rollouts } from './rollouts.ts';
import type { Session } from './session.ts';
import { type TrainSignal, unlessStopped } from './stopping.ts';
import type { StepOptions, StepResult, TrainingEngine } from './trainingEngine.ts';

/** What a step trained, and what it came to. */
export interface StepOutcome {
  readonly trained: StepBatches;
  readonly result: StepResult;
  /** Where answers were sampled for it. */
  readonly sampled: Pick<RolloutStep, 'measures' | 'answers'> | null;
}

/** A step that the engine has, or will have after the one before. */
export interface SubmittedStep {
  readonly step: number;
  readonly batches: StepBatches;
  /** Of the loader, to be given these batches again. */
  readonly position: LoaderState;
  readonly learningRate: number;
  /** Milliseconds, as `performance.now()`. */
  readonly started: number;
  /** Null: given up, as the run was asked to stop; no weight has moved. */
  readonly outcome: Promise<StepOutcome | null>;
}

/**
 * Gives step after step to the engine, each with the batches that come next. With `rollouts` they are prompts, and what is learned from is
 * sampled first.
 */
export function submitSteps(
  { job, loader, learningRate: rateOf }: Session,
  engine: TrainingEngine,
  rollouts: Rollouts | null,
  signal: TrainSignal,
): (step: number) => Promise<SubmittedStep> {
  return async (step) => {
    const position = loader.state();
    const batches = await loader.next();
    const learningRate = rateOf(step - 1);
    const started = performance.now();
    const { embeddingRate = 1 } = job.optimizer;
    const options = { step, learningRate, embeddingRate, seed: job.seed };
    const outcome = rollouts
      ? unlessStopped(signal, (abort) => sampledStep(rollouts, batches, options, abort))
      : plainStep(engine, batches, options);
    outcome.catch(() => undefined); // awaited in its turn, unless an earlier step ends the run
    return { step, batches, position, learningRate, started, outcome };
  };
}

async function plainStep(engine: TrainingEngine, batches: StepBatches, options: StepOptions): Promise<StepOutcome> {
  return { trained: batches, result: await engine.step(batches, options), sampled: null };
}

async function sampledStep(
  rollouts: Rollouts,
  prompts: StepBatches,
  options: StepOptions,
  signal: AbortSignal,
): Promise<StepOutcome> {
  const step = await rollouts.step(prompts, options, signal);
  return { trained: step.trained, result: step, sampled: step };
}
