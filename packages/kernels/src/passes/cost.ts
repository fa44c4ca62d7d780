import type { Device } from '../device.ts';
import type { Node } from '../graph.ts';
import type { Sizes } from '../op.ts';
import { type Bounds, byteLength, sizeOf, type Tensor } from '../tensor.ts';

/** Seconds that a node takes: those of its arithmetic or of its memory traffic, whichever are more. */
export function secondsOf(node: Node, bounds: Bounds, { rates }: Device): number {
  const tensors = [...Object.values(node.inputs), ...Object.values(node.outputs)];
  const isBf16 = node.attributes['bf16'] || tensors.some((t) => t?.kind === 'activation' && t.dtype === 'bf16');
  const flopsPerSecond = rates.flopsPerSecond[isBf16 ? 'bf16' : 'f32'];
  const flops = node.op.flops(sizesOf(node, bounds));
  return rates.launchSeconds + Math.max(flops / flopsPerSecond, trafficOf(node, bounds) / rates.bytesPerSecond);
}

/** Bytes that a node reads and writes, each tensor once; of a table as many as are gathered out of it. */
export function trafficOf({ op, inputs, outputs }: Node, bounds: Bounds): number {
  const written = bytesOfAll(Object.values(outputs), bounds);
  const read = Object.entries(inputs).filter(([name]) => !op.gathers?.includes(name));
  const gathered = (op.gathers ?? []).some((name) => inputs[name]) ? written : 0;
  return (
    bytesOfAll(
      read.map(([, tensor]) => tensor),
      bounds,
    ) +
    gathered +
    written
  );
}

export function bytesOfAll(tensors: readonly (Tensor | undefined)[], bounds: Bounds): number {
  return tensors.reduce((sum, tensor) => sum + (tensor ? byteLength(tensor, bounds) : 0), 0);
}

export function sizesOf(node: Node, bounds: Bounds): Sizes {
  return Object.fromEntries(Object.entries(node.extents).map(([k, dim]) => [k, sizeOf(dim, bounds)]));
}
