import type { Finding } from './problem.ts';
import type { Recipe, RecipeKey } from './schema.ts';

/** The engine computes with these in float32. */
const computedWith = [
  'learning_rate',
  'cosine_min_lr_ratio',
  'adam_beta1',
  'adam_beta2',
  'adam_epsilon',
  'weight_decay',
  'max_grad_norm',
  'lora_alpha',
  'lora_dropout',
  'sample_temperature',
] as const satisfies readonly RecipeKey[];

/** Numbers that float32 turns into 0 or 1, which mean something else: no step at all, a mean that forgets nothing. */
export function roundingFindings(recipe: Partial<Recipe>): Finding[] {
  return computedWith.flatMap((key): Finding[] => {
    const value = recipe[key];
    if (typeof value !== 'number') return [];
    const rounded = Math.fround(value);
    if (rounded === value || (rounded !== 0 && rounded !== 1)) return [];
    return [
      {
        path: [key],
        part: 'value',
        code: 'out_of_range',
        what: `\`${key}\` is ${value}, which is ${rounded} in float32`,
        next: `write ${rounded} if that is meant, or a number ${rounded === 0 ? 'of at least 1e-45' : 'that differs from 1 by at least 1e-7'}`,
      },
    ];
  });
}
