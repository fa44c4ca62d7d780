/** Keys that a procedure does not know were dropped without a word: a misspelled `priority` queued a run as if nothing had been asked for. */
import { expect, it } from 'vitest';
import { z } from 'zod';
import { appRouter } from '../apps/agent/src/daemon/router/index.ts';

type Schema = z.core.$ZodType;

/** Where a schema takes an object with a key that it does not know, and says nothing. */
function looseIn(schema: Schema, at: string, seen = new Set<Schema>()): string[] {
  if (seen.has(schema)) return [];
  seen.add(schema);
  const def = schema._zod.def as unknown as Record<string, unknown>;
  if (def['type'] === 'custom' || def['type'] === 'any') return [`${at}: cannot be looked into`];
  const isOpen = def['type'] === 'object' && (def['catchall'] as Schema | undefined)?._zod.def.type !== 'never';
  const inner = [
    ...['innerType', 'element', 'valueType', 'left', 'right', 'in'].map((key) => [key, def[key]]),
    ...Object.entries((def['shape'] as object | undefined) ?? {}),
    ...[...((def['options'] as Schema[]) ?? []), ...((def['items'] as Schema[]) ?? [])].entries(),
  ] as [string, Schema | undefined][];
  return [
    ...(isOpen ? [at] : []),
    ...inner.flatMap(([key, part]) => (part?._zod ? looseIn(part, `${at}.${key}`, seen) : [])),
  ];
}

const procedures = Object.entries(
  appRouter._def.procedures as unknown as Record<string, { _def: { inputs: z.ZodType[] } }>,
);

it.each(procedures)('%s refuses what it does not know', (path, { _def: { inputs } }) => {
  expect(inputs, 'without an input it takes any').toHaveLength(1);
  const [input] = inputs as [z.ZodType];
  expect(input.safeParse({ misspelled: 1 }).success).toBe(false);
  expect(looseIn(input, path)).toEqual(
    // What a chat template may read of a message is passed on.
    path === 'chat.answer' ? ['chat.answer.request.messages.element'] : [],
  );
});
