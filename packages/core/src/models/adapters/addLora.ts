import { dropout, type GroupMember, graphOf, groupedLinear, linear, type Tensor, Variables } from '@anneal/kernels';
import { type LoraModuleSpec, type LoraSpec, loraVariables } from './lora.ts';

/** A linear of some input without its adapter. */
export interface PlainOutput {
  /** Our name of the linear. */
  readonly name: string;
  /** [outputs, inputs] */
  readonly shape: readonly number[];
  /** [T, outputs] */
  readonly y: Tensor;
}

export interface AddLoraOptions {
  readonly bf16: boolean;
  /** i32[2], in training programs whose adapter has dropout. */
  readonly dropoutSeed: Tensor | null;
  readonly copyOf: (parameter: Tensor) => Tensor | undefined;
}

/**
 * Adds to linears of one input what their adapters make of it: y + scale · B · A · dropout(x). Linears whose adapters have one
 * rank and scale are served together: one product gives x with all of their A, one launch adds the products with all of
 * their B. With dropout each adapter sees another x, and so is served alone.
 */
export function addLora(x: Tensor, outputs: readonly PlainOutput[], lora: LoraSpec, options: AddLoraOptions): Tensor[] {
  const sums = new Map(outputs.map(({ name, y }) => [name, y]));
  for (const group of groupsOf(x, outputs, lora)) {
    const names = group.map(({ name }) => name);
    for (const [i, sum] of addGroup(x, group, lora, options).entries()) sums.set(names[i] as string, sum);
  }
  return [...sums.values()];
}

interface Member extends PlainOutput, LoraModuleSpec {
  readonly a: Tensor;
  readonly b: Tensor;
}

function groupsOf(x: Tensor, outputs: readonly PlainOutput[], lora: LoraSpec): Member[][] {
  const { variables } = graphOf(x);
  const adapted = outputs.flatMap((output) => {
    const module = lora.modules.get(output.name);
    return module ? [{ ...output, ...module }] : [];
  });
  const alike = Map.groupBy(adapted, ({ name, rank, scale }) => (lora.dropout > 0 ? name : `${rank} ${scale}`));
  return [...alike.values()].flatMap((group) => {
    // All A before all B: a stack's members are parameters that are declared one behind the other.
    const a = group.map(({ rank, name, shape }) => loraVariables.a(variables, rank, name, shape));
    const members = group.map((one, i) => ({
      ...one,
      a: a[i] as Tensor,
      b: loraVariables.b(variables, one.rank, one.name, one.shape),
    }));
    return Variables.canStack(a) ? [members] : members.map((member) => [member]);
  });
}

function addGroup(
  x: Tensor,
  members: readonly Member[],
  { dropout: rate, modules }: LoraSpec,
  { bf16, dropoutSeed, copyOf }: AddLoraOptions,
): Tensor[] {
  const [{ a, name, scale }] = members as readonly [Member];
  const stream = [...modules.keys()].indexOf(name);
  const dropped = dropoutSeed && rate > 0 ? dropout(x, dropoutSeed, rate, stream) : x;
  const factor = members.length === 1 ? a : stackOf(x, members);
  const inner = linear(dropped, factor, { bf16, copy: copyOf(factor) });
  const group = members.map(({ b, y }) => ({ weight: b, copy: copyOf(b), plus: y }));
  return groupedLinear(inner, group as [GroupMember, GroupMember?, GroupMember?], { alpha: scale, bf16 });
}

/** The A of all members as one matrix, named after them: `adapter/layers.0.q+k+v.A`. */
function stackOf(x: Tensor, members: readonly Member[]): Tensor {
  const [first, ...others] = members.map(({ a }) => a.name.replace(/\.A$/, ''));
  const ends = others.map((name) => name.split('.').at(-1));
  return graphOf(x).variables.stack(
    `${[first, ...ends].join('+')}.A`,
    members.map(({ a }) => a),
  );
}
