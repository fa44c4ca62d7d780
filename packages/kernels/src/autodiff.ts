import { add } from '../ops/add/op.ts';
import type { Graph, Node } from './graph.ts';
import type { Tensor } from './tensor.ts';

/**
 * Extends a graph by the gradients of all parameters (variables of kind `parameter`) with respect to the sum of these losses.
 * Gradients are added to the variables `gradient/<name>`; frozen weights get none, and nothing is computed that only they would need.
 * Returns the parameters that were reached.
 */
export function backward(graph: Graph, ...losses: readonly Tensor[]): Set<Tensor> {
  const forward = [...graph.nodes];
  const needed = tensorsThatNeedGradients(forward);
  if (!losses.some((loss) => needed.has(loss)))
    throw new Error('the loss depends on no parameter: nothing would be trained');

  const gradients = new Map<Tensor, Tensor>();
  const reached = new Set<Tensor>();
  graph.phase = 'backward';
  for (const node of forward.toReversed()) {
    const outputs = Object.entries(node.outputs).filter(([, t]) => gradients.has(t) || losses.includes(t));
    if (outputs.length === 0 || !Object.values(node.outputs).some((t) => needed.has(t))) continue;
    if (!node.op.backward) throw new Error(`${node.op.name} has no backward rule`);
    graph.layer = node.layer;
    const before = graph.nodes.length;
    const contributions = node.op.backward({
      graph,
      inputs: withTransientInputs(graph, node.inputs),
      outputs: node.outputs,
      gradients: Object.fromEntries(
        outputs.flatMap(([name, t]) => (gradients.has(t) ? [[name, gradients.get(t) as Tensor]] : [])),
      ),
      attributes: node.attributes,
      needs: (name) => isNeeded(node.inputs[name]),
      gradientOf: (name) => {
        const parameter = node.inputs[name] as Tensor;
        reached.add(parameter);
        return graph.variables.gradientOf(parameter);
      },
    });
    for (const [name, contribution] of Object.entries(contributions)) {
      const input = node.inputs[name];
      if (!contribution || !input || !needed.has(input)) continue;
      const total = gradients.get(input);
      gradients.set(input, total ? sum(graph, total, contribution, before) : contribution);
    }
  }
  graph.phase = 'forward';
  graph.layer = null;
  return reached;

  function isNeeded(tensor: Tensor | undefined): boolean {
    return tensor !== undefined && (tensor.kind === 'parameter' || needed.has(tensor));
  }
}

/** The inputs as the backward pass reads them: those that are not kept are computed again, by nodes of the backward pass. */
function withTransientInputs(graph: Graph, inputs: Node['inputs']): Record<string, Tensor> {
  const again = (input: Tensor | undefined): Tensor | undefined => {
    const { op, inputs: from, attributes, outputs } = input?.producer ?? {};
    if (!op?.transient || !outputs) return input;
    const name = Object.keys(outputs).find((output) => outputs[output] === input) as string;
    return graph.apply(op, from ?? {}, attributes)[name];
  };
  return Object.fromEntries(Object.entries(inputs).map(([name, t]) => [name, again(t)])) as Record<string, Tensor>;
}

function tensorsThatNeedGradients(nodes: readonly Node[]): Set<Tensor> {
  const needed = new Set<Tensor>();
  for (const node of nodes) {
    const flows = Object.values(node.inputs).some((t) => t && (t.kind === 'parameter' || needed.has(t)));
    if (flows) for (const output of Object.values(node.outputs)) needed.add(output);
  }
  return needed;
}

/**
 * total + contribution, by letting the contribution's own kernel add to `total` where it can: when it is the last one, and
 * was made for this sum. A gradient that a rule only hands on (made before node number `since`) belongs to other sums too.
 */
function sum(graph: Graph, total: Tensor, contribution: Tensor, since: number): Tensor {
  const producer = contribution.producer;
  const accumulator = producer?.op.accumulator;
  const isNew = graph.nodes.length > since && producer === graph.nodes.at(-1);
  const adds = isNew && accumulator && producer?.outputs[accumulator.into] === contribution;
  if (!producer || !adds || producer.inputs[accumulator.from]) return add(total, contribution);
  producer.inputs[accumulator.from] = total;
  return contribution;
}
