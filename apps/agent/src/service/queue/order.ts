/** The order of the queue. Entries of higher priority stand before those of lower; each device goes through its own. */

import { type Priority, priorities } from '@anneal/core/protocol/priorities';
import type { QueuedRun, QueuePlace } from '@anneal/core/protocol/queue';

const rank = (priority: Priority): number => priorities.indexOf(priority);

/**
 * With the run behind all of its priority and above. One that waits already stays where it is; an entry of which the run has
 * begun since gives way.
 */
export function withRun(waiting: readonly QueuedRun[], entry: QueuedRun): QueuedRun[] {
  const { run, afterSeq, priority } = entry;
  if (waiting.some((other) => other.run === run && other.afterSeq === afterSeq)) return [...waiting];
  const others = waiting.filter((other) => other.run !== run);
  const behind = others.findLastIndex((other) => rank(other.priority) <= rank(priority));
  return others.toSpliced(behind + 1, 0, entry);
}

/**
 * With the run at a place, from 1, among those of its device. It takes the priority that this place needs.
 * @param begun runs whose entries are about to go: they have no place
 */
export function withRunAt(
  waiting: readonly QueuedRun[],
  run: string,
  place: number,
  begun: ReadonlySet<string> = new Set(),
): QueuedRun[] {
  const entry = waiting.find((other) => other.run === run);
  if (!entry) return [...waiting];
  const others = waiting.filter((other) => other !== entry);
  const lane = others.filter((other) => other.device === entry.device && !begun.has(other.run));
  const next = lane[place - 1];
  const index = next ? others.indexOf(next) : others.length;
  const [above, below] = [others[index - 1], others[index]];
  let priority = entry.priority;
  if (above && rank(priority) < rank(above.priority)) priority = above.priority;
  if (below && rank(priority) > rank(below.priority)) priority = below.priority;
  return others.toSpliced(index, 0, { ...entry, priority });
}

/** With the run before another device: behind all of its priority and above. */
export function withRunOn(
  waiting: readonly QueuedRun[],
  run: string,
  { device, changes }: Pick<QueuedRun, 'device' | 'changes'>,
): QueuedRun[] {
  const entry = waiting.find((other) => other.run === run);
  if (!entry || entry.device === device) return [...waiting];
  const others = waiting.filter((other) => other !== entry);
  return withRun(others, { ...entry, device, changes });
}

/** Undefined where the run does not wait. */
export function placeOf(
  waiting: readonly Pick<QueuedRun, 'run' | 'device' | 'priority'>[],
  run: string,
): QueuePlace | undefined {
  const entry = waiting.find((other) => other.run === run);
  if (!entry) return undefined;
  const { device, priority } = entry;
  const lane = waiting.filter((other) => other.device === device);
  return { device, priority, place: lane.indexOf(entry) + 1, of: lane.length };
}
