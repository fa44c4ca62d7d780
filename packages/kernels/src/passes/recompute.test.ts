import { describe, expect, test } from 'vitest';
import { add } from '../../ops/add/op.ts';
import { rmsNorm } from '../../ops/rms_norm/op.ts';
import { swiglu } from '../../ops/swiglu/op.ts';
import { miniModel } from '../../test/miniModel.ts';
import { Problem } from '../../test/problem.ts';
import { cpuDevice } from '../device.ts';
import type { Graph, Node } from '../graph.ts';
import { recompute } from './recompute.ts';
import type { Recomputed } from './saving.ts';
import { recomputable } from './savings.ts';

const layers = 3;
const { graph } = miniModel({ layers, lora: true, tied: true, dropout: 0.1, bounds: { T: 64, S: 4 } });

/** Nodes that were not in the graph as it was built, told by what they write. */
function repeated(nodes: readonly Node[], of: Graph = graph): Node[] {
  const original = new Set(of.nodes.map((node) => Object.values(node.outputs)[0]));
  return nodes.filter((node) => !original.has(Object.values(node.outputs)[0]));
}

const bounds = { T: 64, S: 4, R: 64 };
const device = cpuDevice({ threads: 2 });
const all = recomputable(graph, bounds, device).map(({ saving }) => saving);
const nodesOf = (some: readonly Recomputed[]): Set<Node> => new Set(some.flatMap((saving) => saving.nodes));

test('nothing to compute again changes nothing', () => {
  expect(recompute(graph, new Set()).map(({ op, inputs }) => ({ op, inputs }))).toEqual(
    graph.nodes.map(({ op, inputs }) => ({ op, inputs })),
  );
});

describe.each([
  ['elementwise results', nodesOf(all.filter(({ isElementwise }) => isElementwise))],
  ['half of the savings', nodesOf(all.slice(0, all.length / 2))],
  ['all savings', nodesOf(all)],
  ['nodes as they come', new Set([...nodesOf(all)].filter((_, i) => i % 3 === 0))],
])('with %s', (_, chosen) => {
  const nodes = recompute(graph, chosen);

  test('every value is made before it is used', () => {
    const made = new Set<unknown>();
    for (const node of nodes) {
      for (const input of Object.values(node.inputs))
        if (input?.producer) expect(made.has(input), input.name).toBe(true);
      for (const output of Object.values(node.outputs)) made.add(output);
    }
  });

  test('nothing is repeated twice, nor in vain', () => {
    const again = repeated(nodes);
    const outputs = again.map((node) => (Object.values(node.outputs)[0] as { name: string }).name);
    expect(new Set(outputs).size).toBe(outputs.length);
    const used = new Set(nodes.flatMap((node) => Object.values(node.inputs)));
    for (const node of again)
      expect(
        Object.values(node.outputs).some((t) => used.has(t)),
        node.op.name,
      ).toBe(true);
  });

  test('each is repeated in the backward pass of its layer, just before its first use', () => {
    const isRepeated = new Set(repeated(nodes));
    for (const [i, node] of nodes.entries()) {
      if (!isRepeated.has(node)) continue;
      const next = nodes.slice(i).findIndex((later) => !isRepeated.has(later)) + i;
      expect(nodes[next]?.phase).toBe('backward');
      expect(nodes[next]?.layer).toBe(node.layer);
      const read = nodes.slice(i + 1, next + 1).flatMap(({ inputs }) => Object.values(inputs));
      expect(Object.values(node.outputs).some((output) => read.includes(output))).toBe(true);
    }
  });
});

test('what another layer reads is kept', () => {
  const p = new Problem();
  const weight = p.variable('g', [6], 'weight', { mean: 1 });
  const x = p.rows('x', 4, 6);
  p.graph.layer = 0;
  const a = rmsNorm(x, weight, 1e-5);
  const b = swiglu(a, rmsNorm(a, weight, 1e-5));
  p.graph.layer = 1;
  const c = add(a, b);
  p.graph.layer = null;
  p.train(c, p.variable('head', [5, 6], 'weight'));
  const found = nodesOf(recomputable(p.graph, bounds, device).map(({ saving }) => saving));
  const again = repeated(recompute(p.graph, found), p.graph);
  expect(again.map(({ op, inputs }) => [op.name, inputs.x?.name])).toEqual([['rms_norm', a.name]]);
});
