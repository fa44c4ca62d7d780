/** How the learning rate goes over a run; each kind as transformers' `get_scheduler` has it by this name. */
export type Schedule = {
  /** Learning rate at the end of the warm-up. */
  peak: number;
  /** Optimizer steps from 0 to the peak; `constant` has none. */
  warmupSteps: number;
  totalSteps: number;
} & Shape;

export type Shape =
  | { kind: 'constant' | 'constant_with_warmup' | 'linear' }
  /** `cycles`: periods of the cosine, 0.5 down to the bottom. `minRatio`: the bottom as a share of the peak. */
  | { kind: 'cosine'; cycles: number; minRatio: number }
  /** `warmupRatio`: where the warm-up begins, as a share of the peak; null for one step of it. */
  | { kind: 'cosine_warmup_with_min_lr'; cycles: number; minRatio: number; warmupRatio: number | null }
  | { kind: 'cosine_with_restarts'; cycles: number }
  /** `end`: the learning rate of the end. */
  | { kind: 'polynomial'; end: number; power: number }
  /** `timescale`: steps; null for those of the warm-up. */
  | { kind: 'inverse_sqrt'; timescale: number | null }
  | ({ kind: 'warmup_stable_decay' } & StableDecay);

interface StableDecay {
  /** Null for all steps but those of the warm-up and of the decay. */
  stableSteps: number | null;
  decaySteps: number;
  warmupCurve: Curve;
  decayCurve: Curve;
  /** Where the warm-up begins and the decay ends, as a share of the peak. */
  minRatio: number;
  /** Periods of a decay by cosine. */
  cycles: number;
}

export type Curve = 'linear' | 'cosine' | '1-sqrt';

/** The learning rate of an optimizer step, counted from 0. From `totalSteps` on the last value holds. */
export function learningRateSchedule(schedule: Schedule): (step: number) => number {
  const factor = factorOf(schedule);
  return (step) => schedule.peak * factor(Math.min(step, schedule.totalSteps));
}

/** The share of the peak. Every operation is transformers', in its order: the values are equal to the last bit, but for `cos` and `pow`. */
function factorOf(schedule: Schedule): (step: number) => number {
  const { peak, warmupSteps, totalSteps } = schedule;
  const afterWarmup = Math.max(1, totalSteps - warmupSteps);
  const progress = (step: number) => (step - warmupSteps) / afterWarmup;
  const warmed = (factor: (step: number) => number) => (step: number) =>
    step < warmupSteps ? step / warmupSteps : factor(step);
  switch (schedule.kind) {
    case 'constant':
      return () => 1;
    case 'constant_with_warmup':
      return warmed(() => 1);
    case 'linear':
      return warmed((step) => (totalSteps - step) / afterWarmup);
    case 'cosine':
      return warmed((step) => above(schedule.minRatio, wave(schedule.cycles, progress(step))));
    case 'cosine_warmup_with_min_lr': {
      const { cycles, minRatio, warmupRatio } = schedule;
      const warmup = (step: number) =>
        warmupRatio === null
          ? (step + 1) / warmupSteps
          : warmupRatio + ((1 - warmupRatio) * step) / Math.max(1, warmupSteps - 1);
      return (step) => {
        if (step < warmupSteps) return warmup(step);
        return above(minRatio, wave(cycles, Math.min(1, (step - warmupSteps + 1) / afterWarmup)));
      };
    }
    case 'cosine_with_restarts':
      return warmed((step) =>
        progress(step) >= 1 ? 0 : Math.max(0, 0.5 * (1 + Math.cos(Math.PI * ((schedule.cycles * progress(step)) % 1)))),
      );
    case 'polynomial':
      return warmed((step) => ((peak - schedule.end) * (1 - progress(step)) ** schedule.power + schedule.end) / peak);
    case 'inverse_sqrt': {
      const timescale = schedule.timescale ?? (warmupSteps || 10_000);
      return warmed((step) => 1 / Math.sqrt((step + (timescale - warmupSteps)) / timescale));
    }
    case 'warmup_stable_decay':
      return stableDecay(schedule, warmupSteps, totalSteps);
  }
}

function stableDecay(
  { stableSteps, decaySteps, warmupCurve, decayCurve, minRatio, cycles }: StableDecay,
  warmupSteps: number,
  totalSteps: number,
): (step: number) => number {
  const decayBegins = warmupSteps + (stableSteps ?? totalSteps - warmupSteps - decaySteps);
  return (step) => {
    if (step < warmupSteps) return above(minRatio, risen(warmupCurve, step / warmupSteps));
    if (step < decayBegins) return 1;
    if (step >= decayBegins + decaySteps) return minRatio;
    return above(minRatio, fallen(decayCurve, (step - decayBegins) / decaySteps, cycles));
  };
}

/** Stretches 0 … 1 to `minRatio` … 1. */
function above(minRatio: number, factor: number): number {
  return Math.max(0, factor * (1 - minRatio) + minRatio);
}

function wave(cycles: number, progress: number): number {
  return 0.5 * (1 + Math.cos(Math.PI * cycles * 2 * progress));
}

function risen(curve: Curve, progress: number): number {
  if (curve === 'linear') return progress;
  return curve === 'cosine' ? 0.5 * (1 - Math.cos(Math.PI * progress)) : 1 - Math.sqrt(1 - progress);
}

function fallen(curve: Curve, progress: number, cycles: number): number {
  if (curve === 'linear') return 1 - progress;
  return curve === 'cosine' ? wave(cycles, progress) : 1 - Math.sqrt(progress);
}

/** Warm-up in whole optimizer steps: as written, or the share of all steps rounded up. */
export function warmupStepsOf(
  warmup: { warmup_steps: number | null; warmup_ratio: number | null },
  totalSteps: number,
): number {
  return warmup.warmup_steps ?? Math.ceil((warmup.warmup_ratio ?? 0) * totalSteps);
}
