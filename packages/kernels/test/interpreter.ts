import { opCases } from '../ops/cases.ts';
import type { CaseInput } from '../src/cases/casesFor.ts';
import { expectedOutputs } from '../src/cases/expectedOutputs.ts';
import { Values } from '../src/cases/values.ts';
import type { Node } from '../src/graph.ts';
import { sizesOf } from '../src/passes/cost.ts';
import { type Bounds, elementCount, type Tensor } from '../src/tensor.ts';

const casesOf = new Map(opCases.map((all) => [all.op.name, all]));

/**
 * Runs nodes one after the other in float64 by the references of their ops: no storage, no planning, nothing in place.
 * `values` holds inputs and variables; it is given the value of every tensor, and of variables the newest.
 */
export function interpret(nodes: readonly Node[], values: Map<Tensor, Values>, bounds: Bounds): void {
  for (const node of nodes) {
    const all = casesOf.get(node.op.name);
    if (!all) throw new Error(`${node.op.name} has no cases`);
    const given = Object.entries(node.inputs).filter((entry): entry is [string, Tensor] => entry[1] !== undefined);
    const inputs = new Map(
      given.map(([name, t]): [string, CaseInput] => [name, { dtype: t.dtype, shape: shapeOf(t, bounds) }]),
    );
    const outputs = expectedOutputs(
      all,
      { op: node.op, extents: sizesOf(node, bounds), attributes: node.attributes, activationType: 'f32', inputs },
      new Map(given.map(([name, t]) => [name, valueOf(t)])),
      new Map(Object.entries(node.outputs).map(([name, t]) => [name, shapeOf(t, bounds)])),
    );
    for (const [name, output] of outputs) {
      const tensor = node.outputs[name] as Tensor;
      const value = new Values(output.data, columnsOf(tensor));
      values.set(tensor, value);
      const updated = node.inputs[node.op.updates?.[name] ?? ''];
      if (updated) values.set(variableOf(updated), value);
    }
  }

  function valueOf(tensor: Tensor): Values {
    const value = values.get(tensor);
    if (!value) throw new Error(`${tensor.name} has no value`);
    return value;
  }
}

/** The variable whose newest value a tensor is. */
function variableOf(tensor: Tensor): Tensor {
  const { producer } = tensor;
  if (!producer) return tensor;
  const output = Object.keys(producer.outputs).find((name) => producer.outputs[name] === tensor) as string;
  return variableOf(producer.inputs[producer.op.updates?.[output] as string] as Tensor);
}

export function columnsOf({ shape }: Tensor): number {
  return shape.length > 1 ? Number(shape[1]) : 1;
}

function shapeOf({ shape }: Tensor, bounds: Bounds): number[] {
  return shape.map((dim) => elementCount([dim], bounds));
}
