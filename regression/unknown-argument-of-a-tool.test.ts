/** Arguments of a tool that it does not know were dropped without a word: `train` with a misspelled `set` trained the recipe as it stood. */
import { expect, it } from 'vitest';
import { z } from 'zod';
import type { Surroundings } from '../apps/agent/src/mcp/tool.ts';
import { tools } from '../apps/agent/src/mcp/tools.ts';

/** Nothing of an agent may be asked. */
const nobody = new Proxy({} as Surroundings, {
  get: () => expect.unreachable('an argument was dropped'),
});

it.each(tools.map((tool) => [tool.name, tool] as const))('%s refuses what it does not know', async (_, tool) => {
  const refused = (async () => tool.run(nobody, { sets: ['max_steps=1'] }))();
  const error = await refused.catch((cause) => cause);
  expect(error).toBeInstanceOf(z.ZodError);
  expect((error as z.ZodError).issues).toContainEqual(
    expect.objectContaining({ code: 'unrecognized_keys', keys: ['sets'] }),
  );
  expect(z.toJSONSchema(tool.request, { io: 'input' })).toMatchObject({ additionalProperties: false });
});
