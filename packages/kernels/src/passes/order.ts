/** Bytes of a plan, from the first to behind the last. */
export type ByteRange = readonly [begin: number, end: number];

export interface Accesses {
  readonly reads: readonly ByteRange[];
  readonly writes: readonly ByteRange[];
  /** Too short to fill the device: it runs beside others where it may. */
  readonly isShort: boolean;
}

/** When a launch may begin: after those of its own stream before it, and after one of the other stream. */
export interface LaunchOrder {
  /** In the second stream, beside what the first one does. */
  readonly beside: boolean;
  /** Position of the launch of the other stream that has to have ended; -1 where what its stream has waited for before is enough. */
  readonly after: number;
}

/**
 * The order of a program's launches, of which the short ones have a stream of their own. Two launches of which one writes what the
 * other reads or writes never run beside each other: results are those of one stream.
 */
export function launchOrder(launches: readonly Accesses[]): LaunchOrder[] {
  /** Up to which launch of the other stream each has waited. */
  const waited = { main: -1, beside: -1 };
  return launches.map((launch, position): LaunchOrder => {
    const stream = launch.isShort ? 'beside' : 'main';
    const mustWait = (other: Accesses) => other.isShort !== launch.isShort && conflict(launch, other);
    let after = position - 1;
    while (after > waited[stream] && !mustWait(launches[after] as Accesses)) after--;
    if (after <= waited[stream]) return { beside: launch.isShort, after: -1 };
    waited[stream] = after;
    return { beside: launch.isShort, after };
  });
}

/** Whether the order of these two decides what is in memory after both. */
export function conflict(one: Accesses, other: Accesses): boolean {
  return meet(one.writes, other.reads) || meet(one.writes, other.writes) || meet(one.reads, other.writes);
}

function meet(some: readonly ByteRange[], others: readonly ByteRange[]): boolean {
  return some.some(([begin, end]) => others.some((other) => Math.max(begin, other[0]) < Math.min(end, other[1])));
}
