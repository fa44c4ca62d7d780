import type { Graph, Node } from '../graph.ts';
import { type Bounds, type Dim, sizeOf, type Tensor, type Tile } from '../tensor.ts';
import { withInputs } from './recompute.ts';

/**
 * The nodes of a program that are run tile by tile where rows are long: those with results that are wider than what layers hand to each
 * other, as between an MLP's products, and what lies between them. It follows from the graph alone, so that every plan of it forms the
 * same products and sums.
 */
export function tiledNodes(graph: Graph): Set<Node> {
  const readers = readersOf(graph.nodes);
  const results = new Set(graph.results.values());
  const handedOn = [...readers].filter(
    ([{ producer }, nodes]) =>
      producer?.phase === 'forward' &&
      producer.layer !== null &&
      [...nodes].some(({ layer, phase }) => phase === 'forward' && layer !== producer.layer),
  );
  const usual = Math.max(0, ...handedOn.map(([tensor]) => widthOf(tensor)));
  const isWide = (tensor: Tensor | undefined): boolean =>
    tensor?.producer?.op.tiles === true &&
    usual > 0 &&
    widthOf(tensor) > usual &&
    !results.has(tensor) &&
    [...(readers.get(tensor) ?? [])].every(({ op }) => op.tiles);
  const found = new Set<Node>();
  for (const nodes of Map.groupBy(graph.nodes, ({ layer, phase }) => `${layer} ${phase}`).values()) {
    const touches = ({ inputs, outputs }: Node) => [...Object.values(inputs), ...Object.values(outputs)].some(isWide);
    const [first, last] = [nodes.findIndex(touches), nodes.findLastIndex(touches)];
    if (first < 0) continue;
    for (const node of nodes.slice(first, last + 1)) if (node.op.tiles) found.add(node);
  }
  return found;
}

/**
 * The node list in which nodes that come from `tiled` ones are applied to `rows` tokens at a time: tile after tile, each through all such
 * nodes that follow each other. What only they read exists for one tile at a time. Nodes among them that need nothing of theirs come
 * first, equal ones once, and others behind them.
 */
export function tile(
  nodes: readonly Node[],
  graph: Graph,
  tiled: ReadonlySet<Node>,
  rows: number,
  bounds: Bounds,
): Node[] {
  const isTiled = (node: Node): boolean => tiled.has(node.origin ?? node);
  const count = Math.ceil(sizeOf('T', bounds) / rows);
  const readers = readersOf(nodes);
  const results = new Set(graph.results.values());
  const found: Node[] = [];
  for (let at = 0; at < nodes.length; ) {
    if (!isTiled(nodes[at] as Node)) {
      found.push(nodes[at++] as Node);
      continue;
    }
    const { ahead, run, behind, end } = runFrom(nodes, at, isTiled);
    const { once, same } = withoutRepetition(ahead);
    found.push(...once);
    const inside = new Set(run);
    const isInside = (tensor: Tensor) =>
      !results.has(tensor) && [...(readers.get(tensor) ?? [])].every((node) => inside.has(node));
    for (let index = 0; index < count; index++) {
      const pieces = new Map<Tensor, Tensor>(same);
      for (const node of run) found.push(applyTo({ index, rows }, node, pieces, isInside));
    }
    found.push(...behind.map((node) => withInputs(node, same)));
    at = end;
  }
  return found;
}

function readersOf(nodes: readonly Node[]): Map<Tensor, Set<Node>> {
  const readers = new Map<Tensor, Set<Node>>();
  for (const node of nodes) {
    for (const input of Object.values(node.inputs))
      if (input) readers.set(input, (readers.get(input) ?? new Set()).add(node));
  }
  return readers;
}

function hasTokens({ shape, kind }: Tensor): boolean {
  return shape[0] === 'T' && (kind === 'activation' || kind === 'input');
}

/** Elements of a token; 0 where its rows are not tokens. */
function widthOf(tensor: Tensor): number {
  return hasTokens(tensor) ? tensor.shape.slice(1).reduce<number>((product, dim) => product * Number(dim), 1) : 0;
}

/** Tiled nodes of one layer from `at` on, up to the first that needs what comes behind one of them; the others among them by where they can be moved. */
function runFrom(nodes: readonly Node[], at: number, isTiled: (node: Node) => boolean) {
  const made = new Set<Tensor>();
  const madeBehind = new Set<Tensor>();
  const found = { ahead: [] as Node[], run: [] as Node[], behind: [] as Node[], end: at };
  let [ahead, behind]: [Node[], Node[]] = [[], []]; // of what was seen since the last tiled node
  for (let i = at; i < nodes.length; i++) {
    const node = nodes[i] as Node;
    if (node.layer !== nodes[at]?.layer || node.phase !== nodes[at]?.phase) break;
    const needs = (tensors: ReadonlySet<Tensor>) => Object.values(node.inputs).some((t) => t && tensors.has(t));
    const outputs = Object.values(node.outputs);
    if (isTiled(node)) {
      if (needs(madeBehind)) break;
      found.ahead.push(...ahead);
      found.behind.push(...behind);
      found.run.push(node);
      found.end = i + 1;
      [ahead, behind] = [[], []];
      for (const output of outputs) made.add(output);
    } else if (node.op.updates || needs(made) || needs(madeBehind)) {
      behind.push(node);
      for (const output of outputs) madeBehind.add(output);
    } else ahead.push(node);
  }
  return found;
}

/** Each application of an op to the same tensors once; `same` has the outputs of those left out. */
function withoutRepetition(nodes: readonly Node[]): { once: Node[]; same: Map<Tensor, Tensor> } {
  const first = new Map<string, Node>();
  const same = new Map<Tensor, Tensor>();
  const once = nodes.filter((node) => {
    const inputs = Object.values(node.inputs).map((input) => input?.name);
    const key = JSON.stringify([node.op.name, node.attributes, inputs]);
    const known = first.get(key);
    if (known)
      for (const [name, output] of Object.entries(node.outputs)) same.set(output, known.outputs[name] as Tensor);
    else first.set(key, node);
    return !known;
  });
  return { once, same };
}

function applyTo(tokens: Tile, node: Node, pieces: Map<Tensor, Tensor>, isInside: (tensor: Tensor) => boolean): Node {
  const shapeOf = ({ shape }: Tensor): Dim[] => [tokens, ...shape.slice(1)];
  const inputs = Object.entries(node.inputs).map(([name, tensor]) => {
    const known = tensor && pieces.get(tensor);
    if (known || !tensor || !hasTokens(tensor)) return [name, known ?? tensor] as const;
    return [name, { ...tensor, shape: shapeOf(tensor), of: tensor }] as const;
  });
  const extents = Object.entries(node.extents).map(([letter, dim]) => [letter, dim === 'T' ? tokens : dim] as const);
  const copy: Node = {
    ...node,
    inputs: Object.fromEntries(inputs),
    outputs: {},
    extents: Object.fromEntries(extents),
    origin: node.origin ?? node,
  };
  for (const [name, tensor] of Object.entries(node.outputs)) {
    const piece: Tensor = {
      ...tensor,
      name: `${tensor.name}/${tokens.index}`,
      producer: copy,
      ...(hasTokens(tensor) && { shape: shapeOf(tensor) }),
      ...(hasTokens(tensor) && !isInside(tensor) && { of: tensor }),
    };
    copy.outputs[name] = piece;
    pieces.set(tensor, piece);
  }
  return copy;
}
