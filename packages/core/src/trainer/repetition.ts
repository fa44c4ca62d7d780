/** Repeating a run: with which recipes it was trained from which step on, and what a launch that repeats a part of it is told. */
import { z } from 'zod';
import type { RecipeChange, RunEvent } from '../protocol/events.ts';

export const repetitionSchema = z.object({
  /** When the repeated run was created, ISO 8601: what templates that print the date printed. */
  created: z.string(),
  /** The steps that have a checkpoint, in the place of the recipe's cadence and its limit. */
  saveAfter: z.array(z.int().min(1)),
  stopAfter: z.int().min(1),
});
export type Repetition = z.infer<typeof repetitionSchema>;

/** Steps that were trained with one recipe. */
export interface Stretch {
  /** Steps before it. */
  from: number;
  /** What this recipe changed in the one before, or in the first one. */
  changes: RecipeChange[];
}

/** A run whose recipe was changed when it went on has several; what later launches repeated is left out. */
export function stretchesOf(events: Iterable<RunEvent>): Stretch[] {
  const stretches: Stretch[] = [{ from: 0, changes: [] }];
  let waiting: RecipeChange[] = [];
  for (const event of events) {
    if (event.type === 'recipe_changed') waiting.push(...event.changes);
    // What the first launch changed is part of the first stretch.
    if (event.type === 'started') waiting = [];
    if (event.type !== 'resumed' || waiting.length === 0) continue;
    // Of stretches that begin where this one does or later nothing counts any more but their changes.
    while (stretches.length > 0 && (stretches.at(-1) as Stretch).from >= event.fromStep) {
      waiting = [...(stretches.pop() as Stretch).changes, ...waiting];
    }
    stretches.push({ from: event.fromStep, changes: waiting });
    waiting = [];
  }
  return stretches;
}

/** Settings that lead from the recipe as it is now back to that of the first stretch, as `key=value`. */
export function firstSettings(stretches: readonly Stretch[]): string[] {
  const [first, ...later] = stretches;
  const settings = new Map<string, unknown>();
  for (const { key, from } of later.flatMap(({ changes }) => changes)) if (!settings.has(key)) settings.set(key, from);
  // A stretch from step 0 on has replaced the recipe that the run was created with.
  for (const { key, to } of first?.changes ?? []) settings.set(key, to);
  return settingsOf(settings);
}

export function settingsOf(changed: Iterable<readonly [string, unknown]>): string[] {
  return [...changed].map(([key, value]) => `${key}=${JSON.stringify(value)}`);
}
