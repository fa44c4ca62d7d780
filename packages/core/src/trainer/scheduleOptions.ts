import { UserError } from '../errors.ts';
import type { ResolvedRecipe } from '../recipe/resolve.ts';
import { type Schedule, type Shape, warmupStepsOf } from './schedule.ts';

export function scheduleOptions(recipe: ResolvedRecipe, totalSteps: number): Schedule {
  return {
    peak: recipe.learning_rate,
    warmupSteps: warmupStepsOf(recipe, totalSteps),
    totalSteps,
    ...shapeOf(recipe),
  };
}

/** @throws UserError `schedule_too_long` where the warm-up leaves no step of the run, or warm-up and decay have more */
export function refuseLongSchedule(recipe: ResolvedRecipe, totalSteps: number): void {
  const warmupSteps = warmupStepsOf(recipe, totalSteps);
  if (recipe.warmup_steps) refuseLongWarmup(warmupSteps, totalSteps);
  const shape = shapeOf(recipe);
  if (shape.kind === 'warmup_stable_decay' && shape.stableSteps === null) {
    refuseLongDecay(warmupSteps, shape.decaySteps, totalSteps);
  }
}

function shapeOf(recipe: ResolvedRecipe): Shape {
  switch (recipe.lr_scheduler) {
    case 'cosine':
      return { kind: 'cosine', cycles: recipe.lr_scheduler_kwargs.num_cycles, minRatio: recipe.cosine_min_lr_ratio };
    case 'cosine_with_min_lr':
      return { kind: 'cosine', cycles: recipe.lr_scheduler_kwargs.num_cycles, minRatio: floorOf(recipe) };
    case 'cosine_warmup_with_min_lr': {
      const { num_cycles: cycles, warmup_lr_rate: warmupRatio } = recipe.lr_scheduler_kwargs;
      return { kind: recipe.lr_scheduler, cycles, minRatio: floorOf(recipe), warmupRatio };
    }
    case 'cosine_with_restarts':
      return { kind: recipe.lr_scheduler, cycles: recipe.lr_scheduler_kwargs.num_cycles };
    case 'polynomial': {
      const { lr_end: end, power } = recipe.lr_scheduler_kwargs;
      return { kind: recipe.lr_scheduler, end, power };
    }
    case 'inverse_sqrt':
      return { kind: recipe.lr_scheduler, timescale: recipe.lr_scheduler_kwargs.timescale };
    case 'warmup_stable_decay': {
      const given = recipe.lr_scheduler_kwargs;
      return {
        kind: recipe.lr_scheduler,
        stableSteps: given.num_stable_steps,
        decaySteps: written(given.num_decay_steps),
        warmupCurve: given.warmup_type,
        decayCurve: given.decay_type,
        minRatio: given.min_lr_ratio,
        cycles: given.num_cycles,
      };
    }
    default:
      return { kind: recipe.lr_scheduler };
  }
}

function floorOf({
  learning_rate,
  lr_scheduler_kwargs: { min_lr, min_lr_rate },
}: Extract<ResolvedRecipe, { lr_scheduler: `cosine_${string}min_lr` }>): number {
  return min_lr === null ? written(min_lr_rate) : min_lr / learning_rate;
}

/** What `scheduleFindings` has looked for. */
function written(value: number | null): number {
  if (value === null) throw new Error('a schedule without what it must have');
  return value;
}

/** With `max_steps` the recipe's reader has said so; here epochs have become steps. */
function refuseLongWarmup(warmupSteps: number, totalSteps: number): void {
  if (warmupSteps < totalSteps) return;
  throw new UserError({
    what: `the warm-up of ${warmupSteps} steps leaves none of the run, which has ${totalSteps}`,
    where: 'warmup_steps',
    next: 'lower warmup_steps, write warmup_ratio instead, or train for more steps',
    code: 'schedule_too_long',
  });
}

function refuseLongDecay(warmupSteps: number, decaySteps: number, totalSteps: number): void {
  if (warmupSteps + decaySteps <= totalSteps) return;
  throw new UserError({
    what: `the warm-up of ${warmupSteps} steps and the decay of ${decaySteps} do not fit into the ${totalSteps} steps of the run`,
    where: 'lr_scheduler_kwargs',
    next: 'lower num_decay_steps or the warm-up, or train for more steps',
    code: 'schedule_too_long',
  });
}
