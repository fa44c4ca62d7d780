import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { recipeJsonSchema, synthesisJsonSchema } from './jsonSchema.ts';
import { parseRecipe } from './read.ts';
import { recipeReference } from './reference.ts';
import { resolveRecipe } from './resolve.ts';
import { type Recipe, recipeSchema } from './schema.ts';
import { starterRecipe } from './starter.ts';

interface Documented {
  description?: string;
  default?: unknown;
  properties?: Record<string, Documented>;
}

describe('the JSON Schema', () => {
  const schema = recipeJsonSchema() as Documented;

  it('explains every key with its values and its default', () => {
    const keys = Object.entries(schema.properties ?? {});
    expect(keys.map(([key]) => key).sort()).toEqual(Object.keys(recipeSchema.shape).sort());
    for (const [key, { description }] of keys) {
      expect(description, key).toMatch(/\n\nValue: .+\./);
      if (!['base_model', 'datasets'].includes(key)) expect(description, key).toMatch(/\n\nDefault: .+\.$/);
    }
    expect(schema.properties?.['lora_r']?.description).toContain('Value: a whole number ≥ 1 and ≤ 1024.');
    expect(schema.properties?.['adapter']?.description).toContain('Value: `lora`, `qlora`, `null`.');
  });

  it('has the defaults that resolving takes', () => {
    const recipe: Recipe = { base_model: 'm', datasets: [{ path: 'd' }] };
    const resolved: Record<string, unknown> = {
      ...resolveRecipe(recipe, { baseDirectory: '/', exists: () => true }),
      output_dir: 'runs',
    };
    for (const [key, property] of Object.entries(schema.properties ?? {})) {
      if (property.default !== undefined) expect(resolved[key], key).toEqual(property.default);
    }
  });

  it('judges as the recipe does', () => {
    // Read back into zod: a second implementation of the same rules, which knows nothing of ours.
    const fromJson = z.fromJSONSchema(recipeJsonSchema());
    const good: Recipe = { base_model: 'm', datasets: [{ path: 'd', weight: 2 }], bf16: 'auto', lora_r: null };
    const bad = [{ ...good, lora_r: 0 }, { ...good, wibble: 1 }, { base_model: 'm' }, { ...good, adapter: 'dora' }];
    expect(fromJson.safeParse(good).success).toBe(true);
    for (const each of bad) expect(fromJson.safeParse(each).success, JSON.stringify(each)).toBe(false);
  });

  it('is there for recipes that make rows', () => {
    const fromJson = z.fromJSONSchema(synthesisJsonSchema());
    const endpoint = { url: 'http://127.0.0.1/v1', model: 'm', parameters: { stop: ['.'] } };
    const good = { endpoint, sources: [{ path: 'docs' }], output: 'rows.jsonl', judge: null };
    expect(fromJson.safeParse(good).success).toBe(true);
    for (const wrong of [{ task: 'sing' }, { source: [] }, { sources: [] }, { judge: { threshold: 11 } }]) {
      expect(fromJson.safeParse({ ...good, ...wrong }).success, JSON.stringify(wrong)).toBe(false);
    }
  });
});

describe('docs/recipe.md', () => {
  const path = new URL('../../../../docs/recipe.md', import.meta.url);

  it('is what the schema says now', async () => {
    await expect(recipeReference()).toMatchFileSnapshot(path.pathname);
  });

  it('names every key', () => {
    for (const key of Object.keys(recipeSchema.shape)) expect(recipeReference()).toContain(`- **\`${key}\`**`);
  });
});

describe('the starter recipe', () => {
  it('is valid, whatever the names', () => {
    for (const baseModel of ['smollm2-135m', 'C:\\models\\a b: "c"', '# 1']) {
      const { recipe } = parseRecipe(starterRecipe({ baseModel, dataset: './rows #1.jsonl' }), 'recipe.yaml');
      expect(recipe.base_model).toBe(baseModel);
      expect(recipe.datasets[0]?.path).toBe('./rows #1.jsonl');
    }
  });
});
