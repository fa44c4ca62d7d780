import { align, type Interval, layOut } from './passes/layout.ts';

/** Addresses of a plan: the device's memory from 0 on, pinned memory of the host from here on. As kHostBase in native/plan.h. */
export const hostBase = 2 ** 46;

/** Where bytes lie: beside the kernels, or in the host's memory, which kernels and copies reach over the bus. */
export type Placement = 'device' | 'host';

/** The ends of both memories while a plan is laid out. */
export class Addresses {
  private readonly ends = { device: 0, host: 0 };

  bytes(placement: Placement): number {
    return this.ends[placement];
  }

  end(placement: Placement): number {
    return this.ends[placement] + (placement === 'host' ? hostBase : 0);
  }

  /** The address of so many bytes behind all others. */
  add(placement: Placement, bytes: number): number {
    const address = this.end(placement);
    this.ends[placement] += align(bytes);
    return address;
  }
}

/** Addresses of intervals from the ends on, each in the memory it is for. `bytes` is what they take there. */
export function layOutFrom<I extends Interval & { readonly placement: Placement }>(
  addresses: Addresses,
  intervals: readonly I[],
): { addresses: Map<I, number>; bytes: Record<Placement, number> } {
  const found = new Map<I, number>();
  const bytes = { device: 0, host: 0 };
  for (const placement of ['device', 'host'] as const) {
    const layout = layOut(intervals.filter((interval) => interval.placement === placement));
    bytes[placement] = layout.bytes;
    for (const [interval, offset] of layout.offsets) found.set(interval, addresses.end(placement) + offset);
  }
  return { addresses: found, bytes };
}
