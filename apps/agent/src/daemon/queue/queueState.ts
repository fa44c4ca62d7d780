import type { Queue, QueuedRun } from '@anneal/core/protocol/queue';
import type { QueueState } from '@anneal/core/protocol/studio';
import { deviceOfLiveRun, hostDevices } from '../../service/host/devices.ts';
import type { RunFeed } from '../runs/feed.ts';

/** The device of a run that is live. One that is being launched has not yet written on which it is. */
export function occupiedBy(
  { key, seq, device, busId }: Pick<RunFeed, 'key' | 'seq' | 'device' | 'busId'>,
  waiting: readonly QueuedRun[],
): string {
  const launched = waiting.find(({ run, afterSeq }) => run === key && afterSeq === seq);
  return launched?.device ?? deviceOfLiveRun(device, busId);
}

/** The queue by device: those of this host first, then what else something waits for or was set for. */
export function queueState({ waiting, concurrency }: Queue, feeds: readonly RunFeed[]): QueueState {
  const names = new Map(feeds.map((feed) => [feed.key, feed.summary.name]));
  const begun = new Set(feeds.filter(({ hasBegun }) => hasBegun).map(({ key }) => key));
  const live = feeds.flatMap((feed) => {
    const { key: run, pidHere: pid } = feed;
    return pid === undefined ? [] : [{ run, pid, device: occupiedBy(feed, waiting) }];
  });
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
        .map(({ run, priority, since, by }) => ({ ...named({ run }), priority, since, by, hasBegun: begun.has(run) })),
    })),
  };
}
