import { isJsonObject, type JsonObject } from '@anneal/formats/json';
import { UserError } from '../errors.ts';

/** Largest count any config may state: far above every published model, far below where products of two overflow. */
const MAX_COUNT = 2 ** 24;

/** In float32, as the engine has it. */
const isPositive = (item: unknown): item is number =>
  typeof item === 'number' && Number.isFinite(Math.fround(item)) && Math.fround(item) > 0;

/** Typed reading of one JSON object that came from outside; every wrong value is a UserError that names file and key. */
export class Fields {
  readonly #json: JsonObject;
  readonly #where: string;

  constructor(json: JsonObject, where: string) {
    this.#json = json;
    this.#where = where;
  }

  get where(): string {
    return this.#where;
  }

  /** JSON null counts as absent, as it does in transformers. */
  has(key: string): boolean {
    return this.#json[key] !== undefined && this.#json[key] !== null;
  }

  raw(key: string): unknown {
    return this.#json[key];
  }

  /** A whole number from `smallest` to `largest`. */
  count(key: string, fallback?: number, largest = MAX_COUNT, smallest = 1): number {
    const value = this.has(key) ? this.#json[key] : fallback;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < smallest || value > largest) {
      throw this.wrong(key, `a whole number from ${smallest} to ${largest}`);
    }
    return value;
  }

  /** A finite number above zero. */
  positive(key: string, fallback?: number): number {
    const value = this.has(key) ? this.#json[key] : fallback;
    if (!isPositive(value)) throw this.wrong(key, 'a number above 0 in float32');
    return value;
  }

  /** A finite number of 0 or more. */
  notNegative(key: string, fallback?: number): number {
    const value = this.has(key) ? this.#json[key] : fallback;
    if (value !== 0 && !isPositive(value)) throw this.wrong(key, 'a number of at least 0 in float32');
    return value;
  }

  /** From 0 to below 1. */
  probability(key: string, fallback?: number): number {
    const value = this.has(key) ? this.#json[key] : fallback;
    if (typeof value !== 'number' || !(value >= 0 && value < 1)) throw this.wrong(key, 'a number from 0 to below 1');
    return value;
  }

  boolean(key: string, fallback: boolean): boolean {
    const value = this.has(key) ? this.#json[key] : fallback;
    if (typeof value !== 'boolean') throw this.wrong(key, 'true or false');
    return value;
  }

  string(key: string, fallback?: string): string {
    const value = this.has(key) ? this.#json[key] : fallback;
    if (typeof value !== 'string') throw this.wrong(key, 'a string');
    return value;
  }

  object(key: string): Fields | null {
    if (!this.has(key)) return null;
    const value = this.#json[key];
    if (!isJsonObject(value)) throw this.wrong(key, 'an object');
    return new Fields(value, `${this.#where}: ${key}`);
  }

  /** One token id, a list of them, or none; -1 is how some files write none. @param end ids begin at 0 and end before it */
  tokenIds(key: string, end = Number.POSITIVE_INFINITY): number[] {
    if (!this.has(key)) return [];
    const value = this.#json[key];
    const ids: unknown[] = (Array.isArray(value) ? value : [value]).filter((id) => id !== -1);
    if (!ids.every((id): id is number => typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < end)) {
      const range = end === Number.POSITIVE_INFINITY ? '' : ` below ${end}`;
      throw this.wrong(key, `a token id or a list of token ids${range}`);
    }
    return ids;
  }

  strings(key: string): string[] | null {
    if (!this.has(key)) return null;
    const value = this.#json[key];
    if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) {
      throw this.wrong(key, 'a list of strings');
    }
    return value;
  }

  /** A list of finite numbers above zero. */
  positives(key: string): number[] {
    const value = this.#json[key];
    if (!Array.isArray(value) || !value.every(isPositive))
      throw this.wrong(key, 'a list of numbers above 0 in float32');
    return value;
  }

  /** The same with these where it says nothing; null is said. */
  withDefaults(defaults: JsonObject): Fields {
    return new Fields({ ...defaults, ...this.#json }, this.#where);
  }

  /** The same with this in place of what it says. */
  with(key: string, value: unknown): Fields {
    return new Fields({ ...this.#json, [key]: value }, this.#where);
  }

  wrong(key: string, expected: string): UserError {
    const found = this.#json[key] === undefined ? 'it is missing' : `it is ${JSON.stringify(this.#json[key])}`;
    return new UserError({
      what: `${key} must be ${expected}, but ${found.slice(0, 200)}`,
      where: this.#where,
      next: 'correct the file, or download the model again',
      code: 'model_config_invalid',
    });
  }

  /** The model is well formed but needs something that is not implemented. */
  unsupported(what: string, next: string): UserError {
    return new UserError({ what, where: this.#where, next, code: 'model_unsupported' });
  }
}
