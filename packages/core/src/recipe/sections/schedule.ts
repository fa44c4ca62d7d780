import * as z from 'zod';
import { derived } from '../key.ts';
import type { OptimizerName } from './optimizers.ts';

const curve = z.enum(['linear', 'cosine', '1-sqrt']);
const ratio = z.number().min(0).max(1);

/** What `lr_scheduler` needs to know besides, by the names of transformers' `lr_scheduler_kwargs`. */
export const scheduleArgumentsSchema = z.strictObject({
  num_cycles: derived(
    z.number().positive().max(10_000),
    '0.5; 1 with `cosine_with_restarts`',
    'Periods of the cosine: 0.5 goes down once. With `cosine_with_restarts` how often it goes down, from the peak each time.',
  ),
  min_lr: derived(
    z.number().min(0).max(10),
    'null: see `min_lr_rate`',
    'Where a cosine with a floor ends: `cosine_with_min_lr` and `cosine_warmup_with_min_lr`.',
  ),
  min_lr_rate: derived(
    ratio,
    'null: see `min_lr`',
    'The same as a share of `learning_rate`. One of the two must be written.',
  ),
  warmup_lr_rate: derived(
    ratio,
    'null: one step of the warm-up',
    'Where the warm-up of `cosine_warmup_with_min_lr` begins, as a share of `learning_rate`.',
  ),
  lr_end: derived(z.number().min(0).max(10), '1e-7', 'Where `polynomial` ends, below `learning_rate`.'),
  power: derived(
    z.number().positive().max(100),
    '1',
    'Power of `polynomial`: 1 is a line, above it falls fast at first.',
  ),
  timescale: derived(
    z.int().min(1).max(1_000_000_000),
    'the steps of the warm-up, 10000 without one',
    'Steps of `inverse_sqrt`: without a warm-up the rate is down to 0.71 of its peak after so many, to a half after three times as many.',
  ),
  num_decay_steps: derived(
    z.int().min(0).max(1_000_000_000),
    'none; must be written with `warmup_stable_decay`',
    'Steps in which `warmup_stable_decay` goes down at the end.',
  ),
  num_stable_steps: derived(
    z.int().min(0).max(1_000_000_000),
    'all but those of the warm-up and of the decay',
    'Steps in which `warmup_stable_decay` stays at the peak. The floor holds for steps that are left after the decay.',
  ),
  warmup_type: derived(curve, '`linear`', 'Curve of the warm-up of `warmup_stable_decay`.'),
  decay_type: derived(curve, '`cosine`', 'Curve of the decay of `warmup_stable_decay`.'),
  min_lr_ratio: derived(
    ratio,
    '0',
    'Where the warm-up of `warmup_stable_decay` begins and its decay ends, as a share of `learning_rate`.',
  ),
});

export type ScheduleArguments = z.output<typeof scheduleArgumentsSchema>;
export type ScheduleArgument = keyof ScheduleArguments;

/** What each schedule reads, with transformers' defaults; null where it is decided by other keys, or must be written. */
export const scheduleDefaults = {
  cosine: { num_cycles: 0.5 },
  linear: {},
  constant: {},
  constant_with_warmup: {},
  cosine_with_min_lr: { num_cycles: 0.5, min_lr: null, min_lr_rate: null },
  cosine_warmup_with_min_lr: { num_cycles: 0.5, min_lr: null, min_lr_rate: null, warmup_lr_rate: null },
  cosine_with_restarts: { num_cycles: 1 },
  polynomial: { lr_end: 1e-7, power: 1 },
  inverse_sqrt: { timescale: null },
  warmup_stable_decay: {
    num_decay_steps: null,
    num_stable_steps: null,
    warmup_type: 'linear',
    decay_type: 'cosine',
    min_lr_ratio: 0,
    num_cycles: 0.5,
  },
} as const satisfies Record<string, Partial<ScheduleArguments>>;

export type ScheduleName = keyof typeof scheduleDefaults;

/** Other names of schedules, and the schedules. */
const scheduleAliases = { cosine_with_warmup: 'cosine', linear_with_warmup: 'linear' } as const;

type ScheduleAlias = keyof typeof scheduleAliases;

export const scheduleNames = [...Object.keys(scheduleDefaults), ...Object.keys(scheduleAliases)] as [
  ScheduleName | ScheduleAlias,
];

/** Where a recipe names none: schedule-free learning averages in the place of a decay. */
export function usualSchedule(optimizer: OptimizerName): ScheduleName {
  return optimizer === 'schedule_free_adamw' ? 'constant_with_warmup' : 'cosine';
}

export function scheduleCalled(name: ScheduleName | ScheduleAlias): ScheduleName {
  return Object.hasOwn(scheduleAliases, name) ? scheduleAliases[name as ScheduleAlias] : (name as ScheduleName);
}
