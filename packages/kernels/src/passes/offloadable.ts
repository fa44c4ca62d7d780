import type { Device } from '../device.ts';
import type { Graph, Node } from '../graph.ts';
import { type Bounds, byteLength, type Tensor } from '../tensor.ts';
import { secondsOf } from './cost.ts';
import type { Offloaded, Priced, Recomputed } from './saving.ts';
import { smallestShare } from './savings.ts';

/** Of the time that a layer's forward pass takes by the device's rates, so that copies seldom keep the kernels waiting. */
const busyShare = 0.8;
/** What a copy that runs beside kernels takes from them, as a share of its own time. */
const contention = 0.05;

/**
 * What a graph can save where layers may copy results to the host while they compute: what enters a layer, and of what could be computed
 * again the dearest, as much as is copied in the time of the layer's forward pass and as the host has room for. The rest of `recomputed`
 * stays as it is.
 */
export function withOffloads(
  graph: Graph,
  recomputed: readonly Priced<Recomputed>[],
  bounds: Bounds,
  device: Device,
  hostBudget: number,
): Priced[] {
  const rate = device.rates.hostBytesPerSecond;
  if (rate === null) throw new Error(`the memory of ${device.kind} is the host’s: there is nothing to offload`);
  const found: Priced[] = [];
  const layers = layersOf(graph);
  for (const [layer, { forward, read }] of layers) {
    let room = hostBudget / layers.size;
    const own = recomputed.filter(({ saving }) => saving.layer === layer);
    const replaceable = new Set(own.flatMap(({ saving }) => saving.frees));
    const smallest = smallestShare * bytesOfAll([...read], bounds);
    const entering = [...read].filter(
      (t) => !replaceable.has(t) && byteLength(t, bounds) > smallest && t.producer?.layer !== layer,
    );
    let free = busyShare * rate * forward.reduce((sum, node) => sum + secondsOf(node, bounds, device), 0);
    const offload = (what: string, tensors: readonly Tensor[]): Priced<Offloaded> => {
      const bytes = bytesOfAll(tensors, bounds);
      const hidden = Math.min(bytes, Math.max(0, free));
      free -= bytes;
      room -= bytes;
      const seconds = (2 * (contention * hidden + (bytes - hidden))) / rate; // there and back
      return {
        saving: { how: 'offload', layer, what, tensors, bytes, milliseconds: 1000 * seconds },
        price: seconds / bytes,
      };
    };
    if (entering.length > 0 && bytesOfAll(entering, bounds) <= room)
      found.push(offload('what enters a layer', entering));
    for (const priced of own.toReversed()) {
      const { what, frees } = priced.saving;
      const fits = bytesOfAll(frees, bounds) <= Math.min(free, room);
      const pays = priced.price > (2 * contention) / rate;
      found.push(fits && pays ? offload(what, frees) : priced);
    }
  }
  return found;
}

function bytesOfAll(tensors: readonly Tensor[], bounds: Bounds): number {
  return tensors.reduce((sum, tensor) => sum + byteLength(tensor, bounds), 0);
}

/** Layers with their forward nodes and the results of the forward pass that the backward pass of this layer alone reads. */
function layersOf({ nodes }: Graph): Map<number, { forward: Node[]; read: Set<Tensor> }> {
  const readers = new Map<Tensor, Set<number | null>>();
  const layers = new Map<number, { forward: Node[]; read: Set<Tensor> }>();
  for (const node of nodes) {
    if (node.phase === 'forward') {
      if (node.layer === null) continue;
      const layer = layers.get(node.layer) ?? { forward: [], read: new Set() };
      layers.set(node.layer, layer);
      layer.forward.push(node);
      continue;
    }
    for (const input of Object.values(node.inputs)) {
      if (input?.producer?.phase !== 'forward') continue;
      readers.set(input, (readers.get(input) ?? new Set()).add(node.layer));
    }
  }
  for (const [tensor, by] of readers) {
    const [layer = null] = by;
    if (by.size === 1 && layer !== null) layers.get(layer)?.read.add(tensor);
  }
  return layers;
}

/** The tensors that these savings copy to the host. */
export function offloadedTensors(savings: readonly Priced['saving'][]): Set<Tensor> {
  return new Set(savings.flatMap((saving) => (saving.how === 'offload' ? saving.tensors : [])));
}
