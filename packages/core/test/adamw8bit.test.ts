import { fileURLToPath } from 'node:url';
import { openSafetensors } from '@anneal/formats/safetensors/read';
import { addon, compile, cpuDevice, Engine, Graph, type HostArray, Variables } from '@anneal/kernels';
import { expect, onTestFinished, test } from 'vitest';
import { resolveRecipe } from '../src/recipe/resolve.ts';
import { readOptimizer } from '../src/trainer/checkpoint.ts';
import { createJob } from '../src/trainer/job.ts';
import { parameterGroups, updateGroups } from '../src/trainer/optimizer.ts';
import type { MomentBits } from '../src/trainer/optimizers/adamw.ts';
import { openSession } from '../src/trainer/session.ts';
import { startEngine } from '../src/trainer/startEngine.ts';
import { temporaryFolder } from './fixtures.ts';
import { checkpointPath, tinyRecipe, trainHere } from './runs.ts';

const learningRate = 1e-3;

/** Twenty steps of bitsandbytes 0.50.2's AdamW8bit on a GPU: on a matrix of 8192 weights, and on one of 384, too small for 8 bits. */
function bitsandbytes() {
  const source = openSafetensors(fileURLToPath(new URL('golden/adamw_8bit/adamw8bit.safetensors', import.meta.url)));
  onTestFinished(() => source.close());
  return source;
}

test.each(addon().instructionSets())('twenty steps as bitsandbytes makes them: %s', async (isa) => {
  const golden = bitsandbytes();
  const { engine, close } = open(8, { large: [64, 128], small: [16, 24] }, isa);
  const names = ['large', 'small'] as const;
  for (const name of names) await engine.write(name, golden.float32(`${name}.start`), 'f32');
  for (let i = 0; i < 20; i++) {
    for (const name of names) await engine.write(`gradient/${name}`, golden.float32(`${name}.grad.${i}`), 'f32');
    const inputs = { learningRate: Float32Array.of(learningRate), step: Int32Array.of(i + 1) };
    await engine.run([{ program: 'update', extents: {}, inputs }]);
    for (const name of names) {
      if (![0, 1, 9, 19].includes(i)) continue;
      // bitsandbytes takes powers and quotients by instructions that are off by up to 2^-12 in the first steps, of moves of learningRate.
      const tolerance = (i + 1) * learningRate * 2 ** -12;
      expect(largestDifference(await engine.read(name), golden.float32(`${name}.after.${i}`))).toBeLessThan(tolerance);
    }
  }
  expect(await engine.read('optimizer/large.m')).toEqual(golden.bytes('large.state1'));
  expect(await engine.read('optimizer/large.v')).toEqual(golden.bytes('large.state2'));
  expect(await engine.read('optimizer/large.m_absmax')).toEqual(golden.float32('large.absmax1'));
  expect(await engine.read('optimizer/large.v_absmax')).toEqual(golden.float32('large.absmax2'));
  expect(largestDifference(await engine.read('optimizer/small.m'), golden.float32('small.state1'))).toBeLessThan(1e-6);
  // In float32, 1 - 0.999 is larger than 0.001 by 4.7e-5 of it; our AdamW with float32 moments takes 0.001.
  const squares = golden.float32('small.state2');
  const tolerance = 5e-5 * Math.max(...squares);
  expect(largestDifference(await engine.read('optimizer/small.v'), squares)).toBeLessThan(tolerance);
  await close();
});

const neighbors = { first: [17, 300], second: [4096], third: [70, 70] } as const;

function waves(name: keyof typeof neighbors, offset: number): Float32Array {
  const count = neighbors[name].reduce<number>((product, extent) => product * extent, 1);
  return Float32Array.from({ length: count }, (_, i) => Math.sin(i * 1.7 + offset));
}

