import type { Device } from '../device.ts';
import { type Attributes, hasKernel, type Op, type Sizes } from '../op.ts';
import { type ActivationType, activationTypes, type DType } from '../tensor.ts';
import { integer, normal, type Random, randomFrom, roundToBf16, seedOf } from './numbers.ts';
import { type Sums, Values } from './values.ts';

/** What the values of an input may depend on; `made` holds the inputs declared before it. */
export interface FillContext<A extends string> {
  readonly random: Random;
  readonly extents: Sizes;
  readonly attributes: Attributes<A>;
  readonly made: Readonly<Record<string, Values>>;
}
/** Gives element i of an input. */
export type Fill<A extends string> = (context: FillContext<A>) => (index: number) => number;
type Fills<I extends string, A extends string> = { readonly [K in I]?: Fill<A> };

export interface ReferenceContext<I extends string, A extends string> {
  readonly extents: Sizes;
  readonly attributes: Attributes<A>;
  readonly dtypes: { readonly [K in I]?: DType };
  /** Of all activations; outputs among them are rounded to it, which the comparison knows. */
  readonly activationType: ActivationType;
}

/** Adds to the outputs, which start at zero, in plain float64 loops. An absent optional input reads as zeros, an absent output is ignored. */
export type Reference<I extends string, O extends string, A extends string> = (
  inputs: { readonly [K in I]: Values },
  outputs: { readonly [K in O]: Sums },
  context: ReferenceContext<I, A>,
) => void;

export interface NamedCase<I extends string, A extends string> {
  readonly extents: Sizes;
  readonly attributes?: Attributes<A>;
  readonly fill?: Fills<I, A>;
  /** The optional inputs that it has; where nothing is said it is run with all of them and with none. */
  readonly optional?: readonly I[];
}

export interface CasesSpec<I extends string, O extends string, A extends string> {
  /** Extents by the letters of the op's patterns. Each is run with all attributes, element types, and with and without optional inputs. */
  readonly shapes: readonly Sizes[];
  readonly attributes?: readonly Attributes<A>[];
  /** Normally distributed where nothing is said. */
  readonly fill?: Fills<I, A>;
  readonly hard?: Readonly<Record<string, NamedCase<I, A>>>;
  /** Shapes as models have them, for the benchmark, which leaves out optional inputs that a case does not name. */
  readonly benchmark: readonly NamedCase<I, A>[];
  readonly reference: Reference<I, O, A>;
}

