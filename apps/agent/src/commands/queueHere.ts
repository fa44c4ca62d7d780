import { join } from 'node:path';
import { AgentState } from '../daemon/agentState.ts';
import { deviceOfRun } from '../service/host/devices.ts';
import { assertNotLive, onDevice } from '../service/queue/queuedRun.ts';
import { RunQueue } from '../service/queue/runQueue.ts';
import type { OpenedQueue } from './useCases.ts';

/** Of the agent that serves the folder, which sees each change within a second. */
export async function openQueue(folder: string): Promise<OpenedQueue> {
  const { folder: state, workspace, isRunning } = AgentState.above(folder);
  const queue = new RunQueue(state);
  const pathOf = ({ run }: { run: string }) => join(workspace, run);
  return {
    where: workspace,
    isRunning,
    read: async () => queue.read(),
    move: (run, place) => queue.move(run, place),
    assign: (run, device) =>
      queue.assign(run, (entry) => {
        assertNotLive(entry, pathOf(entry));
        return onDevice(entry, pathOf(entry), device);
      }),
    remove: (run) => queue.remove(run, (entry) => assertNotLive(entry, pathOf(entry))),
    setConcurrency: (device, runs) => queue.setConcurrency(deviceOfRun(device), runs),
  };
}
