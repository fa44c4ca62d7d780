import type { Node } from '../graph.ts';
import type { Tensor } from '../tensor.ts';

/** Bytes of the device's memory that a plan can do without, and what that takes. */
export type Saving = Recomputed | Offloaded | Placed;

interface AnySaving {
  /** Null where it belongs to no layer. */
  readonly layer: number | null;
  /** By the names of weights or, without one, of ops. */
  readonly what: string;
  /** Bytes of the device's memory that become free. */
  readonly bytes: number;
  /** What it takes in a batch, by the rates of the device. */
  readonly milliseconds: number;
}

/** Results of one layer that the backward pass can compute again instead of finding them in memory. */
export interface Recomputed extends AnySaving {
  readonly how: 'recompute';
  /** The forward nodes that run again. */
  readonly nodes: readonly Node[];
  /** One cheap op whose inputs are kept anyway: a pass over memory, no product. */
  readonly isElementwise: boolean;
  /** What it frees, of which the bytes of what it needs instead are taken off. */
  readonly frees: readonly Tensor[];
}

/** Results that the backward pass of one layer reads, in the host's memory meanwhile. */
export interface Offloaded extends AnySaving {
  readonly how: 'offload';
  readonly tensors: readonly Tensor[];
}

/** A frozen table in the host's memory. */
export interface Placed extends AnySaving {
  readonly how: 'place';
  readonly variable: Tensor;
}

/** `price`: seconds a byte, by which savings of several layers are ordered. */
export interface Priced<S extends Saving = Saving> {
  readonly saving: S;
  readonly price: number;
}

/** The cheapest first; equal ones by layer. */
export function byPrice(a: Priced, b: Priced): number {
  return a.price - b.price || (a.saving.layer ?? -1) - (b.saving.layer ?? -1);
}
