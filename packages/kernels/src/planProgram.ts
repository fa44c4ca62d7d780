import { type Addresses, layOutFrom, type Placement } from './addresses.ts';
import type { Device } from './device.ts';
import type { Graph, Node } from './graph.ts';
import type { WorkspaceContext } from './op.ts';
import { secondsOf, sizesOf } from './passes/cost.ts';
import { offload } from './passes/offload.ts';
import { offloadedTensors } from './passes/offloadable.ts';
import { type Accesses, type LaunchOrder, launchOrder } from './passes/order.ts';
import { recompute } from './passes/recompute.ts';
import type { Saving } from './passes/saving.ts';
import { assignStorage, type Storage } from './passes/storage.ts';
import { tile, tiledNodes } from './passes/tile.ts';
import { type Bounds, byteLength, startInWhole, type Tensor, wholeOf } from './tensor.ts';

export interface Launch {
  readonly node: Node;
  readonly offsets: ReadonlyMap<Tensor, number>;
  readonly workspaceOffset: number;
  readonly workspaceBytes: number;
  readonly order: LaunchOrder;
}

export interface PlannedProgram {
  readonly name: string;
  readonly launches: readonly Launch[];
  readonly inputs: ReadonlyMap<string, { tensor: Tensor; offset: number }>;
  readonly results: ReadonlyMap<string, { tensor: Tensor; offset: number }>;
  readonly flops: number;
}

interface Target {
  readonly bounds: Bounds;
  readonly device: Device;
}

/** Orders a program's launches and lays out what they work on, behind the variables. */
export function planProgram(
  graph: Graph,
  { bounds, device }: Target,
  savings: readonly Saving[],
  {
    offsets: variableOffsets,
    addresses,
  }: { readonly offsets: ReadonlyMap<Tensor, number>; readonly addresses: Addresses },
): { program: PlannedProgram; bytes: Record<Placement, number> } {
  const nodes = nodesWith(graph, savings, bounds, device);
  const storage = assignStorage(nodes, graph, bounds);
  const workspaces = nodes.map((node, position): Storage => {
    const bytes = node.op.workspace?.(sizesOf(node, bounds), workspaceContext(node, device)) ?? 0;
    return { variable: null, placement: 'device', bytes, first: position, last: position };
  });
  const intervals = [...new Set([...storage.values(), ...workspaces])].filter((s) => !s.variable && s.bytes > 0);
  const layout = layOutFrom(addresses, intervals);
  const base = addresses.end('device');
  const offsetOf = (tensor: Tensor): number => {
    const own = storage.get(wholeOf(tensor));
    if (own && !own.variable) return (layout.addresses.get(own) ?? base) + startInWhole(tensor);
    const offset = variableOffsets.get(own?.variable ?? tensor);
    if (offset === undefined) throw new Error(`${tensor.name} has no storage in ${graph.name}`);
    return offset;
  };
  const placed = (tensors: ReadonlyMap<string, Tensor>) =>
    new Map([...tensors].map(([name, tensor]) => [name, { tensor, offset: offsetOf(tensor) }]));
  const workspaceOf = (position: number) => {
    const workspace = workspaces[position] as Storage;
    return { workspaceOffset: layout.addresses.get(workspace) ?? base, workspaceBytes: workspace.bytes };
  };
  const rangesOf = (tensors: Node['inputs']) => {
    const given = Object.values(tensors).filter((t) => t !== undefined);
    return given.map((t) => [offsetOf(t), offsetOf(t) + byteLength(t, bounds)] as const);
  };
  const orders = launchOrder(
    nodes.map((node, position): Accesses => {
      const { workspaceOffset, workspaceBytes } = workspaceOf(position);
      const workspace = [workspaceOffset, workspaceOffset + workspaceBytes] as const;
      const isShort = device.kind === 'cuda' && node.op.isShort?.(sizesOf(node, bounds)) === true;
      return { reads: rangesOf(node.inputs), writes: [...rangesOf(node.outputs), workspace], isShort };
    }),
  );
  const launches = nodes.map((node, position): Launch => {
    const tensors = [...Object.values(node.inputs), ...Object.values(node.outputs)].filter((t) => t !== undefined);
    return {
      node,
      offsets: new Map(tensors.map((t) => [t, offsetOf(t)])),
      ...workspaceOf(position),
      order: orders[position] as LaunchOrder,
    };
  });
  return {
    program: {
      name: graph.name,
      launches,
      inputs: placed(graph.inputs),
      results: placed(graph.results),
      flops: nodes.reduce((sum, node) => sum + node.op.flops(sizesOf(node, bounds)), 0),
    },
    bytes: layout.bytes,
  };
}

/** The graph's nodes in the order in which they run, with those that the savings add. */
function nodesWith(graph: Graph, savings: readonly Saving[], bounds: Bounds, device: Device): Node[] {
  const again = new Set(savings.flatMap((saving) => (saving.how === 'recompute' ? saving.nodes : [])));
  const tileRows = tileRowsOf({ bounds, device });
  const whole = recompute(graph, again);
  const nodes = tileRows > 0 ? tile(whole, graph, tiledNodes(graph), tileRows, bounds) : whole;
  const rate = device.rates.hostBytesPerSecond;
  if (rate === null) return nodes;
  return offload(nodes, offloadedTensors(savings), {
    seconds: (node) => secondsOf(node, bounds, device),
    copySeconds: (tensor) => byteLength(tensor, bounds) / rate,
  });
}

/** Tokens of a tile; 0 where nothing is tiled. */
export function tileRowsOf({ bounds, device: { tileRows } }: Target): number {
  return tileRows !== null && (bounds.T ?? 0) > 2 * tileRows ? tileRows : 0;
}

function workspaceContext({ inputs, attributes }: Node, { kind }: Device): WorkspaceContext<string> {
  const given = Object.entries(inputs).flatMap(([name, tensor]) => (tensor ? [[name, tensor.dtype] as const] : []));
  return { attributes, device: kind, dtypes: Object.fromEntries(given) };
}
