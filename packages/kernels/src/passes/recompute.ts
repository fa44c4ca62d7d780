import type { Graph, Node } from '../graph.ts';
import type { Tensor } from '../tensor.ts';

/**
 * The node list of a differentiated graph in which the outputs of the forward nodes `again` are not kept for the backward pass:
 * each is computed again just before its first use there.
 */
export function recompute(graph: Graph, again: ReadonlySet<Node>): Node[] {
  const nodes: Node[] = [];
  const replacement = new Map<Tensor, Tensor>();
  const repeat = (tensor: Tensor | undefined): void => {
    const producer = tensor?.producer;
    if (!producer || !again.has(producer) || replacement.has(tensor)) return;
    for (const input of Object.values(producer.inputs)) repeat(input);
    nodes.push(clone(producer, replacement));
  };
  for (const node of graph.nodes) {
    if (node.phase === 'forward') {
      nodes.push(node);
      continue;
    }
    for (const input of Object.values(node.inputs)) repeat(input);
    nodes.push(withInputs(node, replacement));
  }
  return nodes;
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

export function withInputs(node: Node, replacement: ReadonlyMap<Tensor, Tensor>): Node {
  const entries = Object.entries(node.inputs).map(([name, t]) => [name, t && (replacement.get(t) ?? t)] as const);
  return { ...node, inputs: Object.fromEntries(entries), origin: node.origin ?? node };
}
