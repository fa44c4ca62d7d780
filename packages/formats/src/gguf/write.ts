import { UserError } from '../errors.ts';
import { AtomicFile } from '../files/atomicWrite.ts';
import { float32ToBfloat16, float32ToFloat16 } from '../float16.ts';
import { checkRepresentable } from '../representable.ts';
import { elementCount } from '../tensor.ts';
import { ByteWriter } from './byteWriter.ts';
import { DEFAULT_ALIGNMENT, GGUF_MAGIC } from './header.ts';
import type { GgufMetadata } from './metadata.ts';
import { metadataNumber } from './metadata.ts';
import { WRITABLE_BLOCK_FORMATS } from './quants/index.ts';
import { ggmlTypeNumber, unitOf } from './tensorTypes.ts';

/** The tensor types that can be written. */
export type WritableType = 'F32' | 'F16' | 'BF16' | keyof typeof WRITABLE_BLOCK_FORMATS;

/** `general.file_type` (llama.cpp's llama_ftype) of a file whose matrices have this type. */
export const FILE_TYPE: Readonly<Record<WritableType, number>> = {
  F32: 0,
  F16: 1,
  Q4_0: 2,
  Q8_0: 7,
  Q5_0: 8,
  BF16: 32,
};

const LARGEST_HALF = 65_504;
const LARGEST_FLOAT32 = 3.4028234663852886e38;

/** The magnitude a type can hold: what quantised types store as a half is the block's largest weight over 127, 8 or 16. */
const LARGEST_WEIGHT: Readonly<Record<WritableType, number>> = {
  F32: LARGEST_FLOAT32,
  BF16: 3.3895313892515355e38,
  F16: LARGEST_HALF,
  Q8_0: LARGEST_HALF * 127,
  Q4_0: LARGEST_HALF * 8,
  Q5_0: LARGEST_HALF * 16,
};

export interface GgufTensor {
  readonly name: string;
  /** Row-major, outermost first. */
  readonly shape: readonly number[];
  readonly type: WritableType;
}

export interface GgufTensorToWrite extends GgufTensor {
  /** The weights; asked for once, when it is this tensor's turn, and not kept. */
  readonly float32: () => Float32Array | Promise<Float32Array>;
}

/** Writes a GGUF of version 3, tensors one at a time; it appears under its name only when it is complete. */
export async function writeGguf(
  path: string,
  metadata: GgufMetadata,
  tensors: readonly GgufTensorToWrite[],
): Promise<void> {
  const writer = await GgufWriter.create(path, metadata, tensors);
  try {
    for (const tensor of tensors) await writer.write(tensor.name, await tensor.float32());
    await writer.commit();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

/**
 * A GGUF being written. Several can be fed side by side, so that weights are merged once for all types of an export.
 * Tensors must come in the order of the table; end with `commit` or `abort`.
 */
export class GgufWriter {
  readonly #file: AtomicFile;
  readonly #remaining: GgufTensor[];
  readonly #alignment: number;

  private constructor(file: AtomicFile, tensors: readonly GgufTensor[], alignment: number) {
    this.#file = file;
    this.#remaining = [...tensors];
    this.#alignment = alignment;
  }

  /** Writes header, metadata and tensor table. */
  static async create(path: string, metadata: GgufMetadata, tensors: readonly GgufTensor[]): Promise<GgufWriter> {
    for (const tensor of tensors) checkTensor(tensor, path);
    const alignment = metadataNumber(metadata, 'general.alignment', path) ?? DEFAULT_ALIGNMENT;
    const header = encodeHeader(metadata, tensors, alignment);
    const file = await AtomicFile.create(path);
    const writer = new GgufWriter(file, tensors, alignment);
    try {
      await writer.#writeAligned(header);
    } catch (error) {
      await file.abort();
      throw error;
    }
    return writer;
  }

  /** @param weights float32, row-major, as many as the shape says */
  async write(name: string, weights: Float32Array): Promise<void> {
    const tensor = this.#remaining.shift();
    if (tensor?.name !== name) throw new Error(`${name} written where ${tensor?.name ?? 'nothing'} is due`);
    if (weights.length !== elementCount(tensor.shape)) {
      throw new Error(`${name}: ${weights.length} weights for shape [${tensor.shape}]`);
    }
    await this.#writeAligned(encodeTensor(weights, tensor, `${this.#file.path}: tensor ${name}`));
  }

  async commit(): Promise<void> {
    if (this.#remaining.length > 0) throw new Error(`${this.#remaining[0]?.name} has not been written`);
    await this.#file.commit();
  }

  async abort(): Promise<void> {
    await this.#file.abort();
  }

  async #writeAligned(bytes: Uint8Array): Promise<void> {
    await this.#file.write(bytes);
    const padding = alignUp(this.#file.position, this.#alignment) - this.#file.position;
    if (padding > 0) await this.#file.write(new Uint8Array(padding));
  }
}

function encodeHeader(metadata: GgufMetadata, tensors: readonly GgufTensor[], alignment: number): Uint8Array {
  const out = new ByteWriter();
  out.uint32(GGUF_MAGIC);
  out.uint32(3);
  out.uint64(tensors.length);
  out.uint64(metadata.size);
  for (const [key, value] of metadata) {
    out.string(key);
    out.typedValue(value);
  }
  let offset = 0;
  for (const tensor of tensors) {
    out.string(tensor.name);
    out.uint32(tensor.shape.length);
    for (const dimension of tensor.shape.toReversed()) out.uint64(dimension);
    out.uint32(ggmlTypeNumber(tensor.type));
    out.uint64(offset);
    const unit = unitOf(tensor.type);
    offset = alignUp(offset + (elementCount(tensor.shape) / unit.length) * unit.bytes, alignment);
  }
  return out.finish();
}

function encodeTensor(weights: Float32Array, { type }: GgufTensor, where: string): Uint8Array {
  checkRepresentable(weights, LARGEST_WEIGHT[type], type, where);
  switch (type) {
    case 'F32':
      return new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength);
    case 'F16':
      return new Uint8Array(float32ToFloat16(weights).buffer);
    case 'BF16':
      return new Uint8Array(float32ToBfloat16(weights).buffer);
    default: {
      const format = WRITABLE_BLOCK_FORMATS[type];
      const bytes = new Uint8Array((weights.length / format.length) * format.bytes);
      format.encode(weights, bytes);
      return bytes;
    }
  }
}

function checkTensor({ name, shape, type }: GgufTensor, path: string): void {
  const rowLength = shape.at(-1) ?? 1;
  const { length } = unitOf(type);
  if (rowLength % length === 0) return;
  throw new UserError({
    what: `rows of ${rowLength} weights cannot be stored as ${type}, which takes ${length} at a time`,
    where: `${path}: tensor ${name}`,
    next: 'export as f16 or bf16',
    code: 'gguf_row_not_whole_blocks',
  });
}

function alignUp(position: number, alignment: number): number {
  return Math.ceil(position / alignment) * alignment;
}
