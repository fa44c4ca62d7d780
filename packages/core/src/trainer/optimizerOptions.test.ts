import { expect, test } from 'vitest';
import { resolved } from '../../test/recipeTable.ts';
import type { Recipe } from '../recipe/schema.ts';
import { optimizerNames } from '../recipe/sections/optimizers.ts';
import type { OptimizerOptions } from './optimizer.ts';
import { optimizerOptions } from './optimizerOptions.ts';

const rest = { weightDecay: 0.01, maxGradNorm: 1, emaDecay: 0, embeddingRate: 1 };
const adam = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
const adamw = { kind: 'adamw', ...adam, momentBits: 32, ...rest } as const;
const lion = { kind: 'lion', beta1: 0.9, beta2: 0.99, ...rest } as const;
const moved = { adam_beta1: 0.8, adam_beta2: 0.95, adam_epsilon: 1e-6 };
const movedTo = { beta1: 0.8, beta2: 0.95, epsilon: 1e-6 };

const table: readonly (readonly [Partial<Recipe>, OptimizerOptions])[] = [
  [{}, adamw],
  [{ optimizer: 'adamw_torch' }, adamw],
  [
    { optimizer: 'adamw_torch_fused', ...moved },
    { ...adamw, ...movedTo },
  ],
  [
    { optimizer: 'adamw_8bit', ...moved },
    { ...adamw, ...movedTo, momentBits: 8 },
  ],
  [{ optimizer: 'adamw_bnb_8bit' }, { ...adamw, momentBits: 8 }],
  [{ optimizer: 'lion' }, lion],
  [
    { optimizer: 'lion_32bit', adam_beta1: 0.8, adam_beta2: 0.95 },
    { ...lion, beta1: 0.8, beta2: 0.95 },
  ],
  [{ optimizer: 'lion_pytorch' }, lion],
  [{ optimizer: 'adafactor' }, { kind: 'adafactor', ...rest }],
  [{ optimizer: 'muon' }, { kind: 'muon', ...adam, ...rest }],
  [
    { optimizer: 'muon', ...moved },
    { kind: 'muon', ...movedTo, ...rest },
  ],
  [{ optimizer: 'schedule_free_adamw' }, { kind: 'schedule_free_adamw', ...adam, ...rest }],
  [
    { optimizer: 'schedule_free_adamw', ...moved },
    { kind: 'schedule_free_adamw', ...movedTo, ...rest },
  ],
  [{ weight_decay: 0.1 }, { ...adamw, weightDecay: 0.1 }],
  [{ max_grad_norm: 0.3 }, { ...adamw, maxGradNorm: 0.3 }],
  [{ ema_decay: 0.99 }, { ...adamw, emaDecay: 0.99 }],
  [
    { learning_rate: 0.004, embedding_lr: 0.001 },
    { ...adamw, embeddingRate: 0.25 },
  ],
];

test.each(table)('%j', (part, options) => {
  expect(optimizerOptions(resolved(part))).toEqual(options);
});

test('each optimizer, by each of its names, is among them', () => {
  expect(optimizerNames.filter((name) => !table.some(([part]) => part.optimizer === name))).toEqual([]);
});
