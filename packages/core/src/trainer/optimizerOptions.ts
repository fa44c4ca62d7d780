import type { ResolvedRecipe } from '../recipe/resolve.ts';
import type { Method, OptimizerOptions } from './optimizer.ts';

export function optimizerOptions(recipe: ResolvedRecipe): OptimizerOptions {
  const { weight_decay: weightDecay, max_grad_norm: maxGradNorm, ema_decay: emaDecay } = recipe;
  const embeddingRate = (recipe.embedding_lr ?? recipe.learning_rate) / recipe.learning_rate;
  return { ...methodOf(recipe), weightDecay, maxGradNorm, emaDecay, embeddingRate };
}

function methodOf(recipe: ResolvedRecipe): Method {
  switch (recipe.optimizer) {
    case 'adamw_torch':
    case 'adamw_8bit': {
      const { adam_beta1: beta1, adam_beta2: beta2, adam_epsilon: epsilon } = recipe;
      return { kind: 'adamw', beta1, beta2, epsilon, momentBits: recipe.optimizer === 'adamw_8bit' ? 8 : 32 };
    }
    case 'lion':
      return { kind: 'lion', beta1: recipe.adam_beta1, beta2: recipe.adam_beta2 };
    case 'adafactor':
      return { kind: 'adafactor' };
    case 'muon':
    case 'schedule_free_adamw': {
      const { adam_beta1: beta1, adam_beta2: beta2, adam_epsilon: epsilon } = recipe;
      return { kind: recipe.optimizer, beta1, beta2, epsilon };
    }
  }
}
