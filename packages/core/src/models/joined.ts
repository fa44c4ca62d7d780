import { elementCount, type RowRange, type TensorInfo, type TensorSource } from '@anneal/formats/tensor';
import { UserError } from '../errors.ts';
import { inOurColumns } from './columnOrder.ts';
import type { ModelConfig } from './config.ts';
import { fromLayout, type MatrixLayout } from './expertLayout.ts';
import { findName, type NameTable } from './names.ts';
import {
  concatenated,
  type Format,
  type Ours,
  type StoredTensor,
  storedTensors,
  wholeTensor,
  withoutOnes,
} from './stored.ts';
import { expectedTensors } from './tensors.ts';

/** Rows of one of our tensors, and where they lie in a file. */
interface Piece {
  readonly rows: RowRange;
  /** Of our tensor; 1 of a vector. */
  readonly columns: number;
  readonly info: TensorInfo;
  /** Of the matrix in a tensor that holds those of all experts; null of a tensor that is one matrix. */
  readonly index: number | null;
  /** Of its first row in a tensor that is one matrix. */
  readonly start: number;
  readonly layout: MatrixLayout | undefined;
  readonly order: readonly RowRange[] | undefined;
}

/** What checkTensors and the readers need of a file. */
export type JoinedSource = Pick<TensorSource, 'path' | 'tensors' | 'bytes' | 'float32'> & {
  /** Of a matrix that lies in pieces, and so at no one place: rows that are best read together. Null of others. */
  rowGroup(name: string): number | null;
};

/**
 * A file's tensors in our shapes, and with the matrices of all experts as one matrix each, under the name of the whole, whether the file has them so, as one
 * tensor for each part, or as one for each expert and part.
 * @throws UserError where a part is missing, has another shape, or is held in NF4
 */
export function joinExperts(
  source: TensorSource,
  names: NameTable,
  config: ModelConfig,
  format: Format,
  nameInFile: (name: string) => string = (name) => name,
): JoinedSource {
  const tensors = new Map(source.tensors);
  const joined = new Map<string, readonly Piece[]>();
  for (const [name, shape] of expectedTensors(config)) {
    const found = findName(names, name);
    if (!found) continue;
    const whole = nameInFile(found[format]);
    const ours = { name, shape };
    const held = tensors.get(whole);
    if (held && isStoredWhole(held, ours, format)) tensors.set(whole, { ...held, shape });
    if (!found.parts) continue;
    const isPart = found.parts[format]?.includes(found[format]) ?? false;
    const stored =
      held && !isPart ? [wholeTensor(names, config, ours, format)] : storedTensors(names, config, ours, format);
    if (stored.every((tensor) => isOneOfOurs(tensor, found[format], ours))) continue;
    const pieces = stored.flatMap((tensor) => piecesOf(source, { ...tensor, name: nameInFile(tensor.name) }, ours));
    for (const { info } of pieces) tensors.delete(info.name);
    const dtypes = new Set(pieces.map(dtypeOf));
    const [dtype = 'F32'] = dtypes;
    const byteLength = pieces.reduce((sum, piece) => sum + piece.rows.count * rowBytes(piece), 0);
    tensors.set(whole, { name: whole, shape, dtype: dtypes.size === 1 ? dtype : 'F32', byteLength });
    joined.set(
      whole,
      pieces.toSorted((a, b) => a.rows.first - b.rows.first),
    );
  }
  const wholeOf = (name: string, rows: RowRange | undefined): RowRange =>
    rows ?? { first: 0, count: tensors.get(name)?.shape[0] ?? 0 };
  const float32 = (name: string, rows?: RowRange): Float32Array => {
    const pieces = joined.get(name);
    if (!pieces) return source.float32(name, rows);
    return concatenated(runsOf(pieces, wholeOf(name, rows)).map((run) => float32Of(source, run)));
  };
  return {
    path: source.path,
    tensors,
    rowGroup: (name) => {
      const [piece] = joined.get(name) ?? [];
      if (!piece) return null;
      return piece.index === null ? 1 : piece.rows.count; // a matrix among others is read whole
    },
    float32,
    bytes: (name, rows) => {
      const pieces = joined.get(name);
      if (!pieces) return source.bytes(name, rows);
      if (pieces.some(({ info }) => info.dtype !== tensors.get(name)?.dtype)) {
        const values = float32(name, rows); // gate and up are stored in different types
        return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      }
      return concatenated(runsOf(pieces, wholeOf(name, rows)).map((run) => bytesOf(source, run)));
    },
  };
}

