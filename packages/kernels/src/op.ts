import type { Graph } from './graph.ts';
import {
  type ActivationType,
  activationTypes,
  type Dim,
  type DType,
  describeTensor,
  dtypes,
  type Tensor,
} from './tensor.ts';

/**
 * `f32|bf16[N,K]`, `f32[T,N]?`: allowed element types, a letter (or number) for each extent, `?` when it may be absent.
 * `f32[*n]` takes any shape and binds n to the number of elements. An optional output is absent with the input it updates, or
 * where no input says how large it is.
 * `A[T,N]`: an activation, in float32 or bfloat16, all of one application alike; where no input says which, the graph does.
 */
export type Pattern = `${string}[${string}]` | `${string}[${string}]?`;

/** Numbers by name; booleans are 0 and 1. Kernels read them in the order of declaration. */
export type Attributes<A extends string> = { readonly [K in A]: number };
export type Extents = Readonly<Record<string, Dim>>;
/** As `Extents`, with runtime extents replaced by their bounds. */
export type Sizes = Readonly<Record<string, number>>;

/** What an op's temporary storage may depend on beside its sizes. */
export interface WorkspaceContext<A extends string> {
  readonly attributes: Attributes<A>;
  readonly device: 'cpu' | 'cuda';
  /** By name of the input; absent ones are not in it. */
  readonly dtypes: Readonly<Record<string, DType>>;
}

export interface BackwardContext<I extends string, O extends string, A extends string> {
  readonly graph: Graph;
  readonly inputs: { readonly [K in I]: Tensor };
  readonly outputs: { readonly [K in O]: Tensor };
  /** Gradients of the outputs; absent where nothing downstream needs one. */
  readonly gradients: { readonly [K in O]?: Tensor };
  readonly attributes: Attributes<A>;
  /** Whether the gradient of this input is wanted: rules must not compute what is not. */
  needs(input: I): boolean;
  /** The variable to which the gradient of a parameter is added, in place; such a gradient is not returned. */
  gradientOf(input: I): Tensor;
}

export interface OpSpec<I extends string, O extends string, A extends string> {
  readonly name: string;
  readonly inputs: Readonly<Record<I, Pattern>>;
  readonly outputs: Readonly<Record<O, Pattern>>;
  readonly attributes?: readonly A[];
  /** Extents of outputs that follow from those of the inputs and the attributes. Throws when they do not fit. */
  readonly derive?: (extents: Extents, attributes: Attributes<A>) => Extents;
  /** Inputs whose bytes an output may take over when they are not used afterwards. */
  readonly inPlace?: { readonly [K in NoInfer<O>]?: readonly NoInfer<I>[] };
  /**
   * In place and apart may be other bits, as of products by a library that looks at addresses. Then what the graph says decides, not
   * what else a plan keeps or computes again: all plans of a graph give the same bits.
   */
  readonly inPlaceMatters?: boolean;
  /** Outputs that are the new values of a variable: the kernel reads and writes the variable's own bytes. */
  readonly updates?: { readonly [K in NoInfer<O>]?: NoInfer<I> };
  /** The optional input that is added to the output `into`: how gradients are summed without a separate add. */
  readonly accumulator?: { readonly into: NoInfer<O>; readonly from: NoInfer<I> };
  /** Bytes of temporary storage the kernel wants beside its outputs. */
  readonly workspace?: (sizes: Sizes, context: WorkspaceContext<A>) => number;
  /** Inputs of which the kernel reads a few rows, so that they may lie in the host's memory. */
  readonly gathers?: readonly NoInfer<I>[];
  /** It has no CUDA kernel, or one that does not take these optional inputs. A plan for a GPU that needs it is refused when it is compiled. */
  readonly cpuOnly?: true | readonly NoInfer<I>[];
  /** Arithmetic of one launch; its memory traffic follows from the tensors. */
  readonly flops: (sizes: Sizes) => number;
  /** Elementwise or nearly so: computing it again takes little more than a pass over memory. */
  readonly cheap?: boolean;
  /** It may be applied to some tokens at a time: T leads the shapes it is in, rows depend on no others, and updates add up over tokens. */
  readonly tiles?: boolean;
  /** Where a GPU does it beside other launches: it is too short to fill one. */
  readonly isShort?: (sizes: Sizes) => boolean;
  /** Its outputs are not kept for the backward pass, which applies it again: a weight decoded from the form it is stored in. */
  readonly transient?: boolean;
  readonly backward?: (context: BackwardContext<NoInfer<I>, NoInfer<O>, NoInfer<A>>) => {
    readonly [K in NoInfer<I>]?: Tensor;
  };
}

