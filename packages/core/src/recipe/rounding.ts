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

/** Of these 1 is out of range: a mean that forgets nothing, a layer of which nothing is left. */
const below1: ReadonlySet<RecipeKey> = new Set(['adam_beta1', 'adam_beta2', 'lora_dropout']);

/** Numbers that float32 turns into 0 or 1 and so into something else: no step at all, a division by 0. */
export function roundingFindings(recipe: Partial<Recipe>): Finding[] {
  return computedWith.flatMap((key): Finding[] => {
    const value = recipe[key];
    if (typeof value !== 'number') return [];
    const rounded = Math.fround(value);
    if (rounded === value || !(rounded === 0 || (rounded === 1 && below1.has(key)))) return [];
    return [
      {
        path: [key],
        part: 'value',
        code: 'out_of_range',
        what: `\`${key}\` is ${value}, which is ${rounded} in float32`,
        next: rounded === 0 ? 'write a number of at least 1e-45' : 'write a number of at most 0.9999999',
      },
    ];
  });
}
