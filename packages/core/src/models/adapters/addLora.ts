import {
  addBias,
  completeProjection,
  type DoraLinears,
  doraNorm,
  doraScale,
  dropout,
  type ExpertRoutes,
  expertLinear,
  type Graph,
  type GroupMember,
  graphOf,
  groupedLinear,
  linear,
  type MergedProjection,
  MOST_MEMBERS,
  type Tensor,
  Variables,
} from '@anneal/kernels';
import { stackName } from '../stackName.ts';
import { type LoraModuleSpec, type LoraPart, type LoraSpec, loraName, loraVariables } from './lora.ts';

export interface Linear {
  /** Ours, as `layers.0.q`. */
  readonly name: string;
  /** [outputs, inputs] */
  readonly shape: readonly number[];
}

/** A linear of some input without its adapter. */
export interface PlainOutput extends Linear {
  readonly y_TO: Tensor;
}

/** A linear with the factors of its adapter. */
export interface AdaptedLinear extends Linear, LoraModuleSpec {
  readonly a_RI: Tensor;
  readonly b_OR: Tensor;
  /** Of B; null without. */
  readonly bias_O: Tensor | null;
  /** Null where the adapter is not of DoRA. */
  readonly magnitude_O: Tensor | null;
}

export interface AddLoraOptions {
  readonly bf16: boolean;
  /** i32[2], in training programs whose adapter has dropout. */
  readonly dropoutSeed: Tensor | null;
  readonly copyOf: (parameter: Tensor) => Tensor | undefined;
}

/**
 * Adds to linears of one input what their adapters make of it: y + scale · (B · A · dropout(x) + bias). Linears whose adapters have one
 * rank and scale are served together: one product gives x with all of their A, one launch adds the products with all of
 * their B. With dropout each adapter sees another x, and so is served alone.
 */
export function addLora(
  x_TI: Tensor,
  outputs: readonly PlainOutput[],
  lora: LoraSpec,
  options: AddLoraOptions,
): Tensor[] {
  const sums = new Map(outputs.map(({ name, y_TO }) => [name, y_TO]));
  for (const group of groupsOf(graphOf(x_TI).variables, outputs, lora)) {
    const members = factorsOf(group, options).map((factor, i) => {
      return { ...factor, plus: sums.get(group[i]?.name as string) as Tensor };
    });
    const [{ scale }] = group as readonly [AdaptedLinear];
    const added = groupedLinear(innerProduct(x_TI, group, lora, options), members as [GroupMember], {
      alpha: scale,
      bf16: options.bf16,
    });
    for (const [i, sum_TO] of added.entries()) {
      const { name, bias_O } = group[i] as AdaptedLinear;
      sums.set(name, bias_O ? addBias(sum_TO, bias_O, scale) : sum_TO);
    }
  }
  return [...sums.values()];
}

/** x · (W + scale · B A)ᵀ with each output's row as long as its magnitude, plus `plus_TO`. @param plain x · weightᵀ, and nothing else */
export function addDora(
  x_TI: Tensor,
  plain: PlainOutput,
  weight_OI: Tensor,
  lora: LoraSpec,
  { plus_TO, ...options }: AddLoraOptions & { readonly plus_TO?: Tensor | undefined },
): Tensor {
  const [sum_TO] = addLora(x_TI, [plain], lora, options) as [Tensor];
  const magnitude_O = loraVariables.magnitude(graphOf(x_TI).variables, plain.name, plain.shape);
  return doraScale(sum_TO, magnitude_O, doraLinear(graphOf(x_TI).variables, plain, weight_OI, lora), plus_TO);
}

/** `addDora` of linears whose weights and outputs lie beside each other; `group` is what `mergedAdapters` gave. */
export function addMergedDora(
  x_TI: Tensor,
  y_TE: Tensor,
  weight_EI: Tensor,
  group: readonly AdaptedLinear[],
  lora: LoraSpec,
  options: AddLoraOptions,
): Tensor {
  const { variables } = graphOf(x_TI);
  const stackOfAll = (part: LoraPart, members: readonly Tensor[]) => stackOf(variables, group, part, members);
  const sum_TE = completeProjection(addMergedLora(x_TI, y_TE, group, lora, options));
  const [{ scale }] = group as readonly [AdaptedLinear];
  const linears = {
    weight: weight_EI,
    a: stackOfAll('A', asOf(group)),
    b: stackOfAll('B', bsOf(group)),
    scale,
    rows: group.map(({ shape }) => shape[0] as number),
  };
  return doraScale(sum_TE, stackOfAll('magnitude', magnitudesOf(group)), linears);
}

/** How long each output's row is with its adapter: what magnitudes begin as. */
export function rowLengths(graph: Graph, of: Linear, weight_OI: Tensor, lora: LoraSpec): Tensor {
  return doraNorm(graph, doraLinear(graph.variables, of, weight_OI, lora));
}

function doraLinear(variables: Variables, { name, shape }: Linear, weight_OI: Tensor, lora: LoraSpec): DoraLinears {
  const { rank, scale } = lora.modules.get(name) as LoraModuleSpec;
  const a_RI = loraVariables.a(variables, rank, name, shape);
  const b_OR = loraVariables.b(variables, rank, name, shape);
  return { weight: weight_OI, a: a_RI, b: b_OR, scale, rows: [shape[0] as number] };
}

