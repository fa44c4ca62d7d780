/** An agent of another version, without a procedure or with one that knows less, was said to have failed, or left out what it did not know. */
import { expect, it } from 'vitest';
import { AgentState } from '../apps/agent/src/daemon/agentState.ts';
import { ApiTokens } from '../apps/agent/src/daemon/auth/apiTokens.ts';
import { connect } from '../apps/agent/src/remote/connection.ts';
import { makePlace, start } from '../apps/agent/test/helpers/daemon.ts';

it('is told of by its version, and by the key that it does not know', async () => {
  const place = makePlace();
  const daemon = await start(place);
  const { token } = await new ApiTokens(new AgentState(place.workspace).folder).create('lab', 'operator');
  const connection = await connect({ url: new URL(daemon.url), token, ca: undefined });
  try {
    // As a program asks that has more verbs than the agent.
    const asked = connection.ask((api) => (api as any).queue.pause.mutate({ device: 'cpu' }));
    await expect(asked).rejects.toMatchObject({
      code: 'remote_other_version',
      next: expect.stringContaining('--version'),
    });
    const more = { device: 'cpu', runs: 1, until: 'noon' };
    await expect(connection.ask((api) => api.queue.setConcurrency.mutate(more))).rejects.toMatchObject({
      code: 'bad_request',
      what: '"until" is nothing that can be asked for here',
      next: expect.stringContaining('a version that knows it'),
    });
  } finally {
    await connection.close();
  }
});
