import type { Tensor } from './tensor.ts';

/**
 * Where the states of sequences are held that a call goes on with. Without `slots` all tokens are of one sequence, which has the first slot.
 * Otherwise each of Q sequences says: its first token, its first slot, and how many slots from that one on hold what comes out, so that
 * several sequences can go on after one prompt. Slots ascend as tokens do. At position 0 what a slot held counts as 0.
 */
export const placesOfStates = { positions: 'i32[T]', slots: 'i32[Q,3]?' } as const;

export interface CarriedState {
  /** Of all slots, one behind the other. */
  readonly state: Tensor;
  readonly positions: Tensor;
  readonly slots?: Tensor | undefined;
}
