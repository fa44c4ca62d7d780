import type { Finding } from './problem.ts';
import type { Recipe } from './schema.ts';
import { optimizerCalled, optimizerDefaults, optimizerKeys } from './sections/optimizers.ts';

/** Keys that the optimizer does not read. */
export function optimizerFindings(recipe: Partial<Recipe>): Finding[] {
  const name = optimizerCalled(recipe.optimizer ?? 'adamw_torch');
  const averagesTwice: Finding = {
    path: ['ema_decay'],
    part: 'key',
    code: 'impossible_combination',
    what: '`optimizer: schedule_free_adamw` averages the weights by itself',
    next: 'remove ema_decay, or choose another optimizer',
    removable: [['ema_decay']],
  };
  const unread = optimizerKeys.filter((key) => !Object.hasOwn(optimizerDefaults[name], key));
  const averages = name === 'schedule_free_adamw' && recipe.ema_decay ? [averagesTwice] : [];
  const notRead = unread.flatMap((key): Finding[] => {
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
  return [...averages, ...notRead];
}
