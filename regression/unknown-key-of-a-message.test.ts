/** Keys that a procedure does not know were dropped without a word: a misspelled `priority` queued a run as if nothing had been asked for. */
import { expect, it } from 'vitest';
import { z } from 'zod';
import { appRouter } from '../apps/agent/src/daemon/router/index.ts';

/** Where an object of a JSON Schema may have a key that is not named there. */
function looseIn(schema: unknown, at: string): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const { properties, additionalProperties } = schema as { properties?: object; additionalProperties?: unknown };
  const isOpen = properties !== undefined && additionalProperties !== false;
  return [...(isOpen ? [at] : []), ...Object.entries(schema).flatMap(([key, part]) => looseIn(part, `${at}.${key}`))];
}

type Procedure = { _def: { inputs: z.ZodType[] } };
// oxlint-disable-next-line no-underscore-dangle -- tRPC has no other way to them
const procedures = Object.entries(appRouter._def.procedures as unknown as Record<string, Procedure>);

it.each(procedures)('%s refuses what it does not know', (path, { _def: { inputs } }) => {
  expect(inputs, 'without an input it takes any').toHaveLength(1);
  const [input] = inputs as [z.ZodType];
  expect(input.safeParse({ misspelled: 1 }).success).toBe(false);
  expect(looseIn(z.toJSONSchema(input, { io: 'input', unrepresentable: 'any', reused: 'inline' }), path)).toEqual(
    // What a chat template may read of a message is passed on.
    path === 'chat.answer' ? ['chat.answer.properties.request.properties.messages.items'] : [],
  );
});