export interface CaseInput {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

export interface OpCase {
  readonly op: Op;
  readonly name: string;
  readonly extents: Sizes;
  readonly attributes: Attributes<string>;
  /** Of all activations of the case; a device runs only those of the types it has kernels for. */
  readonly activationType: ActivationType;
  /** Absent optional inputs are not in it. */
  readonly inputs: ReadonlyMap<string, CaseInput>;
  /** Values of the inputs, exact in their element types; of each input only the first `limit`. */
  values(limit?: number): ReadonlyMap<string, Values>;
}

export interface OpCases {
  readonly op: Op;
  readonly cases: readonly OpCase[];
  readonly benchmark: readonly OpCase[];
  readonly reference: Reference<string, string, string>;
}

/** Those of the cases that the device has kernels for. */
export function casesOn(device: Device, cases: readonly OpCase[]): OpCase[] {
  return cases.filter(
    ({ op, inputs, activationType, attributes }) =>
      hasKernel(op, device, (input) => inputs.has(input)) &&
      device.activationTypes.includes(activationType) &&
      (device.roundsOperands || activationType === 'bf16' || !attributes['bf16']),
  );
}

/** One declaration of an op's cases drives its conformance test, the gradient check and the benchmark. */
export function casesFor<I extends string, O extends string, A extends string>(
  typedOp: Op<I, O, A>,
  spec: CasesSpec<NoInfer<I>, NoInfer<O>, NoInfer<A>>,
): OpCases {
  const op = typedOp as unknown as Op;
  const usual: readonly Attributes<A>[] = spec.attributes ?? [{} as Attributes<A>];
  const hasOptional = [...op.inputs.values()].some(({ optional }) => optional);
  const named = (
    name: string,
    { extents, attributes, fill, optional }: NamedCase<I, A>,
    presences: readonly OptionalInputs[] = hasOptional ? ['all', []] : [[]],
  ): OpCase[] =>
    (attributes ? [attributes] : usual).flatMap((chosen) =>
      activationTypesOf(op).flatMap((activationType) =>
        (optional ? [optional] : presences)
          .flatMap((given) => inputVariants(op, extents, activationType, given))
          .map((inputs) => {
            const fills = { ...spec.fill, ...fill } as Fills<string, string>;
            return opCase(op, name, extents, chosen, activationType, inputs, fills);
          }),
      ),
    );
  return {
    op,
    cases: [
      ...spec.shapes.flatMap((extents) => named('', { extents })),
      ...Object.entries<NamedCase<I, A>>(spec.hard ?? {}).flatMap(([name, one]) => named(name, one)),
    ],
    benchmark: spec.benchmark.flatMap((one) => named('', one, [[]])),
    reference: spec.reference as unknown as OpCases['reference'],
  };
}

function activationTypesOf(op: Op): readonly ActivationType[] {
  return [...op.inputs.values(), ...op.outputs.values()].some((p) => p.isActivation) ? activationTypes : ['f32'];
}

type OptionalInputs = 'all' | readonly string[];

/** Every element type that other inputs with a choice may have, all of them alike; of the optional inputs those of `given`. */
function inputVariants(
  op: Op,
  extents: Sizes,
  activationType: ActivationType,
  given: OptionalInputs,
): ReadonlyMap<string, CaseInput>[] {
  const patterns = [...op.inputs].map(([name, pattern]) => {
    return [name, pattern.isActivation ? { ...pattern, dtypes: [activationType] } : pattern] as const;
  });
  const present = patterns.filter(([name, { optional }]) => !optional || given === 'all' || given.includes(name));
  const types = Math.max(...present.map(([, { dtypes }]) => dtypes.length));
  return Array.from(
    { length: types },
    (_, choice) =>
      new Map(
        present.map(([name, { dtypes, extents: letters }]) => {
          const shape = letters.map((letter) => sizeOf(op, extents, letter));
          return [name, { dtype: dtypes[Math.min(choice, dtypes.length - 1)] as DType, shape }] as const;
        }),
      ),
  );
}

function sizeOf(op: Op, extents: Sizes, letter: string): number {
  const size = /^\d+$/.test(letter) ? Number(letter) : extents[letter.replace('*', '')];
  if (size === undefined) throw new Error(`a case of ${op.name} does not say how large ${letter} is`);
  return size;
}

function opCase(
  op: Op,
  name: string,
  extents: Sizes,
  attributes: Attributes<string>,
  activationType: ActivationType,
  inputs: ReadonlyMap<string, CaseInput>,
  fills: Fills<string, string>,
): OpCase {
  const choices = [...op.inputs].filter(
    ([, { dtypes, optional, isActivation }]) => (dtypes.length > 1 && !isActivation) || optional,
  );
  const label = [
    ...(name ? [`${name}:`] : []),
    ...Object.entries({ ...extents, ...attributes }).map(([key, value]) => `${key}=${value}`),
    ...choices.map(([key]) => `${key}=${inputs.get(key)?.dtype ?? 'absent'}`),
    ...(activationType === 'f32' ? [] : [`activations=${activationType}`]),
  ].join(' ');
  return {
    op,
    name: label,
    extents,
    attributes,
    activationType,
    inputs,
    values: (limit = Infinity) => {
      const random = randomFrom(seedOf(`${op.name} ${label}`));
      const made: Record<string, Values> = {};
      for (const [key, { dtype, shape }] of inputs) {
        const fill = fills[key] ?? normals;
        const element = fill({ random, extents, attributes, made });
        const count = shape.reduce((product, extent) => product * extent, 1);
        made[key] = new Values(
          Float64Array.from({ length: Math.min(count, limit) }, (_, i) => rounded(element(i), dtype)),
          shape.length > 1 ? (shape[1] as number) : 1,
        );
      }
      return new Map(Object.entries(made));
    },
  };
}

function rounded(value: number, dtype: DType): number {
  if (dtype === 'f32') return Math.fround(value);
  return dtype === 'bf16' ? roundToBf16(value) : value;
}

export const normals: Fill<string> =
  ({ random }) =>
  () =>
    normal(random);

/** Normally distributed with this standard deviation. */
export function scaled(by: number): Fill<string> {
  return ({ random }) =>
    () =>
      by * normal(random);
}

/** Above 0 and around 1. */
export const positives: Fill<string> =
  ({ random }) =>
  () =>
    0.5 + 1.5 * random();

/** Integers below the extent of this letter. */
export function idsBelow(letter: string): Fill<string> {
  return ({ random, extents }) =>
    () =>
      integer(random, extents[letter] as number);
}

export function constant(...values: readonly number[]): Fill<string> {
  return () => (i) => values[i % values.length] as number;
}