/** What the adapters of all experts make of rows that are sorted by expert: y + scale · B_e · A_e · x for those of each expert e. */
export function addExpertLora(
  x_TCI: Tensor,
  { name, shape, y_TO: y_TCO }: PlainOutput,
  { offsets }: ExpertRoutes,
  lora: LoraSpec,
  { bf16 }: Pick<AddLoraOptions, 'bf16'>,
): Tensor {
  const module = lora.modules.get(name);
  if (!module) return y_TCO;
  const { variables } = graphOf(x_TCI);
  const experts = Number(offsets.shape[0]) - 1;
  const a_ERI = loraVariables.a(variables, experts * module.rank, name, shape);
  const b_EOR = loraVariables.b(variables, module.rank, name, shape);
  const low_TCR = expertLinear(x_TCI, a_ERI, offsets, { bf16 });
  return expertLinear(low_TCR, b_EOR, offsets, { alpha: module.scale, bf16, plus: y_TCO });
}

/** `addLora` where the outputs lie beside each other in one tensor; `group` is what `mergedAdapters` gave. */
export function addMergedLora(
  x_TI: Tensor,
  y_TE: Tensor,
  group: readonly AdaptedLinear[],
  lora: LoraSpec,
  options: AddLoraOptions,
): MergedProjection {
  const [{ scale }] = group as readonly [AdaptedLinear];
  const members = factorsOf(group, options);
  const low_TR = innerProduct(x_TI, group, lora, options);
  const { variables } = graphOf(x_TI);
  const biases_O = group.flatMap(({ bias_O }) => bias_O ?? []);
  const sum_TE = lora.loraBias ? addBias(y_TE, stackOf(variables, group, 'bias', biases_O), scale) : y_TE;
  return { y: sum_TE, added: { x: low_TR, members, alpha: scale, bf16: options.bf16 } };
}

/** The adapters of all these linears, or none where none has one. Null where they cannot be served together. */
export function mergedAdapters(
  variables: Variables,
  linears: readonly Linear[],
  lora: LoraSpec,
): readonly AdaptedLinear[] | null {
  const [group = [], ...others] = groupsOf(variables, linears, lora);
  const areAlike = others.length === 0 && (group.length === 0 || group.length === linears.length);
  const areBeside = !lora.dora || (Variables.canStack(bsOf(group)) && Variables.canStack(magnitudesOf(group)));
  return areAlike && areBeside ? group : null;
}

function groupsOf(variables: Variables, linears: readonly Linear[], lora: LoraSpec): (readonly AdaptedLinear[])[] {
  const adapted = linears.flatMap(({ name, shape }) => {
    const module = lora.modules.get(name);
    return module ? [{ name, shape, ...module }] : [];
  });
  const alike = Map.groupBy(adapted, ({ name, rank, scale }) => (lora.dropout > 0 ? name : `${rank} ${scale}`));
  return [...alike.values()].flatMap(launchesOf).flatMap((group) => {
    // All A before all B, then biases, then magnitudes: a stack's members are parameters that are declared one behind the other.
    const as_RI = group.map(({ rank, name, shape }) => loraVariables.a(variables, rank, name, shape));
    const bs_OR = group.map(({ rank, name, shape }) => loraVariables.b(variables, rank, name, shape));
    const biases_O = group.map(({ name, shape }) =>
      lora.loraBias ? loraVariables.bias(variables, name, shape) : null,
    );
    const members = group.map((one, i) => ({
      ...one,
      a_RI: as_RI[i] as Tensor,
      b_OR: bs_OR[i] as Tensor,
      bias_O: biases_O[i] as Tensor | null,
      magnitude_O: lora.dora ? loraVariables.magnitude(variables, one.name, one.shape) : null,
    }));
    return Variables.canStack(as_RI) ? [members] : members.map((member) => [member]);
  });
}

/** What one launch can serve. */
function launchesOf<Member>(group: readonly Member[]): (readonly Member[])[] {
  return Array.from({ length: Math.ceil(group.length / MOST_MEMBERS) }, (_, i) =>
    group.slice(i * MOST_MEMBERS, (i + 1) * MOST_MEMBERS),
  );
}

/** dropout(x) with the A of all members: [T, R · members]. */
function innerProduct(
  x_TI: Tensor,
  members: readonly AdaptedLinear[],
  { dropout: rate, modules }: LoraSpec,
  { bf16, dropoutSeed, copyOf }: AddLoraOptions,
): Tensor {
  const [{ name }] = members as readonly [AdaptedLinear];
  const stream = [...modules.keys()].indexOf(name);
  const dropped_TI = dropoutSeed && rate > 0 ? dropout(x_TI, dropoutSeed, rate, stream) : x_TI;
  const factor_RI = stackOf(graphOf(x_TI).variables, members, 'A', asOf(members));
  return linear(dropped_TI, factor_RI, { bf16, copy: copyOf(factor_RI) });
}

const asOf = (group: readonly AdaptedLinear[]) => group.map(({ a_RI }) => a_RI);
const bsOf = (group: readonly AdaptedLinear[]) => group.map(({ b_OR }) => b_OR);
const magnitudesOf = (group: readonly AdaptedLinear[]) => group.flatMap(({ magnitude_O }) => magnitude_O ?? []);

/** This part of all members as one. */
function stackOf(
  variables: Variables,
  group: readonly AdaptedLinear[],
  part: LoraPart,
  members: readonly Tensor[],
): Tensor {
  const [only] = members as readonly [Tensor];
  return members.length === 1
    ? only
    : variables.stack(loraName(stackName(group.map(({ name }) => name)), part), members);
}

function factorsOf(group: readonly AdaptedLinear[], { copyOf }: AddLoraOptions) {
  return group.map(({ b_OR }) => ({ weight: b_OR, copy: copyOf(b_OR) }));
}
