import { Addresses, type Placement } from './addresses.ts';
import { type Device, driverBytes } from './device.ts';
import { encodePlan } from './encode.ts';
import type { Graph } from './graph.ts';
import { hasKernel } from './op.ts';
import { align } from './passes/layout.ts';
import { withOffloads } from './passes/offloadable.ts';
import { placedInHost, placements } from './passes/placement.ts';
import { byPrice, type Priced, type Saving } from './passes/saving.ts';
import { recomputable } from './passes/savings.ts';
import { type PlannedProgram, planProgram, tileRowsOf } from './planProgram.ts';
import type { ActivationType, Bounds, Tensor } from './tensor.ts';
import type { Variables } from './variables.ts';

/**
 * What the backward pass finds in memory of the forward pass. `keep`: all but elementwise results whose inputs are kept anyway;
 * `recompute`: what enters each layer, and tables of which rows are gathered lie in the host's memory; `offload`: the same, but what
 * enters a layer and what takes longest to compute again lie in the host's memory meanwhile; `auto`: as much as the memory budget
 * allows, without what saves most for its time.
 */
export const activationPolicies = ['auto', 'keep', 'recompute', 'offload'] as const;
export type ActivationPolicy = (typeof activationPolicies)[number];

export interface CompileOptions {
  readonly bounds: Bounds;
  readonly activations: ActivationPolicy;
  /** Bytes that the plan may use in all; only `auto` looks at it. */
  readonly memoryBudget?: number;
  /** Bytes that it may use of the host's memory beside. */
  readonly hostBudget?: number;
  readonly device: Device;
}

/** Exact bytes by class; `total` is what the engine allocates of the device's memory, in one piece. */
export interface PlanMemory {
  readonly weights: number;
  readonly parameters: number;
  readonly gradients: number;
  readonly optimizer: number;
  readonly cache: number;
  readonly activations: number;
  readonly workspace: number;
  /** What the device's libraries take beside the plan; not in `total`. */
  readonly libraries: number;
  /** What the device's driver keeps for the plan beside it; not in `total`. */
  readonly driver: number;
  /** Pinned memory of the host; not in `total`. */
  readonly host: number;
  readonly total: number;
}

/** What has to be free for a plan, beside what libraries take. */
export function deviceBytes({ total, driver }: Pick<PlanMemory, 'total' | 'driver'>): number {
  return total + driver;
}

export interface Plan {
  readonly programs: readonly PlannedProgram[];
  readonly variables: ReadonlyMap<string, { tensor: Tensor; offset: number }>;
  readonly bounds: Bounds;
  readonly memory: PlanMemory;
  /** What its policy took to save memory, in the order of their prices. */
  readonly savings: readonly Saving[];
  /** Tokens of a tile; 0 where nothing is tiled. */
  readonly tileRows: number;
  readonly scratch: { readonly offset: number; readonly bytesPerThread: number; readonly threads: number };
  /** The form that crosses the native boundary. */
  encode(): Uint8Array;
}

/** Turns programs over shared variables into one plan. Pure: the same graphs and options give the same plan. */
export function compile(graphs: readonly Graph[], options: CompileOptions): Plan {
  const variables = graphs[0]?.variables;
  if (!variables || graphs.some((g) => g.variables !== variables))
    throw new Error('programs of one plan share their variables');
  const { activations, memoryBudget } = options;
  const differentiated = graphs.filter(({ nodes }) => nodes.some(({ phase }) => phase === 'backward'));
  const all = savingsFor(differentiated, graphs, options);
  const planWith = (savings: readonly Saving[]) => compileWith(graphs, variables, options, savings);
  if (activations === 'keep')
    return planWith(all.filter((saving) => saving.how === 'recompute' && saving.isElementwise));
  if (activations !== 'auto') return planWith(all);
  if (memoryBudget === undefined) throw new Error('activations: auto needs a memory budget');
  return fittingPlan(all.length, memoryBudget, (count) => planWith(all.slice(0, count)));
}

/** All that the policy may take, the cheapest first; to the host goes only what it has room for. */
function savingsFor(differentiated: readonly Graph[], graphs: readonly Graph[], options: CompileOptions): Saving[] {
  const { activations, bounds, device, hostBudget = Number.POSITIVE_INFINITY } = options;
  const placed = placements(graphs, bounds, device).filter(({ saving }) => saving.bytes <= hostBudget);
  const room = placed.reduce((free, { saving }) => free - saving.bytes, hostBudget);
  const offloads = activations === 'offload' || (activations === 'auto' && device.rates.hostBytesPerSecond !== null);
  const inLayers = differentiated.flatMap((graph): Priced[] => {
    const recomputed = recomputable(graph, bounds, device);
    return offloads ? withOffloads(graph, recomputed, bounds, device, room) : recomputed;
  });
  return [...inLayers, ...placed].toSorted(byPrice).map(({ saving }) => saving);
}

