/** The chat about a run. */
import type { ListedRun } from '@anneal/core/protocol/studio';

/** Whether there is something to talk to: a checkpoint, of a model that answers. */
export function isChattable({ checkpoint, rl }: Pick<ListedRun, 'checkpoint' | 'rl'>): boolean {
  return checkpoint !== null && rl !== 'reward';
}

/** Where one talks to a run beside what it began with. */
export function chatWith({ key, adapter }: Pick<ListedRun, 'key' | 'adapter'>): string {
  const models = adapter === null ? [key] : [key, `${key}@base`];
  return `/chat?models=${models.map(encodeURIComponent).join(',')}`;
}
