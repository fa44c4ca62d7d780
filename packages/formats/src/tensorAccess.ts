import { UserError } from './errors.ts';
import type { RandomAccessFile } from './files/randomAccess.ts';
import { bfloat16ToFloat32 } from './float16.ts';
import type { DType, RowRange, TensorInfo } from './tensor.ts';

/** What the readers of all formats share. */

export function findTensor<Info extends TensorInfo>(
  tensors: ReadonlyMap<string, Info>,
  name: string,
  path: string,
): Info {
  const info = tensors.get(name);
  if (info !== undefined) return info;
  throw new UserError({
    what: `there is no tensor ${JSON.stringify(name)}`,
    where: path,
    next: 'check that the checkpoint is complete and of the architecture its config.json names',
    code: 'tensor_not_found',
  });
}

/** The stored bytes of a tensor, or of some of its rows. In every format rows are consecutive and whole bytes. */
export function readRows(
  file: RandomAccessFile,
  { name, shape, position, byteLength }: TensorInfo & { position: number },
  rows: RowRange | undefined,
): Uint8Array<ArrayBuffer> {
  if (!rows) return file.read(position, byteLength);
  const rowCount = shape[0] ?? 1;
  const start = (rows.first * byteLength) / rowCount;
  const length = (rows.count * byteLength) / rowCount;
  const inside = rows.first >= 0 && rows.count >= 0 && rows.first + rows.count <= rowCount;
  if (!inside || !Number.isInteger(start) || !Number.isInteger(length)) {
    throw new RangeError(`${name}: no rows ${rows.first} to ${rows.first + rows.count} of ${rowCount}`);
  }
  return file.read(position + start, length);
}

/** @param bytes little-endian, from a buffer start aligned for the type; the result shares it where the type is F32 */
export function decodeFloat32(bytes: Uint8Array, dtype: DType, where: string): Float32Array {
  const { buffer, byteOffset, byteLength } = bytes;
  switch (dtype) {
    case 'F32':
      return new Float32Array(buffer, byteOffset, byteLength / 4);
    case 'F16':
      return new Float32Array(new Float16Array(buffer, byteOffset, byteLength / 2));
    case 'BF16':
      return bfloat16ToFloat32(new Uint16Array(buffer, byteOffset, byteLength / 2));
    case 'F64':
      return Float32Array.from(new Float64Array(buffer, byteOffset, byteLength / 8));
    default:
      throw new UserError({
        what: `it holds ${dtype}, where floating-point numbers are needed`,
        where,
        next: 'use a checkpoint in F32, F16 or BF16',
        code: 'tensor_not_floating',
      });
  }
}
