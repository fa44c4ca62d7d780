import { asyncCopyOp, awaitCopyOp } from '../../ops/async_copy/op.ts';
import type { Node } from '../graph.ts';
import type { Op } from '../op.ts';
import { type Tensor, wholeOf } from '../tensor.ts';
import { withInputs } from './recompute.ts';

export interface CopyTimes {
  /** What a node takes. */
  readonly seconds: (node: Node) => number;
  /** What a copy of a tensor to the host takes, or back. */
  readonly copySeconds: (tensor: Tensor) => number;
}

/** Fetches are begun early by this factor: the backward pass has time for it, and a kernel that waits has not. */
const headStart = 1.5;

interface Schedule {
  readonly tensor: Tensor;
  /** The copy to the host begins behind this node. */
  readonly producer: number;
  /** It has ended before this one: from here on its bytes may be used again. */
  leaves: number;
  /** The copy back begins before this one… */
  fetch: number;
  /** …and is read from here on. */
  readonly use: number;
}

/**
 * The nodes of a program in which these results of the forward pass are copied to the host once they are made, and back before the
 * backward pass reads them, both beside the kernels. When copies begin and end is planned by expected times; that kernels come after the
 * copies they need, and copies after the kernels, does not depend on them. A result that would have to come back before it had left stays.
 */
export function offload(nodes: readonly Node[], tensors: ReadonlySet<Tensor>, times: CopyTimes): Node[] {
  const schedules = schedule(nodes, tensors, times);
  const before = new Map<number, Node[]>(); // by position: what comes in front of it
  const insert = (position: number, node: Node): void => {
    before.set(position, [...(before.get(position) ?? []), node]);
  };
  const replacement = new Map<Tensor, Tensor>();
  for (const [i, { tensor, producer, leaves, fetch, use }] of schedules.entries()) {
    const out = copyNode(asyncCopyOp, { x: tensor }, 2 * i, `${tensor.name}.leaving`, 'host', 'forward');
    const left = copyNode(awaitCopyOp, { x: out.y, source: tensor }, 2 * i, `${tensor.name}.host`, 'host', 'forward');
    const back = copyNode(asyncCopyOp, { x: left.y }, 2 * i + 1, `${tensor.name}.coming`, 'device', 'backward');
    const here = copyNode(awaitCopyOp, { x: back.y }, 2 * i + 1, `${tensor.name}.back`, 'device', 'backward');
    insert(producer + 1, out.node);
    insert(leaves, left.node);
    insert(fetch, back.node);
    insert(use, here.node);
    replacement.set(tensor, here.y);
  }
  return nodes.flatMap((node, position) => [
    ...(before.get(position) ?? []),
    node.phase === 'backward' ? withReplaced(node, replacement) : node,
  ]);
}

/** Copies to the host in the order in which their results are made, each when the one before has ended; back in the order of their use. */
function schedule(
  nodes: readonly Node[],
  tensors: ReadonlySet<Tensor>,
  { seconds, copySeconds }: CopyTimes,
): Schedule[] {
  const starts: number[] = [];
  let now = 0;
  for (const node of nodes) {
    starts.push(now);
    now += seconds(node);
  }
  const backward = nodes.findIndex(({ phase }) => phase === 'backward');
  const found = usesOf(nodes, tensors);
  let free = 0;
  for (const one of found) {
    free = Math.max(free, starts[one.producer + 1] ?? now) + copySeconds(one.tensor);
    const ended = starts.findIndex((start, position) => position > one.producer && start >= free);
    one.leaves = ended < 0 || ended > backward ? backward : ended;
  }
  let next = Number.POSITIVE_INFINITY;
  for (const one of found.toSorted((a, b) => b.use - a.use)) {
    next = Math.min(next, starts[one.use] as number) - headStart * copySeconds(one.tensor);
    one.fetch = starts.findLastIndex((start, position) => position <= one.use && start <= next);
  }
  return found.filter(({ leaves, fetch }) => fetch > leaves);
}

function usesOf(nodes: readonly Node[], tensors: ReadonlySet<Tensor>): Schedule[] {
  const producers = new Map<Tensor, number>();
  const uses = new Map<Tensor, number>();
  nodes.forEach((node, position) => {
    for (const output of Object.values(node.outputs).map(wholeOf))
      if (tensors.has(output)) producers.set(output, position);
    if (node.phase === 'forward') return;
    for (const input of Object.values(node.inputs)) {
      const whole = input && wholeOf(input);
      if (whole && tensors.has(whole) && !uses.has(whole)) uses.set(whole, position);
    }
  });
  return [...producers].flatMap(([tensor, producer]) => {
    const use = uses.get(tensor);
    return use === undefined ? [] : [{ tensor, producer, leaves: 0, fetch: 0, use }];
  });
}

function copyNode(
  op: unknown,
  inputs: Record<string, Tensor>,
  ticket: number,
  name: string,
  placement: 'host' | 'device',
  phase: Node['phase'],
): { node: Node; y: Tensor } {
  const { shape, dtype, graph } = inputs['x'] as Tensor;
  const outputs: Record<string, Tensor> = {};
  const node: Node = { op: op as Op, inputs, outputs, attributes: { ticket }, extents: {}, layer: null, phase };
  const y: Tensor = { name, shape, dtype, kind: 'activation', graph, producer: node, placement };
  outputs['y'] = y;
  return { node, y };
}

/** Tiles of what was replaced become tiles of what it was replaced by. */
function withReplaced(node: Node, replacement: ReadonlyMap<Tensor, Tensor>): Node {
  const own = new Map<Tensor, Tensor>();
  for (const input of Object.values(node.inputs)) {
    const other = input && replacement.get(wholeOf(input));
    if (other) own.set(input, input.of ? { ...input, of: other } : other);
  }
  return own.size > 0 ? withInputs(node, own) : node;
}
