/** What a list of runs says of their recipes. */
import { createHash } from 'node:crypto';
import type { RecipeChange } from '@anneal/core/protocol/events';
import { readRunFile } from '@anneal/core/trainer/runFiles';
import { parse } from 'yaml';
import type { RunDigest } from './runIndex.ts';

export type RecipeNames = RunDigest['recipe'];

/** What changes of a recipe say of its device: the file follows the event that has them. */
export function deviceIn(changes: readonly RecipeChange[]): Pick<RecipeNames, 'device'> | undefined {
  const device = changes.find(({ key }) => key === 'device')?.to;
  return typeof device === 'string' ? { device } : undefined;
}

/** Of a recipe that cannot be read the run is shown all the same. */
export function namesIn(path: string): RecipeNames {
  try {
    const recipe = parse(readRunFile(path)) as Record<string, unknown> | null;
    const text = (key: string) => (typeof recipe?.[key] === 'string' ? (recipe[key] as string) : null);
    const { seed, ...others } = recipe ?? {};
    return {
      baseModel: text('base_model'),
      adapter: text('adapter'),
      rl: text('rl'),
      device: text('device'),
      seed: typeof seed === 'number' ? seed : null,
      family: createHash('sha256').update(JSON.stringify(others)).digest('base64url').slice(0, 16),
    };
  } catch {
    return { baseModel: null, adapter: null, rl: null, device: null, seed: null, family: null };
  }
}
