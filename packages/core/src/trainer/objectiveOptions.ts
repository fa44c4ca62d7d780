import type { AnswerMode } from '../datasets/formats/index.ts';
import type { ObjectiveOptions } from '../objectives/index.ts';
import type { PreferenceKey, ResolvedRecipe, ResolvedRollouts } from '../recipe/resolve.ts';

/** What a recipe wants to be minimized. */
export function objectiveOptions(recipe: ResolvedRecipe): ObjectiveOptions {
  const number = (key: PreferenceKey): number => decided(recipe, key) as number;
  const smoothed = { beta: recipe.rl_beta ?? 0, labelSmoothing: recipe.dpo_label_smoothing ?? 0 };
  switch (recipe.rl) {
    case null:
      return { kind: 'sft' };
    case 'dpo':
    case 'ipo': {
      const loss = recipe.rl === 'ipo' ? 'ipo' : (decided(recipe, 'dpo_loss_type') as 'sigmoid' | 'hinge' | 'robust');
      const referenceFree = recipe.dpo_reference_free === true;
      return { kind: 'dpo', loss, ...smoothed, referenceFree, sftWeight: number('rpo_alpha') };
    }
    case 'orpo':
      return { kind: 'orpo', beta: number('orpo_alpha') };
    case 'simpo':
      return { kind: 'cpo', loss: 'simpo', ...smoothed, gamma: number('simpo_gamma'), sftWeight: number('cpo_alpha') };
    case 'cpo': {
      const loss = decided(recipe, 'dpo_loss_type') as 'sigmoid' | 'hinge';
      return { kind: 'cpo', loss, ...smoothed, gamma: 0, sftWeight: number('cpo_alpha') };
    }
    case 'kto':
      return {
        kind: 'kto',
        beta: number('rl_beta'),
        desirableWeight: number('kto_desirable_weight'),
        undesirableWeight: number('kto_undesirable_weight'),
        divergence: recipe.kto_loss_type === 'kto',
      };
    case 'reward':
      return { kind: 'reward', center: number('center_rewards_coefficient') };
    case 'grpo': {
      const trl = rolloutSettings(recipe);
      return {
        kind: 'grpo',
        sequence: trl.importance_sampling_level === 'sequence',
        low: trl.epsilon,
        high: trl.epsilon_high,
        beta: trl.beta,
        correction: trl.use_bias_correction_kl,
        temperature: trl.temperature,
        onPolicy: trl.num_iterations === 1,
      };
    }
  }
}

/** `resolveRecipe` leaves no key null that the kind of training reads. */
function decided(recipe: ResolvedRecipe, key: PreferenceKey): NonNullable<ResolvedRecipe[PreferenceKey]> {
  const value = recipe[key];
  if (value === null) throw new Error(`${key} is not decided`);
  return value;
}

/** What a recipe with `rl: grpo` says of it. */
export function rolloutSettings({ trl }: ResolvedRecipe): ResolvedRollouts {
  if (trl === null) throw new Error('trl is not written');
  return trl;
}

/** What rows say of answers that are preferred. */
export function answerModeOf({ rl }: Pick<ResolvedRecipe, 'rl'>): AnswerMode | null {
  if (rl === null) return null;
  if (rl === 'grpo') return 'sampled';
  return rl === 'kto' ? 'judged' : 'pairs';
}
