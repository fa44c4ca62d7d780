export interface Schedule {
  kind: 'linear' | 'cosine' | 'constant' | 'constant_with_warmup';
  /** Learning rate at the end of the warm-up. */
  peak: number;
  /** Optimizer steps from 0 to the peak; `constant` has none. */
  warmupSteps: number;
  totalSteps: number;
  /** Where the cosine ends, as a share of the peak. */
  minRatio: number;
}

/**
 * The learning rate of an optimizer step, counted from 0; as Hugging Face's `get_scheduler` defines it.
 * With a warm-up the first step has rate 0. From `totalSteps` on the last value holds.
 */
export function learningRateSchedule(schedule: Schedule): (step: number) => number {
  const { kind, peak, warmupSteps, totalSteps, minRatio } = schedule;
  if (kind === 'constant') return () => peak;
  const decay = decays[kind];
  return (step) => {
    if (step < warmupSteps) return peak * (step / Math.max(1, warmupSteps));
    const progress = Math.min(1, (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps));
    return peak * decay(progress, minRatio);
  };
}

/** Factor of the peak against progress from the end of the warm-up (0) to the end of the run (1). */
const decays = {
  linear: (progress: number) => 1 - progress,
  cosine: (progress: number, minRatio: number) => minRatio + (1 - minRatio) * 0.5 * (1 + Math.cos(Math.PI * progress)),
  constant_with_warmup: () => 1,
};

/** Warm-up in whole optimizer steps: as written, or the share of all steps rounded up. */
export function warmupStepsOf(
  warmup: { warmup_steps: number | null; warmup_ratio: number | null },
  totalSteps: number,
): number {
  return warmup.warmup_steps ?? Math.ceil((warmup.warmup_ratio ?? 0) * totalSteps);
}
