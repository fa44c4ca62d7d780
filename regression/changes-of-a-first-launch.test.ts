/**
 * What the first launch of a run changed in its recipe (a run that waited in the queue can be given changes) was taken for a
 * change of the next resume: `anneal reproduce` then repeated the steps before that with another recipe.
 */
import type { RunEvent } from '@anneal/core/protocol/events';
import { firstSettings, stretchesOf } from '@anneal/core/trainer/repetition';
import { expect, test } from 'vitest';

const change = (key: string, from: number, to: number) => ({ type: 'recipe_changed', changes: [{ key, from, to }] });
const started = { type: 'started', totalSteps: 8 };

test('changes of the first launch belong to the first stretch, those of a resume to its own', () => {
  const events = [
    { type: 'run_created' },
    change('max_steps', 4, 6),
    started,
    change('max_steps', 6, 8),
    { type: 'resumed', fromStep: 6 },
    started,
  ] as unknown as RunEvent[];
  const stretches = stretchesOf(events);
  expect(stretches).toEqual([
    { from: 0, changes: [] },
    { from: 6, changes: [{ key: 'max_steps', from: 6, to: 8 }] },
  ]);
  expect(firstSettings(stretches)).toEqual(['max_steps=6']);
});
