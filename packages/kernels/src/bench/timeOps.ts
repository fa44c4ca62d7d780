import { opCases } from '../../ops/cases.ts';
import type { SourceType } from '../addonTypes.ts';
import { casesOn, type OpCase } from '../cases/casesFor.ts';
import { hostArray } from '../cases/numbers.ts';
import type { Device } from '../device.ts';
import { Engine } from '../engine.ts';
import { Graph } from '../graph.ts';
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
  /** From the op's own cost. */
  readonly gflops: number;
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

/** Milliseconds of a launch in each sample. All inputs are variables, so that calls copy nothing. */
async function measure(of: OpCase, device: Device, samples: number, sampleMilliseconds: number): Promise<number[]> {
  const variables = new Variables();
  const graph = new Graph('bench', variables, of.activationType);
  const inputs = Object.fromEntries(
    [...of.inputs].map(([name, { dtype, shape }]) => [name, variables.get(name, { shape, dtype, kind: 'state' })]),
  );
  graph.apply(of.op, inputs, of.attributes);
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
    engine.setProfiling(true);
    const call = { program: 'bench', extents: {}, inputs: {} };
    const millisecondsOf = async (launches: number): Promise<number> => {
      await engine.run(Array.from({ length: launches }, () => call));
      return engine.takeProfile().reduce((sum, { milliseconds }) => sum + milliseconds, 0) / launches;
    };
    await millisecondsOf(1);
    const launches = Math.max(1, Math.min(10_000, Math.ceil(sampleMilliseconds / (await millisecondsOf(3)))));
    const measured: number[] = [];
    for (let i = 0; i < samples; i++) measured.push(await millisecondsOf(launches));
    return measured;
  } finally {
    await engine.dispose();
  }
}

function timingOf({ op, extents, attributes, activationType, inputs }: OpCase, measured: number[]): OpTiming {
  const sorted = measured.toSorted((a, b) => a - b);
  const milliseconds = sorted[sorted.length >> 1] as number;
  const { flops, bytes } = op.cost(extents);
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
    gflops: flops / milliseconds / 1e6,
    gigabytesPerSecond: bytes / milliseconds / 1e6,
  };
}
