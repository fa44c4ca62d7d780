import { type Bounds, byteLength, bytesOf, type DType, elementCount, type Tensor, type TensorKind } from './tensor.ts';

export interface VariableSpec {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly kind: Exclude<TensorKind, 'input' | 'activation'>;
}

/** Variables that lie beside each other, and all of them as one tensor. */
interface Group {
  readonly whole: Tensor;
  readonly members: readonly Tensor[];
  /** Each begins at a multiple of so many elements. */
  readonly alignment: number;
}

/** Whole cache lines in any type, and whole blocks of moments in 8 bits. */
const groupAlignment = 256;

function paddedElements(tensor: Tensor, alignment = groupAlignment): number {
  return Math.ceil(elementCount(tensor.shape, {}) / alignment) * alignment;
}

/** Frozen weights are in no group, and so need no alignment within a stack. */
function stackAlignment({ kind }: Tensor): number {
  return kind === 'weight' ? 1 : groupAlignment;
}

/** Bytes that variables share, and where in them each lies. */
interface Piece {
  readonly bytes: number;
  readonly tensors: readonly { readonly tensor: Tensor; readonly offset: number }[];
}

/** A tensor over the bytes of several variables of this kind and type. */
function variableLike({ dtype, kind }: Tensor, name: string, shape: readonly number[]): Tensor {
  return { name, shape, dtype, kind, graph: null, producer: null };
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
   * Lays variables of one kind beside each other, in this order, and gives all of them as one flat tensor, so that one
   * launch zeroes or moves them. Groups of equal shapes have equal places of their members: each starts at a multiple of
   * `alignment` elements, and what lies between is zero.
   */
  group(name: string, members: readonly Tensor[], alignment = groupAlignment): Tensor {
    const known = this.groups.get(name);
    if (known) return known.whole;
    const [first] = members;
    if (!first || members.some(({ kind, dtype }) => kind !== first.kind || dtype !== first.dtype))
      throw new Error(`group ${name}: its members are not of one kind and type`);
    if (members.some((tensor) => this.groupOf.has(tensor)))
      throw new Error(`group ${name}: a member is in another group`);
    const count = members.reduce((sum, member) => sum + paddedElements(member, alignment), 0);
    const whole = variableLike(first, `group/${name}`, [count]);
    const group = { whole, members, alignment };
    this.groups.set(name, group);
    for (const member of members) this.groupOf.set(member, group);
    return whole;
  }

  private readonly stacks = new Map<string, Group>();
  private readonly stackOf = new Map<Tensor, Group>();

  /** Whether these variables can be the rows of one: of such as groups hold, nothing may lie between them there. */
  static canStack(members: readonly Tensor[]): boolean {
    return members.slice(0, -1).every((member) => {
      return paddedElements(member, stackAlignment(member)) === elementCount(member.shape, {});
    });
  }

  /**
   * Lays matrices of equal rows, or vectors, beside each other, and gives all of them as one with the rows of each in this order.
   * Its gradient and its copy are stacks of theirs. A group must hold the members in this order, one behind the other.
   */
  stack(name: string, members: readonly Tensor[]): Tensor {
    const known = this.stacks.get(name);
    if (known) return known.whole;
    const [first] = members;
    const unlike = ({ kind, dtype, shape }: Tensor) =>
      kind !== first?.kind || dtype !== first.dtype || shape.slice(1).join() !== first.shape.slice(1).join();
    if (!first || members.some(unlike) || members.some((member) => this.stackOf.has(member)))
      throw new Error(`stack ${name}: its members are not of one kind, type and width, or are in another stack`);
    if (!Variables.canStack(members)) throw new Error(`stack ${name}: its members do not lie beside each other`);
    const rows = members.reduce((sum, { shape }) => sum + Number(shape[0]), 0);
    const stack = {
      whole: variableLike(first, name, [rows, ...first.shape.slice(1).map(Number)]),
      members,
      alignment: stackAlignment(first),
    };
    this.stacks.set(name, stack);
    for (const member of members) this.stackOf.set(member, stack);
    return stack.whole;
  }

  /** Whether it is a later member of a stack, and so lies directly behind another variable. */
  continuesStack(tensor: Tensor): boolean {
    return (this.stackOf.get(tensor)?.members.indexOf(tensor) ?? 0) > 0;
  }

  /** Where the variables lie: each a piece of its own, or a group's one behind the other. Offsets are from the piece's start. */
  places(bounds: Bounds): Piece[] {
    const pieces: Piece[] = [];
    const placed = new Set<Group>();
    for (const tensor of this.byName.values()) {
      const group = this.groupOf.get(tensor) ?? this.stackOf.get(tensor);
      if (!group) pieces.push({ bytes: byteLength(tensor, bounds), tensors: [{ tensor, offset: 0 }] });
      if (!group || placed.has(group)) continue;
      placed.add(group);
      const tensors = [{ tensor: group.whole, offset: 0 }];
      let offset = 0;
      for (const member of group.members) {
        tensors.push({ tensor: member, offset });
        offset += paddedElements(member, group.alignment) * bytesOf[member.dtype];
      }
      pieces.push({ bytes: offset, tensors: [...tensors, ...this.stacksIn(group, tensors)] });
    }
    return pieces;
  }

  /** The stacks among the members of a group, at the places of their first ones. */
  private stacksIn(group: Group, tensors: Piece['tensors']): Piece['tensors'] {
    const offsets = new Map(tensors.map(({ tensor, offset }) => [tensor, offset]));
    return [...this.stacks.values()].flatMap(({ whole, members }) => {
      const first = offsets.get(members[0] as Tensor);
      if (first === undefined || whole === group.whole) return [];
      let offset = first;
      for (const member of members) {
        if (offsets.get(member) !== offset) throw new Error(`${group.whole.name} holds ${whole.name} in another order`);
        offset += paddedElements(member) * bytesOf[member.dtype];
      }
      return [{ tensor: whole, offset: first }];
    });
  }

  ofKind(kind: TensorKind): Tensor[] {
    return [...this.byName.values()].filter((t) => t.kind === kind);
  }

  /** A parameter rounded to bfloat16, which a program keeps up to date. */
  copyOf(parameter: Tensor): Tensor {
    const stack = this.stacks.get(parameter.name);
    if (stack)
      return this.stack(
        `copy/${parameter.name}`,
        stack.members.map((member) => this.copyOf(member)),
      );
    return this.get(`copy/${parameter.name}`, { shape: parameter.shape as number[], dtype: 'bf16', kind: 'copy' });
  }

  /** The float32 accumulator of a parameter's gradient. */
  gradientOf(parameter: Tensor): Tensor {
    const stack = this.stacks.get(parameter.name);
    if (stack)
      return this.stack(
        `gradient/${parameter.name}`,
        stack.members.map((member) => this.gradientOf(member)),
      );
    return this.get(`gradient/${parameter.name}`, {
      shape: parameter.shape as number[],
      dtype: 'f32',
      kind: 'gradient',
    });
  }
}
