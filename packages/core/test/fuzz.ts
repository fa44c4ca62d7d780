/** Many inputs, each from a seed of its own: what is wrong with one is a UserError, or a failure that names it. */
import { UserError } from '../src/errors.ts';
import { random } from '../src/random.ts';

/** A fuzzer's choices. */
export interface Choices {
  /** From 0 to `bound` - 1. */
  below(bound: number): number;
  of<T>(list: readonly T[]): T;
}

/** Only to tell a hang from work: the slowest input takes a tenth of it on a busy machine. */
const SECONDS_OF_A_HANG = 30;

/** FUZZ_RUNS says how many are tried, FUZZ_SEED which; `npm run fuzz` sets both. */
const wantedRuns = Number(process.env['FUZZ_RUNS'] ?? 0);
const firstSeed = Number(process.env['FUZZ_SEED'] ?? 1);

/**
 * @param few how many inputs `npm test` tries
 * @param kinds outcomes that so many meet, with the least share of each: a fuzzer whose inputs all fail at the first look finds nothing
 * behind it. One input that is tried again meets one.
 * @param attempt throws for input that is refused
 * @returns how many inputs were `read`, and how many were refused with which code
 */
export async function fuzz(
  name: string,
  few: number,
  kinds: Readonly<Record<string, number>>,
  attempt: (choose: Choices) => Promise<void> | void,
): Promise<Record<string, number>> {
  const runs = wantedRuns || few;
  const outcomes: Record<string, number> = {};
  for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
    const { below } = random('fuzz', name, seed);
    const started = performance.now();
    let outcome = 'read';
    try {
      await attempt({ below, of: (list) => list[below(list.length)] as (typeof list)[number] });
    } catch (error) {
      if (!(error instanceof UserError)) throw new Error(`${name}: FUZZ_RUNS=1 FUZZ_SEED=${seed}`, { cause: error });
      outcome = error.code;
    }
    const seconds = (performance.now() - started) / 1000;
    if (seconds > SECONDS_OF_A_HANG) throw new Error(`${name}: FUZZ_RUNS=1 FUZZ_SEED=${seed} took ${seconds} s`);
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }
  if (runs < few) return outcomes;
  for (const [kind, share] of Object.entries(kinds))
    if (!((outcomes[kind] ?? 0) > share * runs))
      throw new Error(`${name}: too few are ${kind}: ${JSON.stringify(outcomes)}`);
  return outcomes;
}

/** One to four changes of bytes: a cut, a flipped bit, an extreme number, a part twice or left out, one of `words` put in. */
export function mutated(original: Buffer, { below, of }: Choices, words: readonly string[]): Buffer {
  let bytes = Buffer.from(original);
  for (let change = below(4); change >= 0; change--) {
    const at = below(bytes.length + 1);
    const end = Math.min(bytes.length, at + 1 + below(16));
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
    switch (below(6)) {
      case 0:
        bytes = before;
        break;
      case 1:
        if (at < bytes.length) bytes[at] = (bytes[at] as number) ^ (1 << below(8));
        break;
      case 2:
        if (at + 4 <= bytes.length) bytes.writeUInt32LE(of([0, 1, 0x7fff_ffff, 0xffff_ffff]), at);
        break;
      case 3:
        bytes = Buffer.concat([before, Buffer.from(of(words), 'latin1'), after]);
        break;
      case 4:
        bytes = Buffer.concat([before, bytes.subarray(below(at + 1), end), after]);
        break;
      default:
        bytes = Buffer.concat([before, bytes.subarray(end)]);
    }
  }
  return bytes;
}

export type Place = readonly (string | number)[];

/** Where a value of a JSON text could be another: every member at every depth, the root left out. */
export function placesIn(value: unknown, place: Place = []): Place[] {
  const inner =
    typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([key, member]) => placesIn(member, [...place, key]))
      : [];
  return place.length === 0 ? inner : [place, ...inner];
}

/** A copy with another value in one place; `undefined` leaves the member out. */
export function replacedAt<T>(root: T, place: Place, value: unknown): T {
  const copy = structuredClone(root);
  const parent = place.slice(0, -1).reduce<unknown>((of, key) => (of as Record<string, unknown>)[key], copy);
  const key = place.at(-1) as string;
  if (value === undefined) delete (parent as Record<string, unknown>)[key];
  else (parent as Record<string, unknown>)[key] = value;
  return copy;
}
