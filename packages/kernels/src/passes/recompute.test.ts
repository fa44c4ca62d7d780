import { describe, expect, test } from 'vitest';
import { add } from '../../ops/add/op.ts';
import { rmsNorm } from '../../ops/rms_norm/op.ts';
import { swiglu } from '../../ops/swiglu/op.ts';
import { miniModel } from '../../test/miniModel.ts';
import { Problem } from '../../test/problem.ts';
import type { Graph, Node } from '../graph.ts';
import { recompute } from './recompute.ts';

const layers = 3;
const { graph } = miniModel({ layers, lora: true, tied: true, dropout: 0.1, bounds: { T: 64, S: 4 } });

/** Nodes that were not in the graph as it was built, told by what they write. */
function repeated(nodes: readonly Node[], of: Graph = graph): Node[] {
  const original = new Set(of.nodes.map((node) => Object.values(node.outputs)[0]));
  return nodes.filter((node) => !original.has(Object.values(node.outputs)[0]));
}

function namesOf(nodes: readonly Node[]): Set<string> {
  return new Set(nodes.map(({ op }) => op.name));
}

test('level none changes nothing', () => {
  expect(recompute(graph, () => 'none').map(({ op, inputs }) => ({ op, inputs }))).toEqual(
    graph.nodes.map(({ op, inputs }) => ({ op, inputs })),
  );
});

test('cheap repeats elementwise ops only, full also products; attention never', () => {
  const cheap = namesOf(repeated(recompute(graph, () => 'cheap')));
  const full = namesOf(repeated(recompute(graph, () => 'full')));
  expect([...cheap].toSorted()).toEqual(['add_bias', 'dropout', 'rms_norm', 'rope', 'swiglu']);
  expect([...full].toSorted()).toEqual(['add_bias', 'dropout', 'linear', 'rms_norm', 'rope', 'swiglu']);
});

describe.each(['cheap', 'full'] as const)('level %s', (level) => {
  const nodes = recompute(graph, () => level);

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

  test('a layer is repeated just before its own backward pass', () => {
    for (const [i, node] of nodes.entries()) {
      if (!repeated(nodes).includes(node)) continue;
      const next = nodes.slice(i).find((later) => !repeated(nodes).includes(later)) as Node;
      expect(next.phase).toBe('backward');
      expect(next.layer).toBe(node.layer);
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
  const again = repeated(
    recompute(p.graph, () => 'full'),
    p.graph,
  );
  expect(again.map(({ op, inputs }) => [op.name, inputs.x?.name])).toEqual([['rms_norm', a.name]]);
});

test('a layer that is kept stays as it is', () => {
  const nodes = recompute(graph, (layer) => (layer === 1 ? 'full' : 'none'));
  expect(new Set(repeated(nodes).map(({ layer }) => layer))).toEqual(new Set([1]));
});
