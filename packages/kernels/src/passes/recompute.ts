import type { Graph, Node } from '../graph.ts';
import type { Tensor } from '../tensor.ts';

/**
 * How much of a layer's forward pass is done again in its backward pass instead of being kept:
 * nothing, the cheap elementwise ops (norms, activation functions, rotations), or everything but attention.
 */
export const recomputeLevels = ['none', 'cheap', 'full'] as const;
export type RecomputeLevel = (typeof recomputeLevels)[number];

/** The node list of a differentiated graph with each layer's level applied. Tensors that leave a layer are always kept. */
export function recompute(graph: Graph, levelOf: (layer: number) => RecomputeLevel): Node[] {
  const leavesLayer = tensorsUsedByOtherLayers(graph.nodes);
  const results = new Set(graph.results.values());
  const isRecomputed = (node: Node): boolean => {
    if (node.layer === null || node.phase !== 'forward' || node.op.keep) return false;
    if (Object.values(node.outputs).some((t) => leavesLayer.has(t) || results.has(t))) return false;
    const level = levelOf(node.layer);
    return level === 'full' || (level === 'cheap' && node.op.cheap === true);
  };

  const nodes: Node[] = [];
  const replacement = new Map<Tensor, Tensor>();
  const visitedLayers = new Set<number>();
  for (const node of graph.nodes) {
    if (node.phase === 'backward' && node.layer !== null && !visitedLayers.has(node.layer)) {
      visitedLayers.add(node.layer);
      for (const original of neededInBackward(graph.nodes, node.layer, isRecomputed))
        nodes.push(clone(original, replacement));
    }
    nodes.push(node.phase === 'backward' ? withInputs(node, replacement) : node);
  }
  return nodes;
}

function tensorsUsedByOtherLayers(nodes: readonly Node[]): Set<Tensor> {
  const leaving = new Set<Tensor>();
  for (const node of nodes) {
    for (const input of Object.values(node.inputs)) {
      const producer = input?.producer;
      if (producer && producer.phase === 'forward' && producer.layer !== node.layer) leaving.add(input as Tensor);
    }
  }
  return leaving;
}

/** The layer's forward nodes to run again, in forward order. */
function neededInBackward(nodes: readonly Node[], layer: number, isRecomputed: (node: Node) => boolean): Node[] {
  const needed = new Set<Node>();
  const visit = (tensor: Tensor | undefined) => {
    const producer = tensor?.producer;
    if (!producer || producer.layer !== layer || needed.has(producer) || !isRecomputed(producer)) return;
    needed.add(producer);
    for (const input of Object.values(producer.inputs)) visit(input);
  };
  for (const node of nodes) {
    if (node.phase === 'backward' && node.layer === layer) for (const input of Object.values(node.inputs)) visit(input);
  }
  return nodes.filter((node) => needed.has(node));
}

function clone(node: Node, replacement: Map<Tensor, Tensor>): Node {
  const copy: Node = { ...withInputs(node, replacement), outputs: {}, phase: 'backward' };
  for (const [name, output] of Object.entries(node.outputs)) {
    const again: Tensor = { ...output, name: `${output.name}.again`, producer: copy };
    copy.outputs[name] = again;
    replacement.set(output, again);
  }
  return copy;
}

function withInputs(node: Node, replacement: ReadonlyMap<Tensor, Tensor>): Node {
  const entries = Object.entries(node.inputs).map(([name, t]) => [name, t && (replacement.get(t) ?? t)] as const);
  return { ...node, inputs: Object.fromEntries(entries) };
}
