import { RandomAccessFile } from '../files/randomAccess.ts';
import type { FilePlace, RowRange, TensorSource } from '../tensor.ts';
import { elementCount } from '../tensor.ts';
import { decodeFloat32, findTensor, readRows } from '../tensorAccess.ts';
import type { GgufHeader, GgufInfo } from './header.ts';
import { readHeader } from './header.ts';
import type { GgufMetadata } from './metadata.ts';
import { BLOCK_FORMATS } from './quants/index.ts';
import { isBlockType } from './tensorTypes.ts';

/**
 * Opens a GGUF file of version 2 or 3. Reads and checks metadata and tensor table only.
 * @throws UserError when the file is missing, malformed, split, or holds a tensor type that cannot be decoded
 */
export function openGguf(path: string): GgufSource {
  const file = new RandomAccessFile(path);
  try {
    return new GgufSource(file, readHeader(file));
  } catch (error) {
    file.close();
    throw error;
  }
}

export class GgufSource implements TensorSource {
  readonly path: string;
  readonly version: 2 | 3;
  readonly metadata: GgufMetadata;
  readonly tensors: ReadonlyMap<string, GgufInfo>;
  readonly #file: RandomAccessFile;

  constructor(file: RandomAccessFile, header: GgufHeader) {
    this.path = file.path;
    this.version = header.version;
    this.metadata = header.metadata;
    this.tensors = header.tensors;
    this.#file = file;
  }

  bytes(name: string, rows?: RowRange): Uint8Array<ArrayBuffer> {
    return readRows(this.#file, findTensor(this.tensors, name, this.path), rows);
  }

  float32(name: string, rows?: RowRange): Float32Array {
    const { dtype, shape } = findTensor(this.tensors, name, this.path);
    const bytes = this.bytes(name, rows);
    if (!isBlockType(dtype)) return decodeFloat32(bytes, dtype, `${this.path}: tensor ${JSON.stringify(name)}`);
    const weights = new Float32Array(elementCount(rows ? [rows.count, ...shape.slice(1)] : shape));
    BLOCK_FORMATS[dtype].decode(bytes, weights);
    bytes.buffer.transfer(0); // frees them now: the collector lets tens of megabytes gather
    return weights;
  }

  place(name: string): FilePlace {
    const { position } = findTensor(this.tensors, name, this.path);
    return { descriptor: this.#file.descriptor, position };
  }

  close(): void {
    this.#file.close();
  }
}
