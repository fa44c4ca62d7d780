import { expect, test } from 'vitest';
import { gatedDeltaCachedCases } from '../ops/gated_delta/cases.ts';
import { shortConvCachedCases } from '../ops/short_conv/cases.ts';
import { stateSpaceCachedCases } from '../ops/state_space/cases.ts';
import type { OpCase } from '../src/cases/casesFor.ts';
import { caseProgram, runPrograms } from '../src/cases/runCases.ts';
import { Values } from '../src/cases/values.ts';
import { cpuDevice } from '../src/device.ts';
import type { HostArray } from '../src/engine.ts';
import { Variables } from '../src/variables.ts';

const beside = [gatedDeltaCachedCases, shortConvCachedCases, stateSpaceCachedCases].flatMap(({ cases }) =>
  cases.filter(({ name, activationType }) => /sequences|tokens of/.test(name) && activationType === 'f32'),
);

interface Sequence {
  readonly first: number;
  readonly end: number;
  readonly slot: number;
  readonly slots: number;
}

function sequencesOf(of: OpCase): Sequence[] {
  const slots = of.values().get('slots') as Values;
  const tokens = of.extents['T'] as number;
  return Array.from({ length: of.extents['Q'] as number }, (_, n) => ({
    first: slots.at(n, 0),
    end: n + 1 < (of.extents['Q'] as number) ? slots.at(n + 1, 0) : tokens,
    slot: slots.at(n, 1),
    slots: slots.at(n, 2),
  }));
}

const rowsOf = (values: ArrayLike<number>, columns: number, first: number, end: number): number[] =>
  Array.from({ length: (end - first) * columns }, (_, i) => values[first * columns + i] as number);

/** Rows of a slot's state. */
function slotRows(of: OpCase): number {
  const { slot, slots } = sequencesOf(of).at(-1) as Sequence;
  return (of.inputs.get('state')?.shape[0] as number) / (slot + slots + 1);
}

/** The same sequence without those beside it. */
function alone(of: OpCase, { first, end, slot }: Sequence): OpCase {
  const rows = slotRows(of);
  const cut = (name: string): readonly [number, number] | null => {
    if (name === 'state') return [slot * rows, (slot + 1) * rows];
    return of.op.inputs.get(name)?.extents[0] === 'T' ? [first, end] : null;
  };
  const inputs = [...of.inputs].filter(([name]) => name !== 'slots');
  return {
    ...of,
    extents: { ...of.extents, T: end - first },
    inputs: new Map(
      inputs.map(([name, { dtype, shape }]) => {
        const part = cut(name);
        return [name, { dtype, shape: part ? [part[1] - part[0], ...shape.slice(1)] : shape }] as const;
      }),
    ),
    values: () =>
      new Map(
        [...of.values()].map(([name, { data, columns }]) => {
          const part = cut(name);
          return [name, new Values(part ? Float64Array.from(rowsOf(data, columns, ...part)) : data, columns)] as const;
        }),
      ),
  };
}

async function outputsOf(of: OpCase): Promise<{ readonly [name: string]: HostArray }> {
  const variables = new Variables();
  const program = caseProgram(of, 'case', variables);
  return (await runPrograms([program], variables, cpuDevice({ threads: 2 }))).get(program) ?? {};
}

test('there are cases of each op', () => {
  expect(new Set(beside.map(({ op }) => op.name)).size).toBe(3);
});

test.each(beside.map((of) => [`${of.op.name} ${of.name}`, of] as const))(
  'a sequence has the same bits beside others as alone, in all its slots: %s',
  async (_, of) => {
    const together = await outputsOf(of);
    const [own, columns] = [slotRows(of), of.inputs.get('state')?.shape[1] as number];
    const output = [...of.op.outputs.keys()].find((name) => name !== 'next') as string;
    const touched = new Set<number>();
    for (const sequence of sequencesOf(of)) {
      const lone = await outputsOf(alone(of, sequence));
      const width = (together[output] as HostArray).length / (of.extents['T'] as number);
      const { first, end, slot, slots } = sequence;
      expect(rowsOf(together[output] as Float32Array, width, first, end)).toEqual(
        Array.from(lone[output] as Float32Array),
      );
      for (let at = slot; at < slot + slots; at++) {
        const next = rowsOf(together['next'] as Float32Array, columns, at * own, (at + 1) * own);
        expect(next).toEqual(Array.from(lone['next'] as Float32Array));
        touched.add(at);
      }
    }
    const held = of.values().get('state') as Values;
    for (let at = 0; at < held.data.length / columns / own; at++) {
      if (touched.has(at)) continue;
      const next = rowsOf(together['next'] as Float32Array, columns, at * own, (at + 1) * own);
      expect(next).toEqual(rowsOf(held.data, columns, at * own, (at + 1) * own));
    }
  },
);
