import { TemplateLimitError } from './errors.ts';

/**
 * Work one rendering may do, in statements and other steps of some 50 ns: less than a second. Real conversations need thousands.
 */
const MAX_WORK = 12_000_000;
/** Bytes that one rendering may allocate, whether or not it keeps them. */
const MAX_BYTES = 1 << 27;

/** V8 tells longer keys apart by their length alone, and then by comparing them. */
const HASHED_LENGTH = 16_383;

interface Meter {
  work: number;
  bytes: number;
  /** How many keys beyond HASHED_LENGTH were looked for, by length. */
  readonly longKeys: Map<number, number>;
}

/** Of the rendering in progress. Rendering is synchronous, and nothing renders within a rendering. */
let meter: Meter | null = null;

/** A value that every rendering has anew. */
export function perRendering<T>(make: () => T): () => T {
  let owner: Meter | null = null;
  let value: T | undefined;
  return () => {
    if (value === undefined || owner !== meter) value = make();
    owner = meter;
    return value;
  };
}

/** Runs a rendering with a budget of its own. */
export function metered<T>(body: () => T): T {
  const outer = meter;
  meter = { work: 0, bytes: 0, longKeys: new Map() };
  try {
    return body();
  } finally {
    meter = outer;
  }
}

/** Counts steps, before they are taken where they may be many. @throws TemplateLimitError */
export function charge(work: number): void {
  if (meter === null) return;
  meter.work += work;
  if (!(meter.work <= MAX_WORK)) throw new TemplateLimitError('the template does not come to an end');
}

/** Counts bytes, before they are allocated where they may be many. @throws TemplateLimitError */
export function allocate(bytes: number): void {
  if (meter === null) return;
  meter.bytes += bytes;
  if (!(meter.bytes <= MAX_BYTES))
    throw new TemplateLimitError(`the template needs more than ${MAX_BYTES} bytes of memory`);
}

/** A list of so many items; each takes a pointer. */
export function chargeList(length: number): void {
  charge(1 + (length >>> 3));
  allocate(64 + 8 * length);
}

/** A new text of so many characters, made by copying. */
export function chargeText(length: number): void {
  charge(1 + (length >>> 4));
  allocate(32 + length);
}

/** A text as the key of a dict or a set: it is read, and one that is long compared with all of its length before. */
export function chargeKey(text: string): void {
  charge(1 + (text.length >>> 2));
  if (meter === null || text.length <= HASHED_LENGTH) return;
  const others = meter.longKeys.get(text.length) ?? 0;
  meter.longKeys.set(text.length, others + 1);
  charge(others * (text.length >>> 8));
}

/** A look through a text for a part of it: V8's search takes up to the product of their lengths. */
export function chargeSearch(text: string, part: string): void {
  charge(1 + (text.length >>> 4) * (1 + (part.length >>> 6)));
}
