import type { Placement } from '../addresses.ts';
import type { Graph, Node } from '../graph.ts';
import { type Bounds, byteLength, isPersistent, type Tensor, wholeOf } from '../tensor.ts';

/** Bytes that one or several tensors share, alive from `first` to `last` (positions in the node list). */
export interface Storage {
  /** The variable whose bytes these are; null for bytes planned by liveness. */
  readonly variable: Tensor | null;
  /** Of bytes planned by liveness; where a variable's are, the plan says. */
  readonly placement: Placement;
  readonly bytes: number;
  readonly first: number;
  last: number;
}

/**
 * Gives every tensor of a program its storage. An output that updates a variable has the variable's bytes. Another takes over
 * those of an input its op names in `inPlace` when that input is used for the last time, and by no other input of the op. Tiles lie in
 * the storage of what they are tiles of, which has the key.
 */
export function assignStorage(nodes: readonly Node[], graph: Graph, bounds: Bounds): Map<Tensor, Storage> {
  const results = new Set(graph.results.values());
  const lastReader = new Map<Tensor, Node>(); // in the graph as it was built
  for (const node of graph.nodes)
    for (const input of Object.values(node.inputs)) if (input) lastReader.set(input, node);
  const end = nodes.length;
  const lastUse = new Map<Tensor, number>();
  const lastWholeUse = new Map<Tensor, number>();
  const lastWrite = new Map<Tensor, number>();
  nodes.forEach((node, position) => {
    for (const input of Object.values(node.inputs)) {
      if (!input) continue;
      lastUse.set(wholeOf(input), position);
      if (!input.of) lastWholeUse.set(input, position);
    }
    for (const output of Object.values(node.outputs)) lastWrite.set(wholeOf(output), position);
  });
  for (const tensor of results) lastUse.set(tensor, end);

  const storage = new Map<Tensor, Storage>();
  const variableStorage = (tensor: Tensor): Storage => {
    let own = storage.get(tensor);
    if (!own) {
      own = { variable: tensor, placement: 'device', bytes: byteLength(tensor, bounds), first: -1, last: end };
      storage.set(tensor, own);
    }
    return own;
  };
  const lives = (tensor: Tensor, from: number): Storage => {
    const bytes = byteLength(tensor, bounds);
    const { placement = 'device' } = tensor;
    return { variable: null, placement, bytes, first: from, last: lastUse.get(tensor) ?? from };
  };

  for (const input of graph.inputs.values()) storage.set(input, lives(input, -1));
  nodes.forEach((node, position) => {
    for (const input of Object.values(node.inputs)) if (input && isPersistent(input)) variableStorage(input);
    const taken = new Set<Storage>();
    for (const [name, output] of Object.entries(node.outputs)) {
      const whole = wholeOf(output);
      if (output.of && storage.has(whole)) continue; // an earlier tile's node has seen to it
      const until = lastWrite.get(whole) ?? position;
      const updated = node.inputs[node.op.updates?.[name] ?? ''];
      const shared = updated
        ? storage.get(updated)
        : (node.op.inPlace?.[name] ?? [])
            .filter((input) => mayTakeOver(node, input, output, { position, until }))
            .map((input) => storage.get(wholeOf(node.inputs[input] as Tensor)))[0];
      if (shared && !taken.has(shared)) {
        taken.add(shared);
        shared.last = Math.max(shared.last, lastUse.get(whole) ?? until);
        storage.set(whole, shared);
      } else {
        storage.set(whole, lives(whole, position));
      }
    }
  });
  return storage;

  /** `until`: when the output is whole. Tiles take over from tiles, of which nothing reads the whole from now on. */
  function mayTakeOver(
    node: Node,
    input: string,
    output: Tensor,
    { position, until }: { position: number; until: number },
  ): boolean {
    const origin = node.origin ?? node;
    const original = origin.inputs[input];
    if (node.op.inPlaceMatters && original && lastReader.get(original) !== origin) return false;
    const source = node.inputs[input];
    const shared = source && storage.get(wholeOf(source));
    if (!shared || shared.variable || (source.of === undefined) !== (output.of === undefined)) return false;
    if (shared.placement !== (output.placement ?? 'device')) return false;
    if (source.of && (lastWholeUse.get(source.of) ?? -1) >= position) return false;
    if (source.kind === 'input' || results.has(wholeOf(source))) return false;
    const readTwice = Object.entries(node.inputs).some(
      ([name, t]) => name !== input && t && storage.get(wholeOf(t)) === shared,
    );
    return !readTwice && shared.last === until && shared.bytes === byteLength(wholeOf(output), bounds);
  }
}