/** The plan with the fewest savings that fits; with all of them where none does. */
function fittingPlan(most: number, budget: number, planWith: (count: number) => Plan): Plan {
  const kept = planWith(0);
  if (deviceBytes(kept.memory) <= budget) return kept;
  let best = planWith(most);
  let low = 1;
  let high = most;
  while (low < high) {
    const middle = (low + high) >> 1;
    const plan = planWith(middle);
    if (deviceBytes(plan.memory) <= budget) {
      high = middle;
      best = plan;
    } else low = middle + 1;
  }
  return best;
}

function compileWith(
  graphs: readonly Graph[],
  variables: Variables,
  options: CompileOptions,
  savings: readonly Saving[],
): Plan {
  const { bounds, device } = options;
  const { scratch } = device;
  refuseMissingKernels(graphs, device);
  refuseActivations(graphs, device);
  const offsets = new Map<Tensor, number>();
  const sums = { weight: 0, parameter: 0, copy: 0, gradient: 0, optimizer: 0, cache: 0, state: 0 };
  const addresses = new Addresses();
  const inHost = placedInHost(savings);
  for (const { tensors, bytes } of variables.places(bounds)) {
    const placement = tensors.some(({ tensor }) => inHost.has(tensor)) ? 'host' : 'device';
    const start = addresses.add(placement, bytes);
    for (const { tensor, offset } of tensors) offsets.set(tensor, start + offset);
    if (placement === 'device') sums[tensors[0]?.tensor.kind as keyof typeof sums] += align(bytes);
  }
  const planned = graphs.map((graph) => planProgram(graph, options, savings, { offsets, addresses }));
  const most = (placement: Placement) => Math.max(0, ...planned.map(({ bytes }) => bytes[placement]));
  const activations = most('device');
  const end = addresses.bytes('device');
  const scratchBytes = scratch.bytesPerThread * scratch.threads;
  const host = addresses.bytes('host') + most('host');
  const memory: PlanMemory = {
    weights: sums.weight,
    parameters: sums.parameter,
    gradients: sums.gradient,
    optimizer: sums.optimizer,
    cache: sums.cache,
    activations,
    workspace: sums.state + sums.copy + scratchBytes,
    libraries: device.libraryBytes,
    driver: driverBytes(device, host),
    host,
    total: end + activations + scratchBytes,
  };
  const plan: Omit<Plan, 'encode'> = {
    programs: planned.map((p) => p.program),
    variables: new Map(
      [...variables.byName].map(([name, tensor]) => [name, { tensor, offset: offsets.get(tensor) as number }]),
    ),
    bounds,
    memory,
    savings,
    tileRows: tileRowsOf(options),
    scratch: { offset: end + activations, ...scratch },
  };
  return { ...plan, encode: () => encodePlan(plan) };
}

function refuseMissingKernels(graphs: readonly Graph[], device: Device): void {
  const missing = graphs
    .flatMap(({ nodes }) => nodes)
    .find(({ op, inputs }) => !hasKernel(op, device, (input) => inputs[input] !== undefined));
  if (missing) throw new Error(`${missing.op.name}: the ${device.kind} backend has no kernel for it yet`);
}

function refuseActivations(graphs: readonly Graph[], { kind, activationTypes, roundsOperands }: Device): void {
  for (const { op, inputs, outputs, attributes } of graphs.flatMap(({ nodes }) => nodes)) {
    const patterns = [...op.inputs, ...op.outputs].filter(([, { isActivation }]) => isActivation);
    for (const [name] of patterns) {
      const tensor = inputs[name] ?? outputs[name];
      if (tensor && !activationTypes.includes(tensor.dtype as ActivationType))
        throw new Error(`${op.name}: the ${kind} backend has no kernels for activations in ${tensor.dtype}`);
      if (tensor?.dtype === 'f32' && attributes['bf16'] && !roundsOperands)
        throw new Error(`${op.name}: the ${kind} backend forms no products of float32 activations in bf16`);
    }
  }
}
