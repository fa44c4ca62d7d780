import type * as z from 'zod';
import type { KeyPath } from './problem.ts';
import type { recipeSchema } from './schema.ts';
import {
  type OptimizerKey,
  type OptimizerName,
  optimizerCalled,
  optimizerDefaults,
  optimizerKeys,
} from './sections/optimizers.ts';
import {
  type ScheduleArgument,
  type ScheduleArguments,
  type ScheduleName,
  scheduleCalled,
  scheduleDefaults,
  usualSchedule,
} from './sections/schedule.ts';

type Filled = z.output<typeof recipeSchema>;

/** Of the two warm-ups exactly one is a number. */
export type ResolvedOptimization = Pick<Filled, 'warmup_ratio' | 'warmup_steps'> & {
  learning_rate: number;
  cosine_min_lr_ratio: number;
} & ScheduleSettings &
  OptimizerSettings;

/** Of what trains like this, with AdamW. */
export const usualLearningRate = (recipe: Pick<Filled, 'adapter' | 'rl'>): number =>
  (recipe.adapter === null ? 2e-5 : 2e-4) / (refines(recipe) ? 10 : 1);

/** With each schedule what it reads; null where it reads nothing. */
type ScheduleSettings = {
  [Name in ScheduleName]: { lr_scheduler: Name; lr_scheduler_kwargs: SettingsOf<(typeof scheduleDefaults)[Name]> };
}[ScheduleName];

type SettingsOf<Defaults> = keyof Defaults extends never
  ? null
  : {
      [Key in keyof Defaults & ScheduleArgument]: Defaults[Key] extends null
        ? ScheduleArguments[Key]
        : NonNullable<ScheduleArguments[Key]>;
    };

/** With each optimizer what it reads; the others are null. */
type OptimizerSettings = {
  [Name in OptimizerName]: { optimizer: Name } & {
    [Key in OptimizerKey]: Key extends keyof (typeof optimizerDefaults)[Name] ? number : null;
  };
}[OptimizerName];

/** What is trained can do its task already. The head of a reward model is new. */
function refines({ rl }: Pick<Filled, 'rl'>): boolean {
  return rl !== null && rl !== 'reward';
}

export function resolveOptimization(
  filled: Filled,
  refuse: (path: KeyPath, what: string, next: string) => void,
): ResolvedOptimization {
  const learning_rate = filled.learning_rate ?? usualLearningRate(filled);
  const schedule = scheduleSettings(filled);
  for (const key of ['min_lr', 'lr_end'] as const) {
    const end = (schedule.lr_scheduler_kwargs as Partial<ScheduleArguments> | null)?.[key] ?? 0;
    if (end < learning_rate) continue;
    refuse(
      ['lr_scheduler_kwargs', key],
      `the schedule ends at a learning rate of ${end}, which is not below the peak of ${learning_rate}`,
      `write a lower ${key}, or raise learning_rate`,
    );
  }
  const constant = schedule.lr_scheduler === 'constant';
  return {
    learning_rate,
    ...schedule,
    warmup_ratio: constant || filled.warmup_steps !== null ? null : (filled.warmup_ratio ?? 0.03),
    warmup_steps: constant ? 0 : filled.warmup_steps,
    cosine_min_lr_ratio: filled.cosine_min_lr_ratio ?? 0,
    ...optimizerSettings(filled),
  };
}

function scheduleSettings({ lr_scheduler, lr_scheduler_kwargs, optimizer }: Filled): ScheduleSettings {
  const name = scheduleCalled(lr_scheduler ?? usualSchedule(optimizerCalled(optimizer)));
  const defaults = Object.entries(scheduleDefaults[name]) as [ScheduleArgument, unknown][];
  const settings = defaults.map(([key, standard]) => [key, lr_scheduler_kwargs?.[key] ?? standard]);
  return {
    lr_scheduler: name,
    lr_scheduler_kwargs: settings.length === 0 ? null : Object.fromEntries(settings),
  } as ScheduleSettings;
}

function optimizerSettings(filled: Filled): OptimizerSettings {
  const optimizer = optimizerCalled(filled.optimizer);
  const defaults: Partial<Record<OptimizerKey, number>> = optimizerDefaults[optimizer];
  const settings = optimizerKeys.map((key) => [
    key,
    defaults[key] === undefined ? null : (filled[key] ?? defaults[key]),
  ]);
  return { optimizer, ...Object.fromEntries(settings) } as OptimizerSettings;
}
