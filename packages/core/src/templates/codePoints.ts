import { allocate, chargeKey, chargeList, perRendering } from './meter.ts';

/** Code points between two remembered places of a text. */
const STRIDE = 64;
/** Shorter texts are walked. */
const LONG = 256;
const SURROGATE = /[\ud800-\udfff]/;

/** Where every 64th code point of a text begins; null for a text whose UTF-16 units are its code points. */
interface Places {
  readonly starts: Uint32Array;
  readonly length: number;
}

/** By text. A property's name is interned by the engine, so that the look-up of a long text compares pointers from the second time on. */
const known = perRendering(() => Object.create(null) as Record<string, Places | null>);

/** Python counts code points where JavaScript counts UTF-16 units. */
export function codePoints(text: string): readonly string[] {
  chargeList(text.length);
  allocate(24 * text.length);
  return Array.from(text);
}

export function codePointLength(text: string): number {
  return placesOf(text)?.length ?? text.length;
}

/** The character at a place counted in code points; undefined outside the text. */
export function codePointAt(text: string, index: number): string | undefined {
  const places = placesOf(text);
  if (places === null) return text[index];
  if (!Number.isInteger(index) || index < 0 || index >= places.length) return undefined;
  return String.fromCodePoint(text.codePointAt(unitAt(text, places, index)) as number);
}

/** `text[from:to]`, both counted in code points and inside the text. */
export function sliceCodePoints(text: string, from: number, to: number): string {
  const places = placesOf(text);
  if (from >= to) return '';
  return places === null ? text.slice(from, to) : text.slice(unitAt(text, places, from), unitAt(text, places, to));
}

/** The number of code points before a UTF-16 position; -1 stays. */
export function codePointIndex(text: string, at: number): number {
  return at <= 0 ? at : codePointLength(text.slice(0, at));
}

function unitAt(text: string, { starts, length }: Places, index: number): number {
  if (index >= length) return text.length;
  let at = starts[Math.floor(index / STRIDE)] as number;
  for (let rest = index % STRIDE; rest > 0; rest--) at = next(text, at);
  return at;
}

function placesOf(text: string): Places | null {
  if (text.length < LONG) return SURROGATE.test(text) ? measure(text) : null;
  const texts = known();
  let places = texts[text];
  if (places === undefined) {
    chargeKey(text);
    allocate(text.length);
    places = SURROGATE.test(text) ? measure(text) : null;
    texts[text] = places;
  }
  return places;
}

function measure(text: string): Places {
  const starts: number[] = [];
  let length = 0;
  for (let at = 0; at < text.length; at = next(text, at)) if (length++ % STRIDE === 0) starts.push(at);
  return { starts: Uint32Array.from(starts), length };
}

const next = (text: string, at: number): number => at + ((text.codePointAt(at) as number) > 0xffff ? 2 : 1);
