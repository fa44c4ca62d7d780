/** What each optimizer reads beside `learning_rate`, `weight_decay` and `max_grad_norm`, with its defaults. */
export const optimizerDefaults = {
  adamw_torch: { adam_beta1: 0.9, adam_beta2: 0.999, adam_epsilon: 1e-8 },
  adamw_8bit: { adam_beta1: 0.9, adam_beta2: 0.999, adam_epsilon: 1e-8 },
  lion: { adam_beta1: 0.9, adam_beta2: 0.99 },
  adafactor: {},
  muon: { adam_beta1: 0.9, adam_beta2: 0.999, adam_epsilon: 1e-8 },
  schedule_free_adamw: { adam_beta1: 0.9, adam_beta2: 0.999, adam_epsilon: 1e-8 },
} as const;

export type OptimizerName = keyof typeof optimizerDefaults;

export const optimizerKeys = ['adam_beta1', 'adam_beta2', 'adam_epsilon'] as const;
export type OptimizerKey = (typeof optimizerKeys)[number];

/** Other names of optimizers, and the optimizers. */
const optimizerAliases = {
  adamw_torch_fused: 'adamw_torch',
  adamw_bnb_8bit: 'adamw_8bit',
  lion_32bit: 'lion',
  lion_pytorch: 'lion',
} as const;

type OptimizerAlias = keyof typeof optimizerAliases;

export const optimizerNames = [...Object.keys(optimizerDefaults), ...Object.keys(optimizerAliases)] as [
  OptimizerName | OptimizerAlias,
];

export function optimizerCalled(name: OptimizerName | OptimizerAlias): OptimizerName {
  return Object.hasOwn(optimizerAliases, name) ? optimizerAliases[name as OptimizerAlias] : (name as OptimizerName);
}
