import { elementCount, type RowRange, type TensorInfo, type TensorSource } from '@anneal/formats/tensor';
import { UserError } from '../errors.ts';
import type { ModelConfig } from './config.ts';
import { fromLayout, type MatrixLayout, toLayout } from './expertLayout.ts';
import type { ModelTensor } from './model.ts';
import { findName, type NameTable, type PartsOfOne, type TensorName } from './names.ts';
import { expectedTensors } from './tensors.ts';

/** A tensor of a file, and the rows of one of ours that it holds, in its order. */
export interface StoredTensor {
  readonly name: string;
  /** As in the file: several matrices of equal shape may be one tensor of three extents. */
  readonly shape: readonly number[];
  /** Of our tensor. */
  readonly rows: readonly RowRange[];
  /** Rows of zeros behind them. */
  readonly padding?: number;
  /** Of several matrices that are several of ours the one that holds them. */
  readonly matrix?: number;
  /** Of the matrix in each of these ranges, where it is not as we have it. */
  readonly layout?: MatrixLayout;
}

type Format = 'huggingFace' | 'gguf';

type Ours = Pick<ModelTensor, 'name' | 'shape'>;

/** One of our tensors as one of a file, as transformers 5 keeps it: the matrices of all experts beside each other. */
export function wholeTensor(names: NameTable, { experts }: ModelConfig, ours: Ours, format: Format): StoredTensor {
  const found = nameOf(names, ours);
  const [rows = 1, ...row] = ours.shape;
  const count = experts?.count ?? 1;
  if (!found.parts || found.parts.ofOne)
    return { name: found[format], shape: storedShape(ours, found, format), rows: [{ first: 0, count: rows }] };
  const each = rows / count;
  const all = Array.from({ length: count }, (_, expert) => ({ first: expert * each, count: each }));
  const stored = { name: found[format], shape: [count, each, ...row], rows: all };
  const layout = format === 'huggingFace' ? found.layout : undefined;
  if (!layout) return stored;
  const shape = layout.transposed ? [count, ...row, each] : stored.shape;
  return { ...stored, shape, layout: { ...layout, rows: each, columns: row[0] ?? 1 } };
}

/** In GGUF a kernel of a convolution lacks its middle extent, which is 1, and some vectors are columns. */
function storedShape({ shape }: Ours, { transform }: TensorName, format: Format): readonly number[] {
  if (format !== 'gguf') return shape;
  if (transform === 'column' || transform === 'negativeExp') return [...shape, 1];
  return shape.length === 3 ? withoutOnes(shape) : shape;
}

function withoutOnes(shape: readonly number[]): number[] {
  return shape.filter((extent) => extent !== 1);
}

/** What is stored as ours; in GGUF whatever extents of 1 it has, as converters write some vectors as rows. */
function isStoredWhole(stored: TensorInfo | undefined, ours: Ours, format: Format): boolean {
  if (!stored) return false;
  const [theirs, wanted] = [stored.shape, ours.shape].map((s) => (format === 'gguf' ? withoutOnes(s) : s));
  return theirs?.join() === wanted?.join();
}

/** The tensors that hold one of ours in files of this format: itself, or the parts of its experts as published files have them. */
export function storedTensors(names: NameTable, config: ModelConfig, ours: Ours, format: Format): StoredTensor[] {
  const { parts: { ofOne, [format]: parts } = {} } = nameOf(names, ours);
  if (!parts) return [wholeTensor(names, config, ours, format)];
  if (ofOne) return partsOfOne(ofOne, config, ours, parts);
  const [rows = 1, ...row] = ours.shape;
  const count = config.experts?.count ?? 1;
  const each = rows / count / parts.length;
  const rowsOf = (expert: number, part: number): RowRange => ({
    first: (expert * parts.length + part) * each,
    count: each,
  });
  const experts = Array.from({ length: count }, (_, expert) => expert);
  if (parts.every((part) => part.includes('#'))) {
    return experts.flatMap((expert) =>
      parts.map((part, i) => ({
        name: part.replace('#', String(expert)),
        shape: [each, ...row],
        rows: [rowsOf(expert, i)],
      })),
    );
  }
  return parts.map((name, i) => ({
    name,
    shape: [count, each, ...row],
    rows: experts.map((expert) => rowsOf(expert, i)),
  }));
}

function partsOfOne(how: PartsOfOne, config: ModelConfig, { shape }: Ours, parts: readonly string[]): StoredTensor[] {
  if (how === 'latent heads') return latentHeads(config, parts);
  const [rows = 1, ...row] = shape;
  const [only = ''] = parts;
  const all = [{ first: 0, count: rows }];
  if (how === 'padded')
    return [{ name: only, shape: [config.vocabSize, ...row], rows: all, padding: config.vocabSize - rows }];
  if (how !== 'rows') return [{ name: only, shape: [how.count, ...shape], rows: all, matrix: how.index }];
  const count = rows / parts.length;
  return parts.map((name, i) => ({ name, shape: [count, ...row], rows: [{ first: i * count, count }] }));
}

