/** Optimizers beside AdamW against bitsandbytes, transformers, torch and schedulefree: golden/make_optimizers.py. */
import { fileURLToPath } from 'node:url';
import { openSafetensors } from '@anneal/formats/safetensors/read';
import {
  addon,
  compile,
  cpuDevice,
  cudaDevices,
  type Device,
  Engine,
  Graph,
  type HostArray,
  Variables,
} from '@anneal/kernels';
import { describe, expect, onTestFinished, test } from 'vitest';
import { initializeOptimizer } from '../src/trainer/initialize.ts';
import { type Method, parameterGroups, updateGroups } from '../src/trainer/optimizer.ts';

const shapes = { wide: [6, 40], tall: [24, 5], vector: [7] } as const;
const names = Object.keys(shapes) as (keyof typeof shapes)[];
const kept = [0, 1, 5, 11];

function golden() {
  const source = openSafetensors(fileURLToPath(new URL('golden/optimizers/optimizers.safetensors', import.meta.url)));
  onTestFinished(() => source.close());
  return source;
}

/** The GPUs of this host, and its processor with each instruction set that it runs. */
const devices: readonly (readonly [string, Device])[] = [
  ...cudaDevices().devices.map((device) => [`GPU ${device.index}`, device] as const),
  ...addon()
    .instructionSets()
    .map((isa) => [isa, cpuDevice({ isa, threads: 2 })] as const),
];

/** The program `update` of these parameters on an engine. */
function open(method: Method, device: Device, parametersOf: Readonly<Record<string, readonly number[]>> = shapes) {
  const variables = new Variables();
  const parameters = Object.entries(parametersOf).map(([name, shape]) =>
    variables.get(name, { shape, dtype: 'f32', kind: 'parameter' }),
  );
  const optimizer = { ...method, weightDecay: 0.01, maxGradNorm: 0, decays: () => true };
  const groups = parameterGroups(variables, parameters, optimizer, false);
  const graph = new Graph('update', variables);
  updateGroups(graph, groups, variables.get('square_sum', { shape: [1], dtype: 'f64', kind: 'state' }), 0);
  const plan = compile([graph], { bounds: {}, activations: 'keep', device });
  return { engine: new Engine(plan, device), beginsAs: new Map(groups.flatMap((group) => [...group.beginsAs])) };
}

interface Golden {
  readonly method: Method;
  /** Our name of a state and theirs, for matrices and for the vector. */
  readonly states: Readonly<Record<string, Partial<Record<keyof typeof shapes, string>>>>;
}

const everywhere = (part: string) => ({ wide: part, tall: part, vector: part });

const optimizers: readonly (readonly [string, Golden])[] = [
  [
    'adafactor',
    {
      method: { kind: 'adafactor' },
      states: {
        row: { wide: 'exp_avg_sq_row', tall: 'exp_avg_sq_row' },
        column: { wide: 'exp_avg_sq_col', tall: 'exp_avg_sq_col' },
        v: { vector: 'exp_avg_sq' },
      },
    },
  ],
  [
    'muon',
    {
      method: { kind: 'muon', beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
      states: {
        m: { wide: 'momentum_buffer', tall: 'momentum_buffer', vector: 'exp_avg' },
        v: { vector: 'exp_avg_sq' },
      },
    },
  ],
  [
    'schedule_free',
    {
      method: { kind: 'schedule_free_adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
      states: { x: everywhere('x'), z: everywhere('z'), v: everywhere('exp_avg_sq') },
    },
  ],
  ['lion', { method: { kind: 'lion', beta1: 0.9, beta2: 0.99 }, states: { m: everywhere('state1') } }],
];

describe.each(optimizers)('%s', (optimizer, { method, states }) => {
  test.each(devices)('twelve steps as the reference makes them: %s', async (_, device) => {
    const source = golden();
    const { engine, beginsAs } = open(method, device);
    onTestFinished(() => engine.dispose());
    const rates = source.float32('rates');
    for (const name of names) await engine.write(name, source.float32(`start.${name}`), 'f32');
    await initializeOptimizer(engine, beginsAs);
    for (let i = 0; i < rates.length; i++) {
      for (const name of names) await engine.write(`gradient/${name}`, source.float32(`grad.${name}.${i}`), 'f32');
      const { inputs: declared } = engine.plan.programs[0] as { inputs: ReadonlyMap<string, unknown> };
      const inputs = {
        learningRate: Float32Array.of(rates[i] as number),
        ...(declared.has('step') && { step: Int32Array.of(i + 1) }),
      };
      await engine.run([{ program: 'update', extents: {}, inputs }]);
      if (!kept.includes(i)) continue;
      for (const name of names) {
        const difference = largestDifference(await engine.read(name), source.float32(`${optimizer}.${name}.${i}`));
        expect(difference, `${name} after step ${i + 1}`).toBeLessThan(1e-6);
      }
    }
    for (const [part, theirs] of Object.entries(states)) {
      for (const [name, state] of Object.entries(theirs)) {
        const expected = source.float32(`${optimizer}.${name}.state.${state}`);
        const found = await engine.read(`optimizer/${name}.${part}`);
        expect(largestDifference(found, expected), `${part} of ${name}`).toBeLessThan(1e-5 * Math.max(...expected, 1));
      }
    }
  });
});

function largestDifference(got: HostArray, expected: Float32Array): number {
  expect(got).toHaveLength(expected.length);
  return expected.reduce((largest, value, i) => Math.max(largest, Math.abs((got[i] as number) - value)), 0);
}

test.each<Method>([
  { kind: 'adafactor' },
  { kind: 'muon', beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  { kind: 'lion', beta1: 0.9, beta2: 0.99 },
])('$kind moves the kernel of a convolution as a vector', async (method) => {
  const { engine } = open(method, cpuDevice({ threads: 2 }), { kernel: [5, 1, 3], vector: [15] });
  onTestFinished(() => engine.dispose());
  const { inputs: declared } = engine.plan.programs[0] as { inputs: ReadonlyMap<string, unknown> };
  for (let step = 1; step <= 3; step++) {
    const gradient = Float32Array.from({ length: 15 }, (_, i) => Math.sin(i + 7 * step));
    for (const name of ['kernel', 'vector']) await engine.write(`gradient/${name}`, gradient, 'f32');
    const inputs = {
      learningRate: Float32Array.of(0.1),
      ...(declared.has('step') && { step: Int32Array.of(step) }),
    };
    await engine.run([{ program: 'update', extents: {}, inputs }]);
  }
  const [kernel, vector] = [await engine.read('kernel'), await engine.read('vector')];
  expect([...(kernel as Float32Array)]).toEqual([...(vector as Float32Array)]);
  expect([...(kernel as Float32Array)].every((value) => value !== 0)).toBe(true);
});
