import * as fc from 'fast-check';
import { add } from '../ops/add/op.ts';
import { addBias } from '../ops/add_bias/op.ts';
import { dropout } from '../ops/dropout/op.ts';
import { squareSumOp } from '../ops/gradient_norm/op.ts';
import { linear, linearBackwardInputOp, linearBackwardWeightOp } from '../ops/linear/op.ts';
import { rmsNorm, rmsNormBackwardInputOp } from '../ops/rms_norm/op.ts';
import { swiglu, swigluBackwardOp } from '../ops/swiglu/op.ts';
import { Graph } from '../src/graph.ts';
import type { Tensor } from '../src/tensor.ts';
import { Variables } from '../src/variables.ts';

const rows = 3;
const columns = 20;

/** One op with its operands, as positions among the tensors that exist by then. */
export interface Step {
  readonly op: number;
  readonly operands: readonly [number, number, number];
  readonly isResult: boolean;
}

export const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    op: fc.nat(builders().length - 1),
    operands: fc.tuple(fc.nat(), fc.nat(), fc.nat()),
    isResult: fc.boolean(),
  }),
  { minLength: 2, maxLength: 14 },
);

interface Operands {
  readonly graph: Graph;
  readonly a: Tensor;
  readonly b: Tensor;
  readonly c: Tensor;
  readonly weight: Tensor;
  readonly vector: Tensor;
}

/** Ops that may work in place, with one to three operands that may be the same tensor; and some that update variables. */
function builders(): ((given: Operands) => Tensor)[] {
  const f32 = { alpha: 0.5, bf16: 0 };
  return [
    ({ graph, a, b }) => (a.graph ? add(a, b) : add(graph.inputs.get('x') as Tensor, b)),
    ({ graph, a, b }) => (a.graph ? swiglu(a, b) : add(graph.inputs.get('x') as Tensor, b)),
    ({ graph, a, vector }) => (a.graph ? addBias(a, vector) : (graph.inputs.get('x') as Tensor)),
    ({ graph, a, vector }) => (a.graph ? rmsNorm(a, vector, 1e-3) : (graph.inputs.get('x') as Tensor)),
    ({ graph, a }) =>
      a.graph ? dropout(a, graph.input('seed', 'i32', [2]), 0.3, 1) : (graph.inputs.get('x') as Tensor),
    ({ graph, a, weight, c }) =>
      a.graph ? linear(a, weight, { bf16: false, plus: c }) : (graph.inputs.get('x') as Tensor),
    ({ graph, a, weight, c }) => graph.apply(linearBackwardInputOp, { dy: a, weight, c }, f32).dx,
    ({ graph, a, b, vector, c }) => {
      const rstd = graph.input('rstd', 'f32', [rows, 1]);
      return graph.apply(rmsNormBackwardInputOp, { dy: a, x: b, weight: vector, rstd, c }, { offset: 0 }).dx;
    },
    ({ graph, a, b, c }) => graph.apply(swigluBackwardOp, { dy: a, gate: b, up: c }, { gelu: 0 }).dgate,
    ({ graph, a, b }) => {
      const gradient = graph.variables.get('gradient', { shape: [columns, columns], dtype: 'f32', kind: 'gradient' });
      graph.apply(linearBackwardWeightOp, { dy: a, x: b, gradient }, f32);
      const sum = graph.variables.get('sum', { shape: [1], dtype: 'f64', kind: 'state' });
      graph.apply(squareSumOp, { x: gradient, sum });
      return b;
    },
  ];
}

/** The graph of these steps. With `keepAll` every tensor is a result, so that nothing is done in place and no bytes are reused. */
export function randomGraph(name: string, plan: readonly Step[], keepAll: boolean): Graph {
  const variables = new Variables();
  const graph = new Graph(name, variables);
  const weight = variables.get('weight', { shape: [columns, columns], dtype: 'f32', kind: 'weight' });
  const vector = variables.get('vector', { shape: [columns], dtype: 'f32', kind: 'weight' });
  const pool: Tensor[] = [
    graph.input('x', 'f32', [rows, columns]),
    graph.input('z', 'f32', [rows, columns]),
    variables.get('constant', { shape: [rows, columns], dtype: 'f32', kind: 'weight' }),
  ];
  for (const [i, { op, operands, isResult }] of plan.entries()) {
    const [a, b, c] = operands.map((at) => pool[at % pool.length]) as [Tensor, Tensor, Tensor];
    const made = (builders()[op] as (given: Operands) => Tensor)({ graph, a, b, c, weight, vector });
    pool.push(made);
    if (isResult || i === plan.length - 1) graph.result(`${i}`, made);
  }
  if (keepAll) {
    for (const node of graph.nodes)
      for (const output of Object.values(node.outputs)) graph.result(`kept ${output.name}`, output);
  }
  return graph;
}
