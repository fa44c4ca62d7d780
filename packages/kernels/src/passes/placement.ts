import type { Device } from '../device.ts';
import type { Graph, Node } from '../graph.ts';
import { type Bounds, byteLength, type Tensor } from '../tensor.ts';
import type { Placed, Priced, Saving } from './saving.ts';

/**
 * Frozen tables that may lie in the host's memory, because programs do nothing but gather rows of them: an embedding that is not also
 * the head. None where the device's memory is the host's.
 */
export function placements(graphs: readonly Graph[], bounds: Bounds, { rates }: Device): Priced<Placed>[] {
  const { hostBytesPerSecond } = rates;
  if (hostBytesPerSecond === null) return [];
  const gathered = new Map<Tensor, { graph: Graph; node: Node }[]>();
  const read = new Set<Tensor>(); // as a whole
  for (const graph of graphs)
    for (const node of graph.nodes)
      for (const [input, tensor] of Object.entries(node.inputs)) {
        if (tensor?.kind !== 'weight') continue;
        if (node.op.gathers?.includes(input)) gathered.set(tensor, [...(gathered.get(tensor) ?? []), { graph, node }]);
        else read.add(tensor);
      }
  return [...gathered]
    .filter(([variable]) => !read.has(variable))
    .map(([variable, uses]) => {
      const bytesIn = (graph: Graph) =>
        uses
          .filter((use) => use.graph === graph)
          .flatMap(({ node }) => Object.values(node.outputs))
          .reduce((sum, output) => sum + byteLength(output, bounds), 0);
      const seconds = Math.max(...graphs.map(bytesIn)) / hostBytesPerSecond;
      const bytes = byteLength(variable, bounds);
      return {
        saving: { how: 'place', layer: null, what: variable.name, variable, bytes, milliseconds: 1000 * seconds },
        price: seconds / bytes,
      };
    });
}

/** The variables that these savings place in the host's memory. */
export function placedInHost(savings: readonly Saving[]): Set<Tensor> {
  return new Set(savings.flatMap((saving) => (saving.how === 'place' ? [saving.variable] : [])));
}
