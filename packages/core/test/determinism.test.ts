import { describe, expect, test } from 'vitest';
import type { Recipe } from '../src/recipe/schema.ts';
import { temporaryFolder } from './fixtures.ts';
import { lossesOf, tinyRecipe, trainHere, weightsHash } from './runs.ts';

const steps = 6;
const kinds: Record<string, Partial<Recipe>> = {
  'LoRA with dropout, packing and several micro-batches': {
    lora_dropout: 0.2,
    sample_packing: true,
    sequence_len: 128,
  },
  'LoRA in bfloat16': { bf16: true, lora_dropout: 0.2 },
  'QLoRA with dropout': { adapter: 'qlora', lora_dropout: 0.2 },
  'full fine-tuning': { adapter: null, lora_r: undefined, lora_alpha: undefined, learning_rate: 0.002 },
  'full fine-tuning with moments in 8 bits': {
    adapter: null,
    lora_r: undefined,
    lora_alpha: undefined,
    learning_rate: 0.002,
    optimizer: 'adamw_8bit',
  },
};

describe.each(Object.entries(kinds))('%s', (_, changes) => {
  test('has the same bits with the same seed, on 1 thread and on 2; others with another seed', async () => {
    const recipe = tinyRecipe(temporaryFolder(), { ...changes, max_steps: steps, saves_per_epoch: 0 });
    const outcome = async (change: Partial<Recipe>) => {
      const run = await trainHere({ ...recipe, ...change });
      const file = changes.adapter === null ? 'model.safetensors' : 'adapter_model.safetensors';
      return {
        losses: lossesOf(run),
        weights: weightsHash(run, steps, file),
        optimizer: weightsHash(run, steps, 'optimizer.safetensors'),
      };
    };
    const first = await outcome({ threads: 1 });
    expect(await outcome({ threads: 1 })).toEqual(first);
    expect(await outcome({ threads: 2 })).toEqual(first);
    expect(await outcome({ threads: 5 })).toEqual(first);
    expect(await outcome({ threads: 2, activations: 'recompute' })).toEqual(first);
    const other = await outcome({ threads: 2, seed: 1 });
    expect(other.weights).not.toBe(first.weights);
    expect(other.losses).not.toEqual(first.losses);
  });
});
