import type { GgufArray, GgufValue, NumericArray } from './metadata.ts';
import { NUMERIC_ARRAYS, VALUE_TYPES } from './metadata.ts';

/** Builds a GGUF header: little-endian numbers, strings with a 64-bit length, typed metadata values. */
export class ByteWriter {
  #buffer = Buffer.alloc(1 << 16);
  #length = 0;

  uint32(value: number): void {
    this.#reserve(4);
    this.#length = this.#buffer.writeUInt32LE(value, this.#length);
  }

  uint64(value: number): void {
    this.#reserve(8);
    this.#length = this.#buffer.writeBigUInt64LE(BigInt(value), this.#length);
  }

  string(value: string): void {
    const size = Buffer.byteLength(value);
    this.uint64(size);
    this.#reserve(size);
    this.#length += this.#buffer.write(value, this.#length);
  }

  typedValue(value: GgufValue): void {
    this.uint32(VALUE_TYPES.indexOf(value.type));
    switch (value.type) {
      case 'string':
        return this.string(value.value);
      case 'bool':
        return this.bytes(Uint8Array.of(Number(value.value)));
      case 'array':
        return this.#array(value);
      case 'uint64':
      case 'int64':
        return this.#numbers(NUMERIC_ARRAYS[value.type].of(value.value));
      default:
        return this.#numbers(NUMERIC_ARRAYS[value.type].of(value.value));
    }
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  finish(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  #array(array: GgufArray): void {
    this.uint32(VALUE_TYPES.indexOf(array.items));
    this.uint64(array.value.length);
    switch (array.items) {
      case 'string':
        for (const item of array.value) this.string(item);
        return;
      case 'bool':
        return this.bytes(Uint8Array.from(array.value, Number));
      case 'array':
        for (const item of array.value) this.#array(item);
        return;
      default:
        return this.#numbers(array.value);
    }
  }

  #numbers(numbers: NumericArray): void {
    this.bytes(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const larger = Buffer.alloc(Math.max(this.#buffer.length * 2, this.#length + bytes));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}
