import type { Finding, KeyPath } from './problem.ts';
import type { Recipe } from './schema.ts';
import { optimizerCalled } from './sections/optimizers.ts';
import { type ScheduleArgument, scheduleCalled, scheduleDefaults, usualSchedule } from './sections/schedule.ts';

/** Keys of the learning rate that do not go with the schedule, or with each other. */
export function scheduleFindings(recipe: Partial<Recipe>): Finding[] {
  const found: Finding[] = [];
  const clash = (...of: Parameters<typeof finding>) => found.push(finding(...of));
  const name = scheduleCalled(recipe.lr_scheduler ?? usualSchedule(optimizerCalled(recipe.optimizer ?? 'adamw_torch')));
  const given = recipe.lr_scheduler_kwargs ?? {};

  for (const key of ['warmup_ratio', 'warmup_steps'] as const) {
    if (name === 'constant' && recipe[key]) {
      clash([key], '`lr_scheduler: constant` has no warm-up', 'choose constant_with_warmup', [[key]]);
    }
  }
  if (recipe.cosine_min_lr_ratio && name !== 'cosine') {
    clash(
      ['cosine_min_lr_ratio'],
      '`cosine_min_lr_ratio` belongs to `lr_scheduler: cosine`',
      name.startsWith('cosine')
        ? 'remove it: lr_scheduler_kwargs has what this schedule reads'
        : 'set lr_scheduler: cosine, or remove the key',
      [['cosine_min_lr_ratio']],
    );
  }
  for (const key of Object.keys(given) as ScheduleArgument[]) {
    if (!isSet(given[key]) || Object.hasOwn(scheduleDefaults[name], key)) continue;
    const readers = Object.entries(scheduleDefaults).flatMap(([each, keys]) => (key in keys ? [each] : []));
    clash(
      argument(key),
      `\`lr_scheduler: ${name}\` does not read \`${key}\``,
      `remove it, or set lr_scheduler to ${readers.join(' or ')}`,
      [argument(key)],
    );
  }
  if (name === 'cosine_with_min_lr' || name === 'cosine_warmup_with_min_lr') {
    const floors = (['min_lr', 'min_lr_rate'] as const).filter((key) => isSet(given[key]));
    if (floors.length === 0) {
      clash(
        ['lr_scheduler'],
        `\`lr_scheduler: ${name}\` does not say where the cosine ends`,
        'add lr_scheduler_kwargs: {min_lr_rate: 0.1}, or min_lr',
      );
    }
    if (floors.length === 2) {
      clash(
        argument('min_lr_rate'),
        '`min_lr` and `min_lr_rate` are both written',
        'keep one of them',
        floors.map(argument),
      );
    }
  }
  if (name === 'cosine_with_restarts' && !Number.isInteger(given.num_cycles ?? 1)) {
    clash(
      argument('num_cycles'),
      `the learning rate goes down ${given.num_cycles} times from its peak`,
      'write a whole number',
    );
  }
  if (name === 'warmup_stable_decay') found.push(...stableDecayFindings(recipe));
  return found;
}

function stableDecayFindings({ lr_scheduler_kwargs, warmup_steps, max_steps }: Partial<Recipe>): Finding[] {
  const { num_decay_steps: decay, num_stable_steps: stable } = lr_scheduler_kwargs ?? {};
  if (!isSet(decay)) {
    return [
      finding(
        ['lr_scheduler'],
        '`lr_scheduler: warmup_stable_decay` does not say how long the decay is',
        'add lr_scheduler_kwargs: {num_decay_steps: …}; a tenth of all steps is usual',
      ),
    ];
  }
  const steps = (warmup_steps ?? 0) + Number(decay);
  if (!max_steps || isSet(stable) || steps <= max_steps) return [];
  return [
    finding(
      argument('num_decay_steps'),
      `warm-up and decay take ${steps} steps, the run has ${max_steps}`,
      'lower num_decay_steps or warmup_steps, or raise max_steps',
    ),
  ];
}

function argument(key: ScheduleArgument): KeyPath {
  return ['lr_scheduler_kwargs', key];
}

function finding(path: KeyPath, what: string, next: string, removable: readonly KeyPath[] = []): Finding {
  const found: Finding = { path, part: 'key', code: 'impossible_combination', what, next };
  return removable.length > 0 ? { ...found, removable } : found;
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}
