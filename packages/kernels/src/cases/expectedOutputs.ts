import type { ParsedPattern } from '../op.ts';
import type { OpCase, OpCases } from './casesFor.ts';
import { Sums, Values } from './values.ts';

/** The case's outputs by its reference, which is given zeros for absent inputs. */
export function expectedOutputs(
  { reference }: OpCases,
  {
    op,
    extents,
    attributes,
    activationType,
    inputs,
  }: Pick<OpCase, 'op' | 'extents' | 'attributes' | 'activationType' | 'inputs'>,
  values: ReadonlyMap<string, Values>,
  outputShapes: ReadonlyMap<string, readonly number[]>,
): Map<string, Sums> {
  const given = Object.fromEntries(
    [...op.inputs].map(([name, pattern]) => {
      const value = values.get(name);
      const shape = inputs.get(name)?.shape ?? [];
      return [name, value ? new Values(value.data, columnsOf(shape, pattern)) : zeros];
    }),
  );
  const outputs = Object.fromEntries(
    [...op.outputs].map(([name, pattern]) => {
      const shape = outputShapes.get(name);
      if (!shape) return [name, ignored] as const;
      const count = shape.reduce((product, extent) => product * extent, 1);
      return [name, new Sums(count, columnsOf(shape, pattern))] as const;
    }),
  );
  const dtypes = Object.fromEntries([...inputs].map(([name, { dtype }]) => [name, dtype]));
  reference(given, outputs, { extents, attributes, dtypes, activationType });
  if (activationType === 'bf16') {
    for (const [name, { isActivation }] of op.outputs) if (isActivation) outputs[name]?.roundToBf16();
  }
  return new Map(Object.entries(outputs).filter(([name]) => outputShapes.has(name)));
}

/** A flat pattern reads any shape as one row after the other. */
function columnsOf(shape: readonly number[], { extents: letters }: ParsedPattern): number {
  return letters.length > 1 ? (shape[1] as number) : 1;
}

class Zeros extends Values {
  override at(): number {
    return 0;
  }
}

class IgnoredSums extends Sums {
  override add(): void {}
  override allow(): void {}
}

const zeros = new Zeros(new Float64Array(0), 1);
const ignored = new IgnoredSums(0, 1);
