import type { RowRange } from '@anneal/formats/tensor';
import type { ModelConfig } from './config.ts';
import { fromLayout, type MatrixLayout, toLayout } from './expertLayout.ts';
import type { ModelTensor } from './model.ts';
import { findName, type NameTable, type PartsOfOne, type TensorName } from './names.ts';

/** A tensor of a file, and the rows of one of ours that it holds, in its order. */
export interface StoredTensor {
  readonly name: string;
  /** As in the file: several matrices of equal shape may be one tensor of three extents. */
  readonly shape: readonly number[];
  /** Of our tensor. */
  readonly rows: readonly RowRange[];
  /** Rows of zeros behind them. */
  readonly padding?: number;
  /** Of our columns, in its order, where that is another. */
  readonly columns?: readonly RowRange[];
  /** Of several matrices that are several of ours the one that holds them. */
  readonly matrix?: number;
  /** Of the matrix in each of these ranges, where it is not as we have it. */
  readonly layout?: MatrixLayout;
}

export type Format = 'huggingFace' | 'gguf';

export type Ours = Pick<ModelTensor, 'name' | 'shape'>;

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

export function withoutOnes(shape: readonly number[]): number[] {
  return shape.filter((extent) => extent !== 1);
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

/** One range is all columns in their order. */
function columnsInTurns(columns: NonNullable<StoredTensor['columns']>): Pick<StoredTensor, 'columns'> {
  return columns.length > 1 ? { columns } : {};
}

function partsOfOne(how: PartsOfOne, config: ModelConfig, { shape }: Ours, parts: readonly string[]): StoredTensor[] {
  if (how === 'latent heads') return latentHeads(config, parts);
  const [rows = 1, ...row] = shape;
  const [only = ''] = parts;
  const all = [{ first: 0, count: rows }];
  if (how === 'value heads in rows')
    return [{ name: only, shape: shape.length === 3 ? withoutOnes(shape) : shape, rows: valueHeads(config, rows) }];
  if (how === 'value heads in columns')
    return [{ name: only, shape, rows: all, ...columnsInTurns(valueHeads(config, row[0] ?? 1)) }];
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

/** In the order of files: the first value head of every key head, then the second. */
function valueHeads({ gatedDelta }: ModelConfig, extent: number): RowRange[] {
  if (!gatedDelta) throw new Error('value heads without a gated delta rule');
  const { keyHeads, valueHeads: heads, valueSize } = gatedDelta;
  const count = extent === heads ? 1 : valueSize;
  const before = extent - heads * count;
  const each = heads / keyHeads;
  if (each === 1) return [{ first: 0, count: extent }];
  return [
    ...(before > 0 ? [{ first: 0, count: before }] : []),
    ...Array.from({ length: heads }, (_, i) => {
      const head = (i % keyHeads) * each + Math.floor(i / keyHeads);
      return { first: before + head * count, count };
    }),
  ];
}

/** How many matrices by themselves a tensor holds. */
export function matrixCount({ shape, rows }: StoredTensor): number {
  return shape.length === 3 ? rows.length : 1;
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

export function concatenated<Values extends Uint8Array | Float32Array>(parts: readonly Values[]): Values {
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