/** Three steps of these together. */
async function moved(names: readonly (keyof typeof neighbors)[]): Promise<Record<string, HostArray>> {
  const { engine, close } = open(8, Object.fromEntries(names.map((name) => [name, neighbors[name]])));
  for (const name of names) await engine.write(name, waves(name, 0), 'f32');
  for (let step = 1; step <= 3; step++) {
    for (const name of names) await engine.write(`gradient/${name}`, waves(name, step), 'f32');
    const inputs = { learningRate: Float32Array.of(learningRate), step: Int32Array.of(step) };
    await engine.run([{ program: 'update', extents: {}, inputs }]);
  }
  const results = await Promise.all(names.map(async (name) => [name, await engine.read(name)] as const));
  await close();
  return Object.fromEntries(results);
}

test('a parameter moves as it would alone: none shares a block with its neighbor', async () => {
  const together = await moved(['first', 'second', 'third']);
  for (const name of ['first', 'second', 'third'] as const) {
    expect(together[name], name).toEqual((await moved([name]))[name]);
    expect(together[name], name).not.toEqual(waves(name, 0));
  }
});

test('moments take two bytes an element, and eight for each 256', () => {
  const shapes = { large: [1024, 1024], small: [256] };
  expect(planOf(32, shapes).memory.optimizer).toBe(2 * 4 * (1024 * 1024 + 256));
  expect(planOf(8, shapes).memory.optimizer).toBe(2 * (1024 * 1024 + 4 * 4096) + 2 * 4 * 256);
});

test.each([
  ['adamw_torch', 'adamw_8bit', /is F32 \[160,32\], this recipe needs U8 \[20,256\]/],
  ['adamw_8bit', 'adamw_torch', /is U8 \[20,256\], this recipe needs F32 \[160,32\]/],
] as const)('a checkpoint of %s is not taken for one of %s', async (made, wanted, what) => {
  const folder = temporaryFolder();
  const full = { adapter: null, lora_r: undefined, lora_alpha: undefined } as const;
  const recipe = tinyRecipe(folder, { ...full, max_steps: 2, optimizer: made });
  const run = await trainHere(recipe);
  const resolved = resolveRecipe({ ...recipe, optimizer: wanted }, { baseDirectory: '/' });
  const session = await openSession(createJob(resolved), { dataFolder: folder });
  const { engine } = await startEngine(session, null);
  try {
    await expect(readOptimizer(checkpointPath(run, 2), engine)).rejects.toMatchObject({
      code: 'checkpoint_of_another_run',
      what: expect.stringMatching(what),
    });
  } finally {
    await engine.dispose();
    await session.close();
  }
});

type Shapes = Readonly<Record<string, readonly number[]>>;

function programOf(momentBits: MomentBits, shapes: Shapes): { graph: Graph; variables: Variables } {
  const variables = new Variables();
  const parameters = Object.entries(shapes).map(([name, shape]) =>
    variables.get(name, { shape, dtype: 'f32', kind: 'parameter' }),
  );
  const betas = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
  const optimizer = {
    kind: 'adamw',
    ...betas,
    weightDecay: 0.01,
    maxGradNorm: 0,
    momentBits,
    decays: () => true,
  } as const;
  const groups = parameterGroups(variables, parameters, optimizer, false);
  const graph = new Graph('update', variables);
  const squareSum = variables.get('square_sum', { shape: [1], dtype: 'f64', kind: 'state' });
  updateGroups(graph, groups, squareSum, 0);
  return { graph, variables };
}

function planOf(momentBits: MomentBits, shapes: Shapes, device = cpuDevice({ threads: 2 })) {
  const { graph } = programOf(momentBits, shapes);
  return compile([graph], { bounds: {}, activations: 'keep', device });
}

function open(momentBits: MomentBits, shapes: Shapes, isa?: string) {
  const device = cpuDevice({ isa, threads: 2 });
  const engine = new Engine(planOf(momentBits, shapes, device), device);
  return { engine, close: () => engine.dispose() };
}

function largestDifference(got: HostArray, expected: Float32Array): number {
  expect(got).toHaveLength(expected.length);
  return expected.reduce((largest, value, i) => Math.max(largest, Math.abs((got[i] as number) - value)), 0);
}