/** Of each head's rows of DeepSeek's kv_b the keys, turned, and the values: llama.cpp multiplies queries by the first. */
function latentHeads(
  { headCount, headSize, rotarySize, latentAttention }: ModelConfig,
  [keys = '', values = '']: readonly string[],
): StoredTensor[] {
  if (!latentAttention) throw new Error('heads of latent attention without their ranks');
  const { kvRank, valueSize } = latentAttention;
  const keySize = headSize - rotarySize;
  const rowsOf = (from: number, count: number): RowRange[] =>
    Array.from({ length: headCount }, (_, head) => ({ first: head * (keySize + valueSize) + from, count }));
  const layout = { transposed: true, interleaved: false, rows: keySize, columns: kvRank };
  return [
    { name: keys, shape: [headCount, kvRank, keySize], rows: rowsOf(0, keySize), layout },
    { name: values, shape: [headCount, valueSize, kvRank], rows: rowsOf(keySize, valueSize) },
  ];
}

function nameOf(names: NameTable, { name }: Ours): TensorName {
  const found = findName(names, name);
  if (!found) throw new Error(`${name} has no name in files`);
  return found;
}

/** All rows of ours, float32 or bytes aligned for any view, as `stored`, which holds all of them, has them. */
export function inFileOrder<V extends Uint8Array | Float32Array>(ours: V, stored: StoredTensor): V {
  return matrixByMatrix(ours, stored, toLayout);
}

/** The reverse. */
export function inOurOrder<V extends Uint8Array | Float32Array>(values: V, stored: StoredTensor): V {
  return matrixByMatrix(values, stored, fromLayout);
}

function matrixByMatrix<V extends Uint8Array | Float32Array>(
  values: V,
  { rows, layout }: StoredTensor,
  move: (matrix: V, layout: MatrixLayout) => V,
): V {
  if (!layout) return values;
  const each = values.length / rows.length;
  return concatenated(rows.map((_, i) => move(values.subarray(i * each, (i + 1) * each) as V, layout)));
}

/** Rows of one of our tensors, and where they lie in a file. */
interface Piece {
  readonly rows: RowRange;
  /** Of our tensor; 1 of a vector. */
  readonly columns: number;
  readonly info: TensorInfo;
  /** Of the matrix in a tensor that holds those of all experts; null of a tensor that is one matrix. */
  readonly index: number | null;
  readonly layout: MatrixLayout | undefined;
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
    if (!found.parts || found.parts.ofOne === 'padded' || (found.parts.ofOne && held)) continue;
    const stored = source.tensors.has(whole)
      ? [wholeTensor(names, config, ours, format)]
      : storedTensors(names, config, ours, format);
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
  const isOne = shape.length === ours.shape.length;
  const columns = ours.shape[1] ?? 1;
  const indexOf = (range: number): number | null => (isOne ? null : (stored.matrix ?? range));
  return rows.map((range, i) => ({ rows: range, columns, info, index: indexOf(i), layout }));
}

/** What its rows can be handed out in: blocks of weights cannot be turned. */
function dtypeOf({ info, layout }: Piece): TensorInfo['dtype'] {
  return layout?.transposed && !['F32', 'F16', 'BF16'].includes(info.dtype) ? 'F32' : info.dtype;
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
  const { info, index, layout } = piece;
  if (index === null) return source.bytes(info.name, { first: from, count });
  const stored = source.bytes(info.name, { first: index, count: 1 });
  const matrix = layout ? fromLayout(stored, layout) : stored;
  const each = rowBytes(piece);
  return matrix.subarray(from * each, (from + count) * each);
}

function float32Of(source: TensorSource, { piece, from, count }: Run): Float32Array {
  const { info, index, layout, columns } = piece;
  if (index === null) return source.float32(info.name, { first: from, count });
  const stored = source.float32(info.name, { first: index, count: 1 });
  const matrix = layout ? fromLayout(stored, layout) : stored;
  return matrix.subarray(from * columns, (from + count) * columns);
}

function rowBytes({ info, columns }: Piece): number {
  return (info.byteLength / elementCount(info.shape)) * columns;
}

function concatenated<Values extends Uint8Array | Float32Array>(parts: readonly Values[]): Values {
  const [first] = parts;
  if (!first) throw new Error('no rows of experts were asked for');
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const all = new (first.constructor as new (length: number) => Values)(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function problem(source: TensorSource, what: string, code: string): UserError {
  return new UserError({
    what,
    where: source.path,
    next: 'check that weights and config belong together, or download the model again',
    code,
  });
}
