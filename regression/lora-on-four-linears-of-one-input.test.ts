/** Qwen3.5's linear attention has four linears of one input; adapters on all of them, as `lora_target_linear: true` has it, ended with a defect. */
import { readFileSync } from 'node:fs';
import { loraSpec } from '@anneal/core/models/adapters/lora';
import { readConfig } from '@anneal/core/models/index';
import { ModelScope } from '@anneal/core/models/layers/modelScope';
import { compile, cpuDevice, Engine, Graph, Variables } from '@anneal/kernels';
import { expect, onTestFinished, test } from 'vitest';

const golden = new URL('../packages/core/test/golden/models/qwen3.5/config.json', import.meta.url);
const config = readConfig(JSON.parse(readFileSync(golden, 'utf8')), null, 'config.json');
const names = ['qkv', 'z', 'b', 'a'].map((part) => `layers.0.delta_${part}`);
const T = 3;
const D = config.hiddenSize;

/** Numbers in ±1 that look random, each array's others. */
function numbers(count: number, seed: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => Math.sin(1 + i * 12.9898 + seed * 78.233));
}

test('adapters on four linears of one input give what each gives alone', async () => {
  const variables = new Variables();
  const lora = loraSpec({ r: 4, alpha: 8, rslora: false, dora: false, dropout: 0 }, names);
  const weights = { type: 'f32', nf4: new Map(), trainable: false, lora, copies: false, dropoutSeed: null } as const;
  const [together, alone] = [new Graph('together', variables), new Graph('alone', variables)];
  for (const graph of [together, alone]) {
    const scope = new ModelScope(graph, config, weights);
    const x = graph.input('x', 'f32', [T, D]);
    const ys = graph === together ? scope.project(x, names) : names.map((name) => scope.linear(x, name));
    for (const [i, y] of ys.entries()) graph.result(`${i}`, y);
  }
  const device = cpuDevice({ threads: 1 });
  const engine = new Engine(compile([together, alone], { bounds: { T }, activations: 'keep', device }), device);
  onTestFinished(() => engine.dispose());
  for (const [i, { name, shape }] of [...variables.byName.values()].entries())
    await engine.write(
      name,
      numbers(
        shape.reduce<number>((product, extent) => product * Number(extent), 1),
        i,
      ),
      'f32',
    );
  const run = async (program: string) => {
    const call = { program, extents: {}, inputs: { x: numbers(T * D, 99) }, results: ['0', '1', '2', '3'] };
    return (await engine.run([call])).results as Float32Array[];
  };
  const [some, each] = [await run('together'), await run('alone')];
  for (const [i, y] of each.entries()) {
    const largest = Math.max(...y.map(Math.abs));
    for (const [at, value] of y.entries())
      expect(Math.abs((some[i]?.[at] as number) - value)).toBeLessThan(1e-5 * largest);
  }
});
