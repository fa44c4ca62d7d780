/** The tools for the queue took a run's path alone: of `latest`, their own default, or an id they said that no such run waits. */
import { expect, it } from 'vitest';
import type { Surroundings } from '../apps/agent/src/mcp/tool.ts';
import { tools } from '../apps/agent/src/mcp/tools.ts';

const listed = ['first', 'second'].map((id) => ({ id, key: `team/runs/${id}` }));

it.each([
  ['queue_move', { place: 1 }],
  ['queue_assign', { device: 'cpu' }],
  ['queue_remove', {}],
])('%s finds a run by its id, its path, and as the latest', async (name, input) => {
  const named: string[] = [];
  const note = async (run: string) => void named.push(run);
  const surroundings = {
    connection: { first: async () => ({ runs: listed }), address: { url: new URL('http://127.0.0.1') } },
    ask: { openQueue: async () => ({ move: note, assign: note, remove: note }) },
  } as unknown as Surroundings;
  const tool = tools.find((one) => one.name === name);
  for (const run of [{}, { run: 'first' }, { run: 'team/runs/first' }])
    await tool?.run(surroundings, { ...run, ...input });
  expect(named).toEqual(['team/runs/second', 'team/runs/first', 'team/runs/first']);
  await expect(tool?.run(surroundings, { run: 'other', ...input })).rejects.toMatchObject({ code: 'run_not_found' });
});
