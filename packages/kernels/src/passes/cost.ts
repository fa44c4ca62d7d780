import type { Device } from '../device.ts';
import type { Node } from '../graph.ts';
import type { Sizes } from '../op.ts';
import { type Bounds, byteLength, sizeOf } from '../tensor.ts';

/** Seconds that a node takes: those of its arithmetic or of its memory traffic, whichever are more. */
export function secondsOf(node: Node, bounds: Bounds, { rates }: Device): number {
  const tensors = [...Object.values(node.inputs), ...Object.values(node.outputs)];
  const bytes = tensors.reduce((sum, t) => sum + (t ? byteLength(t, bounds) : 0), 0);
  const isBf16 = node.attributes['bf16'] || tensors.some((t) => t?.kind === 'activation' && t.dtype === 'bf16');
  const flopsPerSecond = rates.flopsPerSecond[isBf16 ? 'bf16' : 'f32'];
  const { flops } = node.op.cost(sizesOf(node, bounds));
  return rates.launchSeconds + Math.max(flops / flopsPerSecond, bytes / rates.bytesPerSecond);
}

export function sizesOf(node: Node, bounds: Bounds): Sizes {
  return Object.fromEntries(Object.entries(node.extents).map(([k, dim]) => [k, sizeOf(dim, bounds)]));
}
