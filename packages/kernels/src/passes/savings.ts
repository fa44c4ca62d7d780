import type { Device } from '../device.ts';
import type { Graph, Node } from '../graph.ts';
import { type Bounds, byteLength, type Tensor } from '../tensor.ts';
import { secondsOf } from './cost.ts';
import { byPrice, type Priced, type Recomputed } from './saving.ts';

/** Of what a layer keeps; less is not worth a launch in each layer. */
export const smallestShare = 0.005;

/**
 * Everything that a differentiated graph can compute again and that is worth it, by milliseconds per byte, the cheapest first. Those of
 * one layer build on each other in this order; what they say holds when the earlier ones are taken. Tensors that leave a layer are
 * always kept.
 */
export function recomputable(graph: Graph, bounds: Bounds, device: Device): Priced<Recomputed>[] {
  const leaving = tensorsUsedByOtherLayers(graph);
  const found = [...byLayer(graph)].flatMap(([layer, { forward, backward }]) => {
    const repeatable = new Set(forward.filter((node) => !Object.values(node.outputs).some((t) => leaving.has(t))));
    const seconds = new Map(forward.map((node) => [node, secondsOf(node, bounds, device)]));
    return ofLayer({ layer, repeatable, backward, seconds, bounds });
  });
  return found.sort(byPrice);
}

function tensorsUsedByOtherLayers({ nodes, results }: Graph): Set<Tensor> {
  const leaving = new Set<Tensor>(results.values());
  for (const node of nodes) {
    for (const input of Object.values(node.inputs)) {
      const producer = input?.producer;
      if (producer && producer.phase === 'forward' && producer.layer !== node.layer) leaving.add(input as Tensor);
    }
  }
  return leaving;
}

function byLayer({ nodes }: Graph): Map<number, { forward: Node[]; backward: Node[] }> {
  const layers = new Map<number, { forward: Node[]; backward: Node[] }>();
  for (const node of nodes) {
    if (node.layer === null) continue;
    const layer = layers.get(node.layer) ?? { forward: [], backward: [] };
    layers.set(node.layer, layer);
    layer[node.phase].push(node);
  }
  return layers;
}

interface Layer {
  readonly layer: number;
  /** Forward nodes that may run again. */
  readonly repeatable: ReadonlySet<Node>;
  readonly backward: readonly Node[];
  /** What each forward node takes. */
  readonly seconds: ReadonlyMap<Node, number>;
  readonly bounds: Bounds;
}

/** Takes again and again what spares most for its time. `price`, in seconds a byte, never falls: so sorting by it keeps the order. */
function ofLayer(layer: Layer): Priced<Recomputed>[] {
  const found: Priced<Recomputed>[] = [];
  let now = outcome(new Set(), layer);
  const smallest = smallestShare * now.bytes;
  let price = 0;
  for (;;) {
    const here = now;
    const producers = new Set([...here.kept].flatMap(({ producer }) => (producer ? [producer] : [])));
    const options = [...producers]
      .filter((node) => layer.repeatable.has(node))
      .map((node) => {
        const next = outcome(withWhatItNeeds(node, here, layer.repeatable), layer);
        return { next, bytes: here.bytes - next.bytes, seconds: next.seconds - here.seconds };
      })
      .filter(({ bytes }) => bytes > smallest)
      .sort((a, b) => a.seconds / a.bytes - b.seconds / b.bytes);
    const [best] = options;
    if (!best) return found;
    const nodes = [...layer.repeatable].filter((node) => best.next.again.has(node) && !here.again.has(node));
    price = Math.max(price, best.seconds / best.bytes);
    const saving: Recomputed = {
      how: 'recompute',
      layer: layer.layer,
      nodes,
      what: [...new Set(nodes.map(nameOf))].join(' + '),
      bytes: best.bytes,
      milliseconds: 1000 * best.seconds,
      isElementwise: nodes.length === 1 && nodes[0]?.op.cheap === true,
      frees: [...here.kept].filter((tensor) => !best.next.kept.has(tensor)),
    };
    found.push({ saving, price });
    now = best.next;
  }
}

interface Outcome {
  readonly again: ReadonlySet<Node>;
  /** Results of the forward pass that the backward pass finds in memory. */
  readonly kept: ReadonlySet<Tensor>;
  readonly bytes: number;
  readonly seconds: number;
}

function outcome(again: ReadonlySet<Node>, { backward, seconds, bounds }: Layer): Outcome {
  const kept = new Set<Tensor>();
  const repeated = new Set<Node>();
  const read = (tensor: Tensor | undefined): void => {
    const producer = tensor?.producer;
    if (!producer || producer.phase === 'backward') return;
    if (!again.has(producer)) kept.add(tensor);
    else if (!repeated.has(producer)) {
      repeated.add(producer);
      for (const input of Object.values(producer.inputs)) read(input);
    }
  };
  for (const node of backward) for (const input of Object.values(node.inputs)) read(input);
  return {
    again,
    kept,
    bytes: [...kept].reduce((sum, tensor) => sum + byteLength(tensor, bounds), 0),
    seconds: [...repeated].reduce((sum, node) => sum + (seconds.get(node) ?? 0), 0),
  };
}

/** The nodes that run again when this one does too: with it, those whose results it needs and nothing else keeps. */
function withWhatItNeeds(node: Node, { again, kept }: Outcome, repeatable: ReadonlySet<Node>): Set<Node> {
  const all = new Set(again);
  const take = (one: Node): void => {
    all.add(one);
    for (const input of Object.values(one.inputs)) {
      const producer = input?.producer;
      if (producer && repeatable.has(producer) && !all.has(producer) && !kept.has(input)) take(producer);
    }
  };
  take(node);
  return all;
}

/** What follows the layer's number in the name of its weight, as `q_norm`, `gate`, `up.A`; of several weights these; else its op's name. */
function nameOf({ inputs, op, layer }: Node): string {
  const weights = ['weight', 'codes', 'weight0', 'weight1', 'weight2'].flatMap((name) => inputs[name] ?? []);
  const names = weights.map(({ producer, name }) =>
    producer ? nameOf(producer) : name.replace(new RegExp(`^(.*[./])?${layer}\\.`), ''),
  );
  return names.length > 0 ? names.join(', ') : op.name;
}
