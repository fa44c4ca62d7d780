import type { JsonObject } from '@anneal/formats/json';
import type { AddedToken } from '../codec.ts';
import { bytesOf } from './byteAlphabet.ts';

/** The tokens of a byte-level tokenizer by text and by id. */
export class Vocabulary {
  /** The model's own, as they are spelled. */
  readonly model: ReadonlyMap<string, number>;
  readonly #added: ReadonlyMap<string, number>;
  readonly #special: ReadonlySet<number>;
  readonly #texts: string[] = [];
  /** What each token stands for, once it was decoded. */
  readonly #bytes: Uint8Array[] = [];

  private constructor(model: ReadonlyMap<string, number>, added: readonly AddedToken[]) {
    this.model = model;
    this.#added = new Map(added.map(({ id, text }) => [text, id]));
    this.#special = new Set(added.filter(({ special }) => special).map(({ id }) => id));
    for (const [text, id] of this.model) this.#texts[id] = text;
    for (const { id, text } of added) this.#texts[id] = text;
  }

  /** @returns null where an id is none */
  static from(model: JsonObject, added: readonly AddedToken[]): Vocabulary | null {
    const ids = new Map(Object.entries(model) as [string, number][]);
    for (const id of ids.values()) if (!isId(id)) return null;
    return added.every(({ id }) => isId(id)) ? new Vocabulary(ids, added) : null;
  }

  /** Largest id + 1. */
  get size(): number {
    return this.#texts.length;
  }

  idOf(token: string): number | null {
    return this.#added.get(token) ?? this.model.get(token) ?? null;
  }

  textOf(id: number): string | null {
    return this.#texts[id] ?? null;
  }

  /** What the token stands for; null for an id that does not exist. */
  bytesOf(id: number): Uint8Array | null {
    const text = this.#texts[id];
    if (text === undefined) return null;
    // Added tokens stand there as they are, unless they too are spelled in bytes.
    this.#bytes[id] ??= bytesOf(text) ?? new TextEncoder().encode(text);
    return this.#bytes[id];
  }

  /** Ids that do not exist are left out; bytes that are no UTF-8 become U+FFFD. */
  decode(ids: ArrayLike<number>, skipSpecial: boolean): string {
    const pieces: Uint8Array[] = [];
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i] as number;
      const bytes = skipSpecial && this.#special.has(id) ? null : this.bytesOf(id);
      if (bytes !== null) pieces.push(bytes);
    }
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.concat(pieces));
  }
}

const isId = (id: unknown): boolean => Number.isInteger(id) && (id as number) >= 0 && (id as number) < 2 ** 31;
