import { expect, it } from 'vitest';
import { presetNames } from '../protocol/presets.ts';
import { checkRecipe } from './read.ts';
import { resolveRecipe } from './resolve.ts';
import { starterRecipe } from './starter.ts';

it.each(presetNames)('%s begins as a recipe that is in order', (preset) => {
  const text = starterRecipe({ baseModel: 'Qwen/Qwen3-8B', dataset: 'rows.jsonl', preset });
  const checked = checkRecipe(text, 'recipe.yaml');
  if (!checked.ok) throw new Error(JSON.stringify(checked.problems));
  const resolved = resolveRecipe(checked.value.recipe, {
    baseDirectory: '/',
    exists: (path) => path === '/rows.jsonl',
  });
  expect(resolved.adapter).toBe(
    {
      lora: 'lora',
      qlora: 'qlora',
      full: null,
      continued: null,
      thinking: 'lora',
      dpo: 'lora',
      kto: 'lora',
      reward: 'lora',
      grpo: 'lora',
    }[preset],
  );
  expect(resolved.rl).toBe(['dpo', 'kto', 'reward', 'grpo'].includes(preset) ? preset : null);
});
