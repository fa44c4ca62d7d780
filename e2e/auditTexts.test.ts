/** Whatever the agent writes into its audit has words in the studio; the compiler holds Chinese to the same. */

import { expect, it } from 'vitest';
import { appRouter } from '../apps/agent/src/daemon/router/index.ts';
import { audit } from '../apps/web/src/i18n/en/audit.ts';

it('has words for every procedure that changes something', () => {
  // oxlint-disable-next-line no-underscore-dangle -- so tRPC calls it
  const procedures = Object.entries(appRouter._def.procedures as unknown as Record<string, { _def: { type: string } }>);
  const changes = procedures.filter(([, { _def }]) => _def.type === 'mutation').map(([path]) => path);
  const texts: Readonly<Record<string, Readonly<Record<string, string>>>> = audit.audit.action;
  const worded = Object.entries(texts).flatMap(([noun, verbs]) => Object.keys(verbs).map((verb) => `${noun}.${verb}`));
  expect(changes.length).toBeGreaterThan(50);
  expect(worded.sort()).toEqual(changes.sort());
});