/** A validated operation; `Op` is the form that graphs and passes handle without knowing the names. */
export interface Op<I extends string = string, O extends string = string, A extends string = string>
  extends Omit<OpSpec<I, O, A>, 'inputs' | 'outputs' | 'attributes'> {
  readonly inputs: ReadonlyMap<I, ParsedPattern>;
  readonly outputs: ReadonlyMap<O, ParsedPattern>;
  readonly attributes: readonly A[];
}

export interface ParsedPattern {
  readonly dtypes: readonly DType[];
  readonly extents: readonly string[];
  readonly optional: boolean;
  /** `A`: of the activations' type. */
  readonly isActivation: boolean;
}

/** @param isGiven whether an optional input is there */
export function hasKernel(
  { cpuOnly = [] }: Pick<Op, 'cpuOnly'>,
  { kind }: { readonly kind: 'cpu' | 'cuda' },
  isGiven: (input: string) => boolean = () => false,
): boolean {
  return kind === 'cpu' || (cpuOnly !== true && !cpuOnly.some(isGiven));
}

export function defineOp<I extends string, O extends string, const A extends string = never>(
  spec: OpSpec<I, O, A>,
): Op<I, O, A> {
  return {
    ...spec,
    inputs: new Map(Object.entries<Pattern>(spec.inputs).map(([k, v]) => [k as I, parsePattern(v)])),
    outputs: new Map(Object.entries<Pattern>(spec.outputs).map(([k, v]) => [k as O, parsePattern(v)])),
    attributes: spec.attributes ?? [],
  };
}

function parsePattern(pattern: string): ParsedPattern {
  const match = /^([\w|]+)\[([\w,]*|\*\w)\](\?)?$/.exec(pattern);
  const isActivation = match?.[1] === 'A';
  const types = isActivation ? activationTypes : (match?.[1]?.split('|') as DType[] | undefined);
  if (!match || !types?.every((t) => dtypes.includes(t))) throw new Error(`not a tensor pattern: ${pattern}`);
  return { dtypes: types, extents: match[2] ? match[2].split(',') : [], optional: match[3] === '?', isActivation };
}

/** The one type of all activations among the inputs; null where none is. Throws an Error where they differ. */
export function activationTypeOf(op: Op, inputs: Readonly<Record<string, Tensor | undefined>>): ActivationType | null {
  let found: ActivationType | null = null;
  for (const [name, { isActivation }] of op.inputs) {
    const dtype = isActivation ? (inputs[name]?.dtype as ActivationType | undefined) : undefined;
    if (dtype === undefined) continue;
    if (found && found !== dtype)
      throw new Error(`${op.name}: activations of ${found} and ${dtype} do not go together`);
    found = dtype;
  }
  return found;
}

/** Binds the letters of an op's patterns to the shapes of its inputs. Throws an Error that names the tensor that does not fit. */
export function bindExtents(
  op: Op,
  inputs: Readonly<Record<string, Tensor | undefined>>,
  attributes: Attributes<string>,
): Extents {
  const bound: Record<string, Dim> = {};
  for (const [name, pattern] of op.inputs) {
    const tensor = inputs[name];
    if (!tensor) {
      if (pattern.optional) continue;
      throw new Error(`${op.name}: input ${name} is missing`);
    }
    const fail = (why: string) => new Error(`${op.name}: input ${name} (${describeTensor(tensor)}) ${why}`);
    if (!pattern.dtypes.includes(tensor.dtype)) throw fail(`is not ${pattern.dtypes.join(' or ')}`);
    const flat = pattern.extents[0]?.startsWith('*');
    const shape = flat ? [tensor.shape.reduce<number>((n, dim) => n * Number(dim), 1)] : tensor.shape;
    if (pattern.extents.length !== shape.length) throw fail(`has not ${pattern.extents.length} extents`);
    pattern.extents.forEach((extent, i) => {
      const letter = extent.replace('*', '');
      const dim = shape[i] as Dim;
      const expected = /^\d+$/.test(letter) ? Number(letter) : (bound[letter] ??= dim);
      if (dim !== expected) throw fail(`has extent ${dim} where ${letter} is ${expected}`);
    });
  }
  return op.derive ? { ...bound, ...op.derive(bound, attributes) } : bound;
}
