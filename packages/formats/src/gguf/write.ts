import { UserError } from '../errors.ts';
import { AtomicFile } from '../files/atomicWrite.ts';
import { elementCount } from '../tensor.ts';
import { ByteWriter } from './byteWriter.ts';
import { DEFAULT_ALIGNMENT, GGUF_MAGIC } from './header.ts';
import type { GgufMetadata } from './metadata.ts';
import { metadataNumber } from './metadata.ts';
import { type GgmlType, ggmlTypeNumber, unitOf } from './tensorTypes.ts';

export interface GgufTensor {
  readonly name: string;
  /** Row-major, outermost first. */
  readonly shape: readonly number[];
  readonly type: GgmlType;
}

export interface GgufTensorToWrite extends GgufTensor {
  /** In its type; asked for once, when it is this tensor's turn, and not kept. */
  readonly bytes: () => Uint8Array | Promise<Uint8Array>;
}

/** Writes a GGUF of version 3, tensors one at a time; it appears under its name only when it is complete. */
export async function writeGguf(
  path: string,
  metadata: GgufMetadata,
  tensors: readonly GgufTensorToWrite[],
): Promise<void> {
  const writer = await GgufWriter.create(path, metadata, tensors);
  try {
    for (const tensor of tensors) await writer.write(tensor.name, await tensor.bytes());
    await writer.commit();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

/** The size of the file that `writeGguf` makes of these. */
export function ggufBytes(metadata: GgufMetadata, tensors: readonly GgufTensor[], path: string): number {
  const alignment = alignmentOf(metadata, path);
  const header = alignUp(encodeHeader(metadata, tensors, alignment).length, alignment);
  return tensors.reduce((sum, tensor) => sum + alignUp(tensorBytes(tensor), alignment), header);
}

/**
 * A GGUF being written. Several can be fed side by side, so that weights are merged once for all types of an export.
 * Tensors must come in the order of the table; end with `commit` or `abort`.
 */
export class GgufWriter {
  readonly #file: AtomicFile;
  readonly #remaining: GgufTensor[];
  readonly #alignment: number;
  /** Bytes written of the first remaining tensor. */
  #written = 0;

  private constructor(file: AtomicFile, tensors: readonly GgufTensor[], alignment: number) {
    this.#file = file;
    this.#remaining = [...tensors];
    this.#alignment = alignment;
  }

  /** Writes header, metadata and tensor table. */
  static async create(path: string, metadata: GgufMetadata, tensors: readonly GgufTensor[]): Promise<GgufWriter> {
    for (const tensor of tensors) checkTensor(tensor, path);
    const alignment = alignmentOf(metadata, path);
    const header = encodeHeader(metadata, tensors, alignment);
    const file = await AtomicFile.create(path);
    const writer = new GgufWriter(file, tensors, alignment);
    try {
      await file.write(header);
      await writer.#align();
    } catch (error) {
      await file.abort();
      throw error;
    }
    return writer;
  }

  /** @param bytes of the tensor, in its type; all of it, or its rows in several calls */
  async write(name: string, bytes: Uint8Array): Promise<void> {
    const tensor = this.#remaining[0];
    if (tensor?.name !== name) throw new Error(`${name} written where ${tensor?.name ?? 'nothing'} is due`);
    const length = tensorBytes(tensor);
    this.#written += bytes.length;
    if (this.#written > length) throw new Error(`${name}: ${this.#written} bytes of ${length}`);
    await this.#file.write(bytes);
    if (this.#written < length) return;
    this.#remaining.shift();
    this.#written = 0;
    await this.#align();
  }

  async commit(): Promise<void> {
    if (this.#remaining.length > 0) throw new Error(`${this.#remaining[0]?.name} has not been written`);
    await this.#file.commit();
  }

  async abort(): Promise<void> {
    await this.#file.abort();
  }

  async #align(): Promise<void> {
    const padding = alignUp(this.#file.position, this.#alignment) - this.#file.position;
    if (padding > 0) await this.#file.write(new Uint8Array(padding));
  }
}

function alignmentOf(metadata: GgufMetadata, path: string): number {
  return metadataNumber(metadata, 'general.alignment', path) ?? DEFAULT_ALIGNMENT;
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
    offset = alignUp(offset + tensorBytes(tensor), alignment);
  }
  return out.finish();
}

function tensorBytes({ shape, type }: GgufTensor): number {
  const unit = unitOf(type);
  return (elementCount(shape) / unit.length) * unit.bytes;
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
