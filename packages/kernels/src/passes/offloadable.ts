import type { Device } from '../device.ts';
import type { Graph, Node } from '../graph.ts';
import { type Bounds, byteLength, type Tensor } from '../tensor.ts';
import { bytesOfAll, secondsOf } from './cost.ts';
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
  let room = hostBudget;
  const candidates = layersOf(graph).flatMap((layer) => candidatesOf(layer, recomputed, bounds, device));
  return candidates
    .sort((a, b) => b.price - a.price)
    .flatMap(({ layer, what, tensors, price, saving }): readonly Priced[] => {
      const bytes = bytesOfAll(tensors, bounds);
      const pays = price > (2 * contention) / rate && (saving === null || bytes <= layer.copied);
      if (!pays || bytes > room) return saving ? [saving] : [];
      const hidden = Math.min(bytes, Math.max(0, layer.copied));
      room -= bytes;
      layer.copied -= bytes;
      const seconds = (2 * (contention * hidden + (bytes - hidden))) / rate; // there and back
      const milliseconds = 1000 * seconds;
      const offloaded: Offloaded = { how: 'offload', layer: layer.number, what, tensors, bytes, milliseconds };
      return [{ saving: offloaded, price: seconds / bytes }];
    });
}

interface Layer {
  readonly number: number;
  readonly forward: readonly Node[];
  /** Results of the forward pass that the backward pass of this layer alone reads. */
  readonly read: ReadonlySet<Tensor>;
}

interface Candidate {
  /** `copied`: bytes that go over the bus in the time of its forward pass, of those that were not given away yet. */
  readonly layer: { readonly number: number; copied: number };
  readonly what: string;
  readonly tensors: readonly Tensor[];
  /** Seconds a byte of doing without them otherwise; infinite where there is no other way. */
  readonly price: number;
  /** The other way. */
  readonly saving: Priced<Recomputed> | null;
}

function candidatesOf(
  { number, forward, read }: Layer,
  recomputed: readonly Priced<Recomputed>[],
  bounds: Bounds,
  device: Device,
): Candidate[] {
  const seconds = forward.reduce((sum, node) => sum + secondsOf(node, bounds, device), 0);
  const layer = { number, copied: busyShare * seconds * (device.rates.hostBytesPerSecond ?? 0) };
  const own = recomputed.filter(({ saving }) => saving.layer === number);
  const replaceable = new Set(own.flatMap(({ saving }) => saving.frees));
  const smallest = smallestShare * bytesOfAll([...read], bounds);
  const entering = [...read].filter(
    (t) => !replaceable.has(t) && byteLength(t, bounds) > smallest && t.producer?.layer !== number,
  );
  return [
    ...(entering.length > 0
      ? [{ layer, what: 'what enters a layer', tensors: entering, price: Number.POSITIVE_INFINITY, saving: null }]
      : []),
    // The last first among equals: what a saving takes by itself holds where the earlier ones are computed again.
    ...own
      .map((saving) => ({ layer, what: saving.saving.what, tensors: saving.saving.frees, price: saving.price, saving }))
      .toReversed(),
  ];
}

function layersOf({ nodes }: Graph): Layer[] {
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
  return [...layers].map(([number, { forward, read }]) => ({ number, forward, read }));
}

/** The tensors that these savings copy to the host. */
export function offloadedTensors(savings: readonly Priced['saving'][]): Set<Tensor> {
  return new Set(savings.flatMap((saving) => (saving.how === 'offload' ? saving.tensors : [])));
}
