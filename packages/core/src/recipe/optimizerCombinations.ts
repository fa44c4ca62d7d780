import type { Finding } from './problem.ts';
import type { Recipe } from './schema.ts';
import { optimizerCalled, optimizerDefaults, optimizerKeys } from './sections/optimizers.ts';

/** Keys that the optimizer does not read. */
export function optimizerFindings(recipe: Partial<Recipe>): Finding[] {
  const name = optimizerCalled(recipe.optimizer ?? 'adamw_torch');
  const unread = optimizerKeys.filter((key) => !Object.hasOwn(optimizerDefaults[name], key));
  return unread.flatMap((key): Finding[] => {
    if (recipe[key] === undefined || recipe[key] === null) return [];
    const readers = Object.entries(optimizerDefaults).flatMap(([each, keys]) => (key in keys ? [each] : []));
    return [
      {
        path: [key],
        part: 'key',
        code: 'impossible_combination',
        what: `\`optimizer: ${name}\` does not read \`${key}\``,
        next: `remove it, or set optimizer to ${readers.join(' or ')}`,
        removable: [[key]],
      },
    ];
  });
}
