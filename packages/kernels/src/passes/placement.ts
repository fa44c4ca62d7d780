import type { Device } from '../device.ts';
import type { Graph } from '../graph.ts';
import { type Bounds, byteLength, type Tensor } from '../tensor.ts';
import type { Placed, Priced, Saving } from './savings.ts';

/**
 * Frozen tables that may lie in the host's memory, because programs do nothing but gather rows of them: an embedding that is not also
 * the head. None where the device's memory is the host's.
 */
export function placements(graphs: readonly Graph[], bounds: Bounds, { rates }: Device): Priced<Placed>[] {
  const { hostBytesPerSecond } = rates;
  const [first] = graphs;
  if (hostBytesPerSecond === null || !first) return [];
  const nodes = graphs.flatMap((graph) => graph.nodes.map((node) => ({ graph, node })));
  return first.variables.ofKind('weight').flatMap((variable): Priced<Placed>[] => {
    const uses = nodes.flatMap(({ graph, node }) =>
      Object.entries(node.inputs).flatMap(([input, tensor]) => (tensor === variable ? [{ graph, node, input }] : [])),
    );
    if (uses.length === 0 || !uses.every(({ node, input }) => node.op.gathers?.includes(input))) return [];
    const gathered = (graph: Graph) =>
      uses
        .filter((use) => use.graph === graph)
        .flatMap(({ node }) => Object.values(node.outputs))
        .reduce((sum, output) => sum + byteLength(output, bounds), 0);
    const seconds = Math.max(...graphs.map(gathered)) / hostBytesPerSecond;
    const bytes = byteLength(variable, bounds);
    return [
      {
        saving: { how: 'place', layer: null, what: variable.name, variable, bytes, milliseconds: 1000 * seconds },
        price: seconds / bytes,
      },
    ];
  });
}

/** The variables that these savings place in the host's memory. */
export function placedInHost(savings: readonly Saving[]): Set<Tensor> {
  return new Set(savings.flatMap((saving) => (saving.how === 'place' ? [saving.variable] : [])));
}
