// A run of the command line that was shown other GPUs (CUDA_VISIBLE_DEVICES=1, which it then calls cuda:0) was counted on the agent's
// cuda:0: that one stood idle, and a second run was begun on the GPU that was occupied.
import { join } from 'node:path';
import type { Device } from '@anneal/core/device';
import { RunDirectory } from '@anneal/core/trainer/runDirectory';
import { expect, test, vi } from 'vitest';
import { queueState } from '../apps/agent/src/daemon/queue/queueState.ts';
import { schedulerOf } from '../apps/agent/test/fixtures/scheduler.ts';
import { temporaryFolder } from '../scripts/testing/temporaryFolder.ts';

const gpu = (index: number, busId: string) => ({ kind: 'cuda', index, busId, name: 'H200' }) as Device;
const gpus = [gpu(0, '00000000:41:00.0'), gpu(1, '00000000:81:00.0')];
vi.mock(import('@anneal/core/device'), async (original) => ({
  ...(await original()),
  devices: () => gpus,
  chooseDevice: () => gpus[0] as Device,
}));

/** A run that this process trains, and where the agent sees it. */
async function lanesOf(...busIds: string[]): Promise<Record<string, number>> {
  const workspace = temporaryFolder();
  const { feeds, queue } = schedulerOf(workspace, temporaryFolder(), () => undefined);
  for (const [at, busId] of busIds.entries()) {
    const run = await RunDirectory.create({
      root: join(workspace, 'runs'),
      name: `run-${at}`,
      recipeText: 'a: 1',
      resolvedText: 'device: auto\n',
    });
    run.recordStart({
      totalSteps: 3,
      fromStep: 0,
      environment: { version: '1', device: 'cuda:0', busId, processor: 'H200', instructionSet: '9.0', threads: null },
    });
  }
  const { devices } = queueState(queue.read(), await feeds.all());
  return Object.fromEntries(devices.map(({ device, running }) => [device, running.length]));
}

test('it occupies the GPU that it trains on', async () => {
  expect(await lanesOf('00000000:81:00.0')).toEqual({ 'cuda:0': 0, 'cuda:1': 1 });
});

test('one that the agent is not shown occupies none of the agent', async () => {
  expect(await lanesOf('00000000:C1:00.0', '00000000:41:00.0')).toEqual({
    'cuda:0': 1,
    'cuda:1': 0,
    'GPU 00000000:C1:00.0': 1,
  });
});
