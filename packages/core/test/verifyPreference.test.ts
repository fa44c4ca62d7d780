import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addon, cpuDevice } from '@anneal/kernels';
import { describe, expect, test } from 'vitest';
import { verifyPreference } from '../src/verify/verifyPreference.ts';
import { goldenPath, temporaryFolder } from './fixtures.ts';

const folder = join(import.meta.dirname, 'golden', 'preference');
const device = cpuDevice({ threads: 2 });

describe.each(['dpo', 'orpo', 'cpo', 'kto', 'reward', 'grpo'])('%s as TRL computes it', (objective) => {
  test.each(['llama3', 'qwen3'])('over %s', async (model) => {
    const quantities = await verifyPreference(join(folder, objective, model), goldenPath(model), device);
    expect(quantities.filter(({ passed }) => !passed)).toEqual([]);
    const compared = new Set(quantities.map(({ name }) => name));
    const golden = JSON.parse(readFileSync(join(folder, objective, model, 'golden.json'), 'utf8'));
    for (const name of Object.keys(golden.variants)) expect(compared).toContain(`${name}.loss`);
    for (const name of Object.keys(golden.curves)) expect(compared).toContain(`curve.${name}.loss`);
    const given = objective === 'grpo' ? ['old'] : [];
    for (const name of Object.keys(golden.logps)) {
      if (!given.includes(name)) expect(compared).toContain(`logps.${name}`);
    }
    for (const scale of Object.keys(golden.advantages ?? {})) expect(compared).toContain(`advantages.${scale}`);
  });
});

test.each(addon().instructionSets())('pairs with %s', async (isa) => {
  const quantities = await verifyPreference(join(folder, 'cpo', 'qwen3'), goldenPath('qwen3'), cpuDevice({ isa }));
  expect(quantities.filter(({ passed }) => !passed)).toEqual([]);
});

/** What fails where a number of golden.json is 1 % larger, or a row another one. */
async function failing(objective: string, change: (golden: Golden) => void): Promise<string[]> {
  const copy = join(temporaryFolder(), objective);
  cpSync(join(folder, objective, 'llama3'), copy, { recursive: true });
  const file = join(copy, 'golden.json');
  const golden = JSON.parse(readFileSync(file, 'utf8')) as Golden;
  change(golden);
  writeFileSync(file, JSON.stringify(golden));
  const quantities = await verifyPreference(copy, goldenPath('llama3'), device);
  return quantities.filter(({ passed }) => !passed).map(({ name }) => name);
}

interface Golden {
  readonly rows: { label?: boolean; chosen?: number[]; rejected?: number[]; rewards?: number[] }[];
  readonly sha256: Record<string, string>;
  readonly variants: Record<string, { options: Record<string, number>; loss: number }>;
}

describe('a wrong value fails', () => {
  test('a loss', async () => {
    const failed = await failing('orpo', ({ variants }) => {
      (variants['beta0.1'] as { loss: number }).loss *= 1.01;
    });
    expect(failed).toEqual(['beta0.1.loss']);
  });

  test.each([
    ['dpo', 'sigmoid_beta0.1', 'beta'],
    ['dpo', 'robust_beta0.1_smooth0.1', 'label_smoothing'],
    ['dpo', 'sigmoid_beta0.1_sft1.0', 'sft_weight'],
    ['cpo', 'simpo', 'simpo_gamma'],
    ['cpo', 'cpo_hinge', 'cpo_alpha'],
    ['kto', 'kto_beta0.5_weights1.33_0.75', 'undesirable_weight'],
    ['grpo', 'grpo_token_beta0.04_scale_group', 'beta'],
  ])('%s: option of %s', async (objective, variant, option) => {
    const failed = await failing(objective, ({ variants }) => {
      const { options } = variants[variant] as { options: Record<string, number> };
      options[option] = 1.01 * (options[option] as number);
    });
    expect(failed).toContain(`${variant}.loss`);
  });

  test('a pair the other way round', async () => {
    const failed = await failing('dpo', ({ rows: [first] }) => {
      if (first) [first.chosen, first.rejected] = [first.rejected as number[], first.chosen as number[]];
    });
    expect(failed).toContain('logps.policy.chosen');
    expect(failed).toContain('sigmoid_beta0.1.loss');
  });

  test('a reward', async () => {
    const failed = await failing('grpo', ({ rows: [first] }) => {
      if (first?.rewards) first.rewards[0] = 1.05 * (first.rewards[0] as number);
    });
    expect(failed).toContain('advantages.group');
    expect(failed).toContain('dapo_token_beta0.04_scale_batch.loss');
  });

  test('where ratios are clipped', async () => {
    const failed = await failing('grpo', ({ variants }) => {
      const { options } = variants['grpo_sequence_beta0.04_scale_group'] as { options: Record<string, unknown> };
      options.clip = [0.05, 0.07];
    });
    expect(failed).toContain('grpo_sequence_beta0.04_scale_group.loss');
  });

  test.each([
    ['dpo', { loss_type: 'apo_zero' }, 'loss_type "apo_zero"'],
    ['dpo', { loss_type: ['sigmoid', 'bco_pair'] }, 'loss_type ["sigmoid","bco_pair"]'],
    ['dpo', { f_divergence_type: 'js_divergence' }, 'f_divergence_type "js_divergence"'],
    ['dpo', { ld_alpha: 0.5 }, 'ld_alpha 0.5'],
    ['cpo', { loss_type: 'alphapo', alpha: 0.1 }, 'loss_type "alphapo"'],
    ['kto', { loss_type: 'bco' }, 'loss_type "bco"'],
    ['orpo', { label_smoothing: 0.1 }, 'label_smoothing 0.1'],
    ['grpo', { loss_type: 'cispo' }, 'loss_type "cispo"'],
  ])('%s with %j, which is not here', async (objective, options, named) => {
    const failed = failing(objective, ({ variants }) => {
      Object.assign(Object.values(variants)[0]?.options ?? {}, options);
    });
    await expect(failed).rejects.toThrow(`${named}, which is not here for ${objective}`);
  });

  test('another base', async () => {
    const copy = failing('kto', ({ sha256 }) => {
      sha256['model.safetensors'] = '0'.repeat(64);
    });
    await expect(copy).rejects.toThrow('is not the one that these values were computed from');
  });
});
