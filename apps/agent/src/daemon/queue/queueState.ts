import type { Queue } from '@anneal/core/protocol/queue';
import type { QueueState } from '@anneal/core/protocol/studio';
import { deviceOfLiveRun, hostDevices } from '../../service/host/devices.ts';
import type { RunFeed } from '../runs/feed.ts';

/** The queue by device: those of this host first, then what else something waits for or was set for. */
export function queueState({ waiting, concurrency }: Queue, feeds: readonly RunFeed[]): QueueState {
  const names = new Map(feeds.map((feed) => [feed.key, feed.summary.name]));
  const live = feeds.flatMap(({ key, device, pidHere: pid }) =>
    pid === undefined ? [] : [{ run: key, pid, device: deviceOfLiveRun(device) }],
  );
  const all = new Set([
    ...hostDevices().map(({ name }) => name),
    ...live.map(({ device }) => device),
    ...waiting.map(({ device }) => device),
  ]);
  const named = ({ run }: { run: string }) => ({ run, name: names.get(run) ?? run });
  return {
    devices: [...all].map((device) => ({
      device,
      concurrency: concurrency[device] ?? 1,
      running: live.filter((run) => run.device === device).map(({ run, pid }) => ({ ...named({ run }), pid })),
      waiting: waiting
        .filter((entry) => entry.device === device && !live.some(({ run }) => run === entry.run))
        .map(({ run, priority, since, by }) => ({ ...named({ run }), priority, since, by })),
    })),
  };
}
