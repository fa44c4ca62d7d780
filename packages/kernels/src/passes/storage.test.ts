import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { columnsOf, interpret } from '../../test/interpreter.ts';
import { randomGraph, type Step, steps } from '../../test/randomGraph.ts';
import type { SourceType } from '../addonTypes.ts';
import { hostArray, normal, randomFrom, seedOf } from '../cases/numbers.ts';
import { Values } from '../cases/values.ts';
import { cpuDevice } from '../device.ts';
import { Engine, type HostArray } from '../engine.ts';
import type { Graph } from '../graph.ts';
import { compile } from '../plan.ts';
import { elementCount, type Tensor } from '../tensor.ts';

const bounds = { T: 1, S: 1, N: 1 };
const device = cpuDevice({ threads: 1 });

function startOf({ name, shape, dtype }: Tensor): Float64Array {
  const random = randomFrom(seedOf(name));
  const value = () => (dtype === 'f32' ? Math.fround(0.4 * normal(random)) : 3);
  return Float64Array.from({ length: elementCount(shape, bounds) }, value);
}

/** Results and variables after one call. */
async function execute(graph: Graph): Promise<Map<string, HostArray>> {
  const engine = new Engine(compile([graph], { bounds, activations: 'keep', device }), device);
  try {
    for (const [name, tensor] of graph.variables.byName)
      await engine.write(name, hostArray(startOf(tensor), tensor.dtype), tensor.dtype as SourceType);
    const inputs = Object.fromEntries([...graph.inputs].map(([name, t]) => [name, hostArray(startOf(t), t.dtype)]));
    const names = [...graph.results.keys()];
    const { results } = await engine.run([{ program: graph.name, extents: {}, inputs, results: names }]);
    const all = new Map(names.map((name, i) => [name, results[i] as HostArray]));
    for (const name of graph.variables.byName.keys()) all.set(`variable ${name}`, await engine.read(name));
    return all;
  } finally {
    await engine.dispose();
  }
}

async function check(plan: readonly Step[]): Promise<void> {
  const graph = randomGraph('random', plan, false);
  const got = await execute(graph);

  const kept = await execute(randomGraph('random', plan, true));
  for (const [name, values] of got)
    expect(Buffer.from(values.buffer), name).toEqual(Buffer.from((kept.get(name) as HostArray).buffer));

  const values = new Map<Tensor, Values>();
  for (const tensor of [...graph.inputs.values(), ...graph.variables.byName.values()])
    values.set(tensor, new Values(startOf(tensor), columnsOf(tensor)));
  interpret(graph.nodes, values, bounds);
  const tensors = new Map([
    ...graph.results,
    ...[...graph.variables.byName].map(([n, t]) => [`variable ${n}`, t] as const),
  ]);
  for (const [name, tensor] of tensors) {
    const expected = (values.get(tensor) as Values).data;
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
    for (const [i, value] of (got.get(name) as HostArray).entries())
      expect(Math.abs(value - (expected[i] as number)), `${name}[${i}]`).toBeLessThanOrEqual(1e-4 * largest);
  }
}

test('what is done in place or in reused bytes gives what separate bytes and the references give', async () => {
  await fc.assert(fc.asyncProperty(steps, check), { numRuns: 150, seed: 2 });
});

test('operands that are the same tensor are not overwritten while they are read', async () => {
  for (const op of [0, 1, 5, 6, 7, 8])
    await check([
      { op: 0, operands: [0, 1, 0], isResult: false },
      { op, operands: [3, 3, 3], isResult: false },
    ]);
});
