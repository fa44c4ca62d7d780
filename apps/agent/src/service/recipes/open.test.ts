import { expect, test } from 'vitest';
import { recipeName } from './open.ts';

test.each([
  ['harbor/recipe.yaml', 'harbor'],
  ['/home/ada/harbor/recipe.yml', 'harbor'],
  ['harbor/larger.yaml', 'larger'],
  ['harbor/recipe.v2.yaml', 'recipe.v2'],
  ['/recipe.yaml', 'recipe'],
])('runs of %s are called %s', (path, name) => expect(recipeName(path)).toBe(name));
