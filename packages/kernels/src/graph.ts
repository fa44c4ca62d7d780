import { type Attributes, activationTypeOf, bindExtents, type Extents, type Op } from './op.ts';
import {
  type ActivationType,
  type Bounds,
  byteLength,
  bytesOf,
  type Dim,
  type DType,
  describeTensor,
  isPersistent,
  type Tensor,
  type TensorKind,
} from './tensor.ts';

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
}

export interface VariableSpec {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly kind: Exclude<TensorKind, 'input' | 'activation'>;
}

interface Group {
  readonly flat: Tensor;
  readonly members: readonly Tensor[];
}

/** A cache line of bfloat16 and two of float32, so that every member is aligned in any type. */
const groupAlignment = 64;

function paddedElements({ shape }: Tensor): number {
  const count = shape.reduce<number>((product, extent) => product * Number(extent), 1);
  return Math.ceil(count / groupAlignment) * groupAlignment;
}

/** Tensors that outlive a call, by name; every graph of a plan reads and writes the same ones. */
export class Variables {
  readonly byName = new Map<string, Tensor>();

  /** Declares a variable, or finds the one already declared. */
  get(name: string, spec: VariableSpec): Tensor {
    const known = this.byName.get(name);
    if (known) {
      if (known.kind !== spec.kind || known.dtype !== spec.dtype || known.shape.join() !== spec.shape.join())
        throw new Error(`variable ${name} is declared twice with different types`);
      return known;
    }
    const tensor: Tensor = { name, ...spec, graph: null, producer: null };
    this.byName.set(name, tensor);
    return tensor;
  }

  private readonly groups = new Map<string, Group>();
  private readonly groupOf = new Map<Tensor, Group>();

  /**
   * Lays float variables of one kind beside each other, in this order, and gives all of them as one flat tensor, so that one
   * launch zeroes or moves them. Groups of equal shapes have equal places of their members: each starts at a multiple of
   * `groupAlignment` elements, and what lies between is zero.
   */
  group(name: string, members: readonly Tensor[]): Tensor {
    const known = this.groups.get(name);
    if (known) return known.flat;
    const [first] = members;
    if (!first || members.some(({ kind, dtype }) => kind !== first.kind || dtype !== first.dtype))
      throw new Error(`group ${name}: its members are not of one kind and type`);
    if (members.some((tensor) => this.groupOf.has(tensor)))
      throw new Error(`group ${name}: a member is in another group`);
    const count = members.reduce((sum, member) => sum + paddedElements(member), 0);
    const flat: Tensor = {
      name: `group/${name}`,
      shape: [count],
      dtype: first.dtype,
      kind: first.kind,
      graph: null,
      producer: null,
    };
    const group = { flat, members };
    this.groups.set(name, group);
    for (const member of members) this.groupOf.set(member, group);
    return flat;
  }

  /** Where the variables lie: each a piece of its own, or a group's one behind the other. Offsets are from the piece's start. */
  places(bounds: Bounds): { bytes: number; tensors: { tensor: Tensor; offset: number }[] }[] {
    const pieces: { bytes: number; tensors: { tensor: Tensor; offset: number }[] }[] = [];
    const placed = new Set<Group>();
    for (const tensor of this.byName.values()) {
      const group = this.groupOf.get(tensor);
      if (!group) pieces.push({ bytes: byteLength(tensor, bounds), tensors: [{ tensor, offset: 0 }] });
      if (!group || placed.has(group)) continue;
      placed.add(group);
      const tensors = [{ tensor: group.flat, offset: 0 }];
      let offset = 0;
      for (const member of group.members) {
        tensors.push({ tensor: member, offset });
        offset += paddedElements(member) * bytesOf[member.dtype];
      }
      pieces.push({ bytes: offset, tensors });
    }
    return pieces;
  }

  ofKind(kind: TensorKind): Tensor[] {
    return [...this.byName.values()].filter((t) => t.kind === kind);
  }

  /** A parameter rounded to bfloat16, which a program keeps up to date. */
  copyOf(parameter: Tensor): Tensor {
    return this.get(`copy/${parameter.name}`, { shape: parameter.shape as number[], dtype: 'bf16', kind: 'copy' });
  }

  /** The float32 accumulator of a parameter's gradient. */
  gradientOf(parameter: Tensor): Tensor {
    return this.get(`gradient/${parameter.name}`, {
      shape: parameter.shape as number[],
      dtype: 'f32',
      kind: 'gradient',
    });
  }
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
      if (pattern.optional && !updated) continue;
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
