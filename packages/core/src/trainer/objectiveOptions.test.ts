import { expect, test } from 'vitest';
import { missing, resolved } from '../../test/recipeTable.ts';
import type { ObjectiveOptions } from '../objectives/index.ts';
import type { Recipe } from '../recipe/schema.ts';
import { preference } from '../recipe/sections/preference.ts';
import { objectiveOptions } from './objectiveOptions.ts';

const dpo = {
  kind: 'dpo',
  loss: 'sigmoid',
  beta: 0.1,
  labelSmoothing: 0,
  referenceFree: false,
  sftWeight: 0,
} as const;
const cpo = { kind: 'cpo', loss: 'sigmoid', beta: 0.1, labelSmoothing: 0, gamma: 0, sftWeight: 1 } as const;
const kto = { kind: 'kto', beta: 0.1, desirableWeight: 1, undesirableWeight: 1, divergence: true } as const;
const grpo = {
  kind: 'grpo',
  sequence: false,
  low: 0.2,
  high: 0.2,
  beta: 0,
  correction: true,
  temperature: 1,
  onPolicy: true,
} as const;
const trl = (keys: Partial<NonNullable<Recipe['trl']>>): Partial<Recipe> => ({
  rl: 'grpo',
  trl: { reward_funcs: [{ type: 'length', target: 8 }], ...keys },
});

const table: readonly (readonly [Partial<Recipe>, ObjectiveOptions])[] = [
  [{}, { kind: 'sft' }],
  [{ rl: 'dpo' }, dpo],
  [
    { rl: 'dpo', rl_beta: 0.3 },
    { ...dpo, beta: 0.3 },
  ],
  [
    { rl: 'dpo', dpo_loss_type: 'sigmoid', dpo_label_smoothing: 0.2 },
    { ...dpo, labelSmoothing: 0.2 },
  ],
  [
    { rl: 'dpo', dpo_loss_type: 'hinge' },
    { ...dpo, loss: 'hinge' },
  ],
  [
    { rl: 'dpo', dpo_loss_type: 'robust', dpo_label_smoothing: 0.2 },
    { ...dpo, loss: 'robust', labelSmoothing: 0.2 },
  ],
  [
    { rl: 'dpo', dpo_reference_free: true },
    { ...dpo, referenceFree: true },
  ],
  [
    { rl: 'dpo', dpo_reference_free: false, rpo_alpha: 0.7 },
    { ...dpo, sftWeight: 0.7 },
  ],
  [{ rl: 'ipo' }, { ...dpo, loss: 'ipo' }],
  [
    { rl: 'ipo', rl_beta: 0.3, dpo_reference_free: true, rpo_alpha: 0.7 },
    { ...dpo, loss: 'ipo', beta: 0.3, referenceFree: true, sftWeight: 0.7 },
  ],
  [{ rl: 'orpo' }, { kind: 'orpo', beta: 0.1 }],
  [
    { rl: 'orpo', orpo_alpha: 0.4 },
    { kind: 'orpo', beta: 0.4 },
  ],
  [{ rl: 'simpo' }, { ...cpo, loss: 'simpo', beta: 2, gamma: 1, sftWeight: 0 }],
  [
    { rl: 'simpo', rl_beta: 3, simpo_gamma: 0.6, cpo_alpha: 0.7 },
    { ...cpo, loss: 'simpo', beta: 3, gamma: 0.6, sftWeight: 0.7 },
  ],
  [{ rl: 'cpo' }, cpo],
  [
    { rl: 'cpo', dpo_loss_type: 'hinge' },
    { ...cpo, loss: 'hinge' },
  ],
  [
    { rl: 'cpo', rl_beta: 0.3, dpo_label_smoothing: 0.2, cpo_alpha: 0.7 },
    { ...cpo, beta: 0.3, labelSmoothing: 0.2, sftWeight: 0.7 },
  ],
  [{ rl: 'kto' }, kto],
  [
    { rl: 'kto', kto_loss_type: 'kto', rl_beta: 0.3, kto_desirable_weight: 0.5, kto_undesirable_weight: 0.8 },
    { ...kto, beta: 0.3, desirableWeight: 0.5, undesirableWeight: 0.8 },
  ],
  [
    { rl: 'kto', kto_loss_type: 'apo_zero_unpaired' },
    { ...kto, divergence: false },
  ],
  [{ rl: 'reward' }, { kind: 'reward', center: 0 }],
  [
    { rl: 'reward', center_rewards_coefficient: 0.01 },
    { kind: 'reward', center: 0.01 },
  ],
  [trl({}), grpo],
  [trl({ importance_sampling_level: 'token' }), grpo],
  [trl({ importance_sampling_level: 'sequence' }), { ...grpo, sequence: true }],
  [trl({ epsilon: 0.1 }), { ...grpo, low: 0.1, high: 0.1 }],
  [trl({ epsilon_high: 0.28 }), { ...grpo, high: 0.28 }],
  [trl({ beta: 0.04, use_bias_correction_kl: true }), { ...grpo, beta: 0.04 }],
  [trl({ use_bias_correction_kl: false }), { ...grpo, correction: false }],
  [trl({ temperature: 0.7 }), { ...grpo, temperature: 0.7 }],
  [trl({ num_iterations: 2 }), { ...grpo, onPolicy: false }],
];

test.each(table)('%j', (part, options) => {
  expect(objectiveOptions(resolved(part))).toEqual(options);
});

test('each key of preferences, and each value of an enum, is among them', () => {
  expect(
    missing(
      preference,
      table.map(([part]) => part),
    ),
  ).toEqual([]);
});
