import { type Attributes, activationTypeOf, bindExtents, type Extents, type Op } from './op.ts';
import { type ActivationType, type Dim, type DType, describeTensor, isPersistent, type Tensor } from './tensor.ts';
import type { Variables } from './variables.ts';

export type Phase = 'forward' | 'backward';

export interface Node {
  readonly op: Op;
  readonly inputs: Record<string, Tensor | undefined>;
  readonly outputs: Record<string, Tensor>;
  readonly attributes: Attributes<string>;
  readonly extents: Extents;
  /** Which decoder layer it belongs to: what leaves it is kept for its backward pass. */
  readonly layer: number | null;
  readonly phase: Phase;
  /** The node of the graph as it was built that a pass made this one of. */
  readonly origin?: Node;
}

/** A program as a list of op applications in the order in which they run. */
export class Graph {
  readonly name: string;
  readonly variables: Variables;
  readonly nodes: Node[] = [];
  readonly inputs = new Map<string, Tensor>();
  /** Tensors the host reads after a call, by the name it asks for. */
  readonly results = new Map<string, Tensor>();
  /** Tags that nodes applied from now on carry. */
  layer: number | null = null;
  phase: Phase = 'forward';

  /** Of activations that are not made from others: embeddings, cross entropy's gradients. */
  readonly activationType: ActivationType;

  constructor(name: string, variables: Variables, activationType: ActivationType = 'f32') {
    this.name = name;
    this.variables = variables;
    this.activationType = activationType;
  }

  /** A tensor the host fills before every call. */
  input(name: string, dtype: DType, shape: readonly Dim[]): Tensor {
    const known = this.inputs.get(name);
    if (known) return known;
    const tensor: Tensor = { name, shape, dtype, kind: 'input', graph: this, producer: null };
    this.inputs.set(name, tensor);
    return tensor;
  }

  /** Keeps a tensor until the end of the call, so that the host can read it. */
  result(name: string, tensor: Tensor): void {
    this.results.set(name, tensor);
  }

  apply<I extends string, O extends string, A extends string>(
    op: Op<I, O, A>,
    inputs: { readonly [K in I]?: Tensor | undefined },
    attributes: Attributes<A> = {} as Attributes<A>,
  ): { readonly [K in O]: Tensor } {
    const plainOp = op as unknown as Op;
    const missing = plainOp.attributes.find((name) => !Number.isFinite((attributes as Attributes<string>)[name]));
    if (missing !== undefined) throw new Error(`${op.name}: attribute ${missing} is no number`);
    const extents = bindExtents(plainOp, inputs, attributes);
    const activationType = activationTypeOf(plainOp, inputs) ?? this.activationType;
    const node: Node = {
      op: plainOp,
      inputs: { ...inputs },
      outputs: {},
      attributes,
      extents,
      layer: this.layer,
      phase: this.phase,
    };
    for (const [name, pattern] of op.outputs) {
      const updated = node.inputs[plainOp.updates?.[name] ?? ''];
      const isKnown = pattern.extents.every((letter) => /^\d+$/.test(letter) || extents[letter] !== undefined);
      if (pattern.optional && !updated && (plainOp.updates?.[name] || !isKnown)) continue;
      if (updated && !isVariable(updated))
        throw new Error(`${op.name}: ${describeTensor(updated)} is updated in place and so must be a variable`);
      const shape =
        updated?.shape ??
        pattern.extents.map((letter) => {
          const dim = /^\d+$/.test(letter) ? Number(letter) : extents[letter];
          if (dim === undefined) throw new Error(`${op.name}: extent ${letter} of output ${name} is not known`);
          return dim;
        });
      const dtype = updated?.dtype ?? (pattern.isActivation ? activationType : (pattern.dtypes[0] as DType));
      node.outputs[name] = {
        name: `${op.name}.${name}#${this.nodes.length}`,
        shape,
        dtype,
        kind: 'activation',
        graph: this,
        producer: node,
      };
    }
    this.nodes.push(node);
    return node.outputs as { readonly [K in O]: Tensor };
  }
}

/** A variable, or the new value an op gave it. */
function isVariable(tensor: Tensor): boolean {
  const { producer } = tensor;
  return (
    isPersistent(tensor) || Object.keys(producer?.op.updates ?? {}).some((name) => producer?.outputs[name] === tensor)
  );
}

/** The graph an activation or input belongs to. */
export function graphOf(tensor: Tensor): Graph {
  if (!tensor.graph) throw new Error(`${tensor.name} is a variable and belongs to no graph`);
  return tensor.graph;
}
