import { readFileSync } from 'node:fs';
import {
  compile,
  completeProjection,
  cpuDevice,
  Engine,
  Graph,
  type MergedProjection,
  type Tensor,
  Variables,
} from '@anneal/kernels';
import { expect, test } from 'vitest';
import { loraSpec } from '../adapters/lora.ts';
import { readConfig } from '../index.ts';
import { ModelScope } from './modelScope.ts';
import type { WeightOptions } from './scopeWeights.ts';

const T = 3;
const D = 1024;
const names = ['layers.0.q', 'layers.0.k', 'layers.0.v'] as const;
const json = JSON.parse(
  readFileSync(new URL('../../../test/golden/models/qwen2/config.json', import.meta.url), 'utf8'),
);
const config = readConfig(
  { ...json, hidden_size: D, num_attention_heads: 16, num_key_value_heads: 16, max_window_layers: 0 },
  null,
  'config.json',
);
const lora = loraSpec({ r: 4, alpha: 8, rslora: false, dora: false, dropout: 0 }, names);
const plain: WeightOptions = {
  type: 'f32',
  nf4: new Map(),
  trainable: false,
  lora: null,
  copies: false,
  dropoutSeed: null,
};
const inNf4 = (form: 'single' | 'double') => new Map(names.map((name) => [name, form]));

function scopeOf(graph: Graph, options: Partial<WeightOptions>): { x: Tensor; scope: ModelScope } {
  return { x: graph.input('x', 'f32', [T, D]), scope: new ModelScope(graph, config, { ...plain, ...options }) };
}

/** Numbers in ±1 that look random, each array's others. */
function numbers(count: number, seed: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => Math.sin(1 + i * 12.9898 + seed * 78.233));
}

async function outputs(options: Partial<WeightOptions>): Promise<{ apart: Float32Array[]; merged: Float32Array }> {
  const variables = new Variables();
  const [apart, merged] = [new Graph('apart', variables), new Graph('merged', variables)];
  const each = scopeOf(apart, options);
  for (const [i, y] of each.scope.project(each.x, names).entries()) apart.result(`${i}`, y);
  const all = scopeOf(merged, options);
  merged.result('all', completeProjection(all.scope.projectMerged(all.x, names) as MergedProjection));
  expect(merged.nodes.length).toBeLessThan(apart.nodes.length);
  const device = cpuDevice({ threads: 1 });
  const engine = new Engine(compile([apart, merged], { bounds: { T }, activations: 'keep', device }), device);
  try {
    for (const [i, { name, shape, dtype }] of [...variables.byName.values()].entries()) {
      const values = numbers(
        shape.reduce<number>((product, extent) => product * Number(extent), 1),
        i,
      );
      if (dtype === 'u8')
        await engine.write(
          name,
          Uint8Array.from(values, (value) => 127 * (value + 1)),
          'u8',
        );
      else await engine.write(name, values, 'f32');
    }
    const run = async (program: string, wanted: readonly string[]) => {
      const call = { program, extents: {}, inputs: { x: numbers(T * D, 99) }, results: wanted };
      return (await engine.run([call])).results as Float32Array[];
    };
    const parts = await run('apart', ['0', '1', '2']);
    const [whole] = (await run('merged', ['all'])) as [Float32Array];
    return { apart: parts, merged: whole };
  } finally {
    await engine.dispose();
  }
}

test.each<[string, Partial<WeightOptions>]>([
  ['with biases', {}],
  ['with LoRA', { lora }],
  ['with LoRA that has biases', { lora: { ...lora, loraBias: true } }],
  ['in bfloat16, with LoRA', { type: 'bf16', lora }],
  ['in NF4', { nf4: inNf4('single') }],
  ['in NF4, read as it is held', { nf4: inNf4('single'), fewRows: true }],
  ['in NF4, absmaxes quantized themselves, with LoRA', { nf4: inNf4('double'), lora }],
])('linears %s give as one product what they give apart', async (_, options) => {
  const { apart, merged } = await outputs(options);
  for (const [i, y] of apart.entries()) {
    const largest = y.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    for (let t = 0; t < T; t++)
      for (let n = 0; n < D; n++)
        expect(Math.abs((merged[t * 3 * D + i * D + n] as number) - (y[t * D + n] as number))).toBeLessThan(
          1e-5 * largest,
        );
  }
});

test.each<[string, Partial<WeightOptions>]>([
  ['some are in NF4', { nf4: new Map([[names[0], 'double']]) }],
  ['some have an adapter', { lora: loraSpec({ r: 4, alpha: 8, rslora: false, dora: false, dropout: 0 }, [names[1]]) }],
  ['adapters have dropout', { lora: { ...lora, dropout: 0.1 } }],
])('linears of which %s stay apart', (_, options) => {
  const graph = new Graph('merged', new Variables());
  const { x, scope } = scopeOf(graph, options);
  expect(scope.projectMerged(x, names)).toBeNull();
  expect(graph.nodes).toEqual([]);
});

test.each(['single', 'double'] as const)('NF4 is decoded ahead of products of many rows alone: %s', (form) => {
  const opsOf = (fewRows: boolean) => {
    const graph = new Graph('merged', new Variables());
    const { x, scope } = scopeOf(graph, { nf4: inNf4(form), fewRows });
    scope.projectMerged(x, names);
    scope.linear(x, names[0]);
    return graph.nodes.map(({ op }) => op.name);
  };
  const suffix = form === 'single' ? '' : '_double';
  const product = [`linear_nf4${suffix}`, 'add_bias'];
  expect(opsOf(true)).toEqual([...product, ...product]);
  const decoded = [`dequantize_nf4${suffix}`, 'linear', 'add_bias'];
  expect(opsOf(false)).toEqual([...decoded, ...decoded]);
});
