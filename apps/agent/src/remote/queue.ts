/** The queue of another agent. */
import type { QueueState } from '@anneal/core/protocol/studio';
import type { OpenedQueue } from '../commands/useCases.ts';
import type { Connection } from './connection.ts';

export function remoteQueue({ ask, first, address }: Connection): OpenedQueue {
  const read = async () => {
    const { devices } = await first<QueueState>((api, listener) => api.queue.state.subscribe(undefined, listener));
    return {
      concurrency: Object.fromEntries(devices.map(({ device, concurrency }) => [device, concurrency])),
      waiting: devices.flatMap(({ device, waiting }) =>
        waiting.map(({ run, priority, since, by }) => ({ run, device, priority, since, by })),
      ),
    };
  };
  return {
    where: address.url.origin,
    isRunning: true,
    read,
    async move(run, place) {
      await ask((api) => api.queue.move.mutate({ run, place }));
      return read();
    },
    async assign(run, device) {
      await ask((api) => api.queue.assign.mutate({ run, device }));
      return read();
    },
    remove: (run) => ask((api) => api.queue.remove.mutate({ run })),
    setConcurrency: (device, runs) => ask((api) => api.queue.setConcurrency.mutate({ device, runs })),
  };
}
