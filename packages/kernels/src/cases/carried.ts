import { constant, type Fill } from './casesFor.ts';
import { endsOf } from './documents.ts';
import { type Matrix, zeros } from './mathematics.ts';
import type { Values } from './values.ts';

/** A sequence of a call that goes on with a state: so many tokens from position `start` on, and its slots. */
export interface CarriedSequence {
  readonly tokens: number;
  readonly start: number;
  readonly slot: number;
  readonly slots: number;
}

/** A prompt that three answers begin after, one that goes on, an answer of one token, and a prompt of one. */
export const sequencesBeside: readonly CarriedSequence[] = [
  { tokens: 70, start: 0, slot: 1, slots: 3 },
  { tokens: 66, start: 64, slot: 4, slots: 1 },
  { tokens: 1, start: 437, slot: 6, slots: 1 },
  { tokens: 1, start: 0, slot: 7, slots: 2 },
];
/** The next token of each of some answers, one of which begins. */
export const nextTokens: readonly CarriedSequence[] = [
  { tokens: 1, start: 9, slot: 0, slots: 1 },
  { tokens: 1, start: 0, slot: 2, slots: 1 },
  { tokens: 1, start: 300, slot: 3, slots: 2 },
];
/** So many tokens of one sequence from a position on, in the only slot. */
export const oneSequence = (tokens: number, start: number): readonly CarriedSequence[] => [
  { tokens, start, slot: 0, slots: 1 },
];

/** What a case has of these sequences. */
function carriedCase(sequences: readonly CarriedSequence[]) {
  const positions = sequences.flatMap(({ tokens, start }) => Array.from({ length: tokens }, (_, i) => start + i));
  let first = 0;
  const described = sequences.flatMap(({ tokens, slot, slots }) => {
    first += tokens;
    return [first - tokens, slot, slots];
  });
  const fill: Record<'positions' | 'slots', Fill<string>> = {
    positions: () => (i) => positions[i] ?? 0,
    slots: () => (i) => described[i] ?? 0,
  };
  const taken = Math.max(...sequences.map(({ slot, slots }) => slot + slots));
  // Beside several there is one more slot, which is nobody's.
  const held = sequences.length === 1 ? taken : taken + 1;
  return { tokens: positions.length, count: sequences.length, held, fill };
}

/** Extents and attributes of an op for so many tokens of a shape. */
type SizesOf<Shape, Extents, Attributes> = (
  tokens: number,
  shape: Shape,
) => { readonly extents: Extents; readonly attributes: Attributes };

/** Builds the cases of an op whose layers carry a state. @param states the extent that counts the rows of a state */
export function casesOfStates<Shape, Extents extends Readonly<Record<string, number>>, Attributes>(
  sizesOf: SizesOf<Shape, Extents, Attributes>,
  states: keyof Extents & string,
) {
  const cached = (sequences: readonly CarriedSequence[], shape: Shape) => {
    const { tokens, count, held, fill } = carriedCase(sequences);
    const { extents, attributes } = sizesOf(tokens, shape);
    return { extents: { ...extents, [states]: held * Number(extents[states]), Q: count }, attributes, fill };
  };
  return {
    /** Documents of these lengths. */
    packed: (lengths: readonly number[], shape: Shape) => {
      const ends = endsOf(lengths);
      const { extents, attributes } = sizesOf(ends.at(-1) as number, shape);
      return { extents: { ...extents, S: ends.length }, attributes, fill: { cuSeqlens: constant(...ends) } };
    },
    /** Sequences that go on with what a cache holds; without slots they are one. */
    cached,
    /** The same beside each other, with these optional inputs, too. */
    beside: <More extends string = never>(sequences: readonly CarriedSequence[], shape: Shape, ...more: More[]) => ({
      ...cached(sequences, shape),
      optional: ['slots' as const, ...more],
    }),
  };
}

/** The next token of each of sixteen answers. */
export const sixteenAnswers: readonly CarriedSequence[] = Array.from({ length: 16 }, (_, slot) => {
  return { tokens: 1, start: 511, slot, slots: 1 };
});

interface CarriedPlaces {
  /** Where sequences begin and end. */
  readonly ends: readonly number[];
  /** What sequences begin with; null: zeros. */
  readonly before: (sequence: number) => ((row: number, column: number) => number) | null;
  /** The states of all slots after the call, of those of the sequences after it. */
  readonly after: (states: readonly Matrix[]) => Matrix;
}

/** @param count of sequences; 0 where there are no slots, and all tokens are of one sequence in the first  @param rows of a slot */
export function carriedPlaces(
  { state, positions, slots }: Readonly<Record<'state' | 'positions' | 'slots', Values>>,
  tokens: number,
  { count, rows }: { readonly count: number; readonly rows: number },
): CarriedPlaces {
  const { columns } = state;
  const held = (slot: number) => (row: number, column: number) => state.at(slot * rows + row, column);
  /** Of a slot that no sequence has. */
  const kept = (slot: number) => zeros(rows, columns).map((row, r) => row.map((_, c) => held(slot)(r, c)));
  const [firsts, owns] = [Array<number>(), Array<readonly [number, number]>()];
  for (let n = 0; n < Math.max(count, 1); n++) {
    firsts.push(count === 0 ? 0 : slots.at(n, 0));
    owns.push(count === 0 ? [0, 1] : [slots.at(n, 1), slots.at(n, 2)]);
  }
  return {
    ends: [...firsts, tokens],
    before: (n) => (positions.at(firsts[n] as number) === 0 ? null : held(owns[n]?.[0] as number)),
    after: (states) => {
      const slotCount = state.data.length / columns / rows;
      return Array.from({ length: slotCount }, (_, slot) => slot).flatMap((slot) => {
        const n = owns.findIndex(([own, copies]) => slot >= own && slot < own + copies);
        return states[n] ?? kept(slot);
      });
    },
  };
}