/** What is stored as ours; in GGUF whatever extents of 1 it has, as converters write some vectors as rows. */
function isStoredWhole(stored: TensorInfo | undefined, ours: Ours, format: Format): boolean {
  if (!stored) return false;
  const [theirs, wanted] = [stored.shape, ours.shape].map((s) => (format === 'gguf' ? withoutOnes(s) : s));
  return theirs?.join() === wanted?.join();
}

/** One matrix as ours is, under its own name, perhaps with more rows. */
function isOneOfOurs({ name, shape, rows, columns, layout, matrix }: StoredTensor, own: string, ours: Ours): boolean {
  const isOther = columns || layout || matrix !== undefined || shape.length > ours.shape.length;
  return name === own && rows.length === 1 && !isOther;
}

function piecesOf(source: TensorSource, stored: StoredTensor, ours: Ours): Piece[] {
  const { name, rows } = stored;
  const info = source.tensors.get(name);
  if (!info) throw problem(source, `the tensor ${name} is missing`, 'model_tensor_missing');
  const { shape, layout } = info.dtype === 'MXFP4' ? withRowsOfOutputs(stored) : stored;
  if (info.shape.join() !== shape.join()) {
    const what = `the tensor ${name} has shape [${info.shape}], but the config asks for [${shape}]`;
    throw problem(source, what, 'model_tensor_shape');
  }
  if (info.dtype === 'NF4') {
    throw new UserError({
      what: `the expert ${name} is stored in NF4, which is read of other layers only`,
      where: source.path,
      next: 'use the checkpoint in bf16; adapter: qlora holds its experts in NF4',
      code: 'model_unsupported',
    });
  }
  const isOne = shape.length <= ours.shape.length;
  const columns = elementCount(ours.shape.slice(1));
  const indexOf = (range: number): number | null => (isOne ? null : (stored.matrix ?? range));
  let start = 0;
  return rows.map((range, i) => {
    const piece = { rows: range, columns, info, index: indexOf(i), start, layout, order: stored.columns };
    start += range.count;
    return piece;
  });
}

/** What its rows can be handed out in: blocks of weights can neither be turned nor put in another order. */
function dtypeOf({ info, layout, order }: Piece): TensorInfo['dtype'] {
  return (layout?.transposed || order) && !['F32', 'F16', 'BF16'].includes(info.dtype) ? 'F32' : info.dtype;
}

/** Published checkpoints in MXFP4 have them, as their blocks run along the inputs. */
function withRowsOfOutputs({ layout, ...stored }: StoredTensor): StoredTensor {
  if (!layout) return stored;
  const shape = [stored.rows.length, layout.rows, layout.columns];
  return { ...stored, shape, layout: { ...layout, transposed: false } };
}

/** `count` rows of a piece from its row `from` on. */
interface Run {
  readonly piece: Piece;
  readonly from: number;
  readonly count: number;
}

/** The pieces that hold these rows, cut to them. */
function runsOf(pieces: readonly Piece[], { first, count }: RowRange): Run[] {
  return pieces.flatMap((piece) => {
    const start = Math.max(first, piece.rows.first);
    const end = Math.min(first + count, piece.rows.first + piece.rows.count);
    return end <= start ? [] : [{ piece, from: start - piece.rows.first, count: end - start }];
  });
}

function bytesOf(source: TensorSource, { piece, from, count }: Run): Uint8Array {
  const { info, index, start, layout, order } = piece;
  if (index === null) {
    const stored = source.bytes(info.name, { first: start + from, count });
    return order ? inOurColumns(stored, count, order) : stored;
  }
  const stored = source.bytes(info.name, { first: index, count: 1 });
  const matrix = layout ? fromLayout(stored, layout) : stored;
  const each = rowBytes(piece);
  return matrix.subarray(from * each, (from + count) * each);
}

function float32Of(source: TensorSource, { piece, from, count }: Run): Float32Array {
  const { info, index, start, layout, order, columns } = piece;
  if (index === null) {
    const stored = source.float32(info.name, { first: start + from, count });
    return order ? inOurColumns(stored, count, order) : stored;
  }
  const stored = source.float32(info.name, { first: index, count: 1 });
  const matrix = layout ? fromLayout(stored, layout) : stored;
  return matrix.subarray(from * columns, (from + count) * columns);
}

function rowBytes({ info, columns }: Piece): number {
  return (info.byteLength / elementCount(info.shape)) * columns;
}

function problem(source: TensorSource, what: string, code: string): UserError {
  return new UserError({
    what,
    where: source.path,
    next: 'check that weights and config belong together, or download the model again',
    code,
  });
}
