import { opCases } from '../../ops/cases.ts';
import type { SourceType } from '../addonTypes.ts';
import { casesOn, type OpCase } from '../cases/casesFor.ts';
import { hostArray } from '../cases/numbers.ts';
import type { Device } from '../device.ts';
import { Engine } from '../engine.ts';
import { Graph, type Node } from '../graph.ts';
import { trafficOf } from '../passes/cost.ts';
import { compile } from '../plan.ts';
import { elementCount } from '../tensor.ts';
import { Variables } from '../variables.ts';

export interface OpTiming {
  readonly op: string;
  /** Extents and attributes, as `T=512 K=576 N=1536 alpha=1 bf16=0`. */
  readonly shape: string;
  /** Of the inputs whose element type varies: the weights. */
  readonly dtype: string;
  readonly activationType: string;
  /** Median of a launch. */
  readonly milliseconds: number;
  /** (slowest - fastest) / median over the samples. */
  readonly spread: number;
  readonly gflops: number;
  /** Of its inputs and outputs, each once. */
  readonly gigabytesPerSecond: number;
}

export interface TimeOpsOptions {
  readonly device: Device;
  /** All where nothing is said. */
  readonly only?: readonly string[] | undefined;
  readonly samples?: number;
  /** A sample is as many launches as take this long. */
  readonly sampleMilliseconds?: number;
}

export const opNames: readonly string[] = opCases.map(({ op }) => op.name);

const bounds = { T: 1, S: 1, N: 1 };
/** Larger inputs repeat their first values. */
const distinctValues = 1 << 16;

/** Each op at the shapes that its cases.ts names for the benchmark. */
export async function timeOps({
  device,
  only = opNames,
  samples = 7,
  sampleMilliseconds = 20,
}: TimeOpsOptions): Promise<OpTiming[]> {
  const timings: OpTiming[] = [];
  for (const { op, benchmark } of opCases) {
    if (!only.includes(op.name)) continue;
    for (const of of casesOn(device, benchmark))
      timings.push(timingOf(of, await measure(of, device, samples, sampleMilliseconds)));
  }
  return timings;
}

/** Launches of one call: without them a call's own time would be most of a short one's. */
const launchesPerCall = 16;

interface Measured {
  /** Of a launch in each sample. */
  readonly milliseconds: readonly number[];
  readonly bytes: number;
}

/**
 * All inputs are variables, so that calls copy nothing. What fits into a cache stays there from launch to launch: such an op can
 * be faster than the memory.
 */
async function measure(of: OpCase, device: Device, samples: number, sampleMilliseconds: number): Promise<Measured> {
  const variables = new Variables();
  const graph = new Graph('bench', variables, of.activationType);
  const inputs = Object.fromEntries(
    [...of.inputs].map(([name, { dtype, shape }]) => [name, variables.get(name, { shape, dtype, kind: 'state' })]),
  );
  for (let i = 0; i < launchesPerCall; i++) graph.apply(of.op, inputs, of.attributes);
  const engine = new Engine(compile([graph], { bounds, activations: 'keep', device }), device);
  try {
    for (const [name, values] of of.values(distinctValues)) {
      const tensor = variables.byName.get(name);
      if (!tensor) throw new Error(`${of.op.name} has no input ${name}`);
      const array = hostArray(values.data, tensor.dtype);
      const count = elementCount(tensor.shape, bounds);
      for (let first = 0; first < count; first += array.length)
        await engine.write(name, array.subarray(0, count - first), tensor.dtype as SourceType, first);
    }
    const call = { program: 'bench', extents: {}, inputs: {} };
    const millisecondsOf = async (calls: number): Promise<number> => {
      const started = performance.now();
      await engine.run(Array.from({ length: calls }, () => call));
      return (performance.now() - started) / calls / launchesPerCall;
    };
    await millisecondsOf(1);
    const each = await millisecondsOf(1);
    const calls = Math.max(1, Math.min(1000, Math.ceil(sampleMilliseconds / each / launchesPerCall)));
    const milliseconds: number[] = [];
    for (let i = 0; i < samples; i++) milliseconds.push(await millisecondsOf(calls));
    return { milliseconds, bytes: trafficOf(graph.nodes[0] as Node, bounds) };
  } finally {
    await engine.dispose();
  }
}

function timingOf({ op, extents, attributes, activationType, inputs }: OpCase, measured: Measured): OpTiming {
  const sorted = measured.milliseconds.toSorted((a, b) => a - b);
  const milliseconds = sorted[sorted.length >> 1] as number;
  const varying = [...op.inputs]
    .filter(([, { dtypes, isActivation }]) => dtypes.length > 1 && !isActivation)
    .map(([name]) => inputs.get(name)?.dtype);
  return {
    op: op.name,
    shape: Object.entries({ ...extents, ...attributes })
      .map(([name, value]) => `${name}=${Number.isInteger(value) ? value : Number(value.toPrecision(4))}`)
      .join(' '),
    dtype: varying[0] ?? activationType,
    activationType,
    milliseconds,
    spread: ((sorted.at(-1) as number) - (sorted[0] as number)) / milliseconds,
    gflops: op.flops(extents) / milliseconds / 1e6,
    gigabytesPerSecond: measured.bytes / milliseconds / 1e6,
  };
}
