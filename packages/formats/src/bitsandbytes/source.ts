import { UserError } from '../errors.ts';
import { parseJsonObject } from '../json.ts';
import { elementCount, type TensorInfo, type TensorSource } from '../tensor.ts';
import { absmaxMap, decodeNf4, NF4_BLOCK, NF4_SCALE_BLOCK, NF4_VALUES, type Nf4Form, type StoredNf4 } from './nf4.ts';

const STATE = '.quant_state.bitsandbytes__nf4';
const PARTS = ['.absmax', '.quant_map', '.nested_absmax', '.nested_quant_map'];

export interface BitsandbytesSource extends TensorSource {
  /** Of tensors whose dtype is NF4; `double` where the absmaxes are quantized themselves. */
  nf4Form(name: string): Nf4Form;
  nf4(name: string): StoredNf4;
}

/**
 * The tensors of a checkpoint in which bitsandbytes' 4-bit matrices are one tensor each, of type NF4 and with the shape that
 * they decode to; everything else is as in `source`, which it closes.
 * @throws UserError for parts that are missing or do not belong together, and for other quantizations of bitsandbytes
 */
export function openBitsandbytes(source: TensorSource): BitsandbytesSource {
  const tensors = new Map<string, TensorInfo>();
  const states = new Map<string, State>();
  for (const [name, info] of source.tensors) {
    const other = /\.quant_state\.bitsandbytes__(?!nf4$)|\.(SCB|weight_format)$/.exec(name);
    if (other)
      throw problem(source, name, 'it is quantized by bitsandbytes in another way than NF4', 'use the NF4 checkpoint');
    if (name.endsWith(STATE)) {
      const weight = name.slice(0, -STATE.length);
      states.set(weight, readState(source, weight));
    } else {
      tensors.set(name, info);
    }
  }
  for (const [name, { shape }] of states) {
    for (const part of PARTS) tensors.delete(name + part);
    tensors.set(name, { name, shape, dtype: 'NF4', byteLength: elementCount(shape) / 2 });
  }
  const stateOf = (name: string): State => {
    const state = states.get(name);
    if (!state) throw new Error(`${name} is not stored in NF4`);
    return state;
  };
  const nf4 = (name: string): StoredNf4 => readNf4(source, name, stateOf(name));
  return {
    path: source.path,
    tensors,
    nf4,
    nf4Form: (name) => (stateOf(name).offset === null ? 'single' : 'double'),
    bytes: (name, rows) => source.bytes(name, rows),
    float32: (name, rows) => {
      const state = states.get(name);
      if (!state) return source.float32(name, rows);
      const [count = 0, columns = 0] = state.shape;
      const { first, count: wanted } = rows ?? { first: 0, count };
      return decodeNf4(nf4(name), first * columns, wanted * columns);
    },
    place: (name) => source.place(name),
    close: () => source.close(),
  };
}

interface State {
  readonly shape: readonly [number, number];
  /** Of absmaxes in 8 bits. */
  readonly offset: number | null;
}

function readState(source: TensorSource, name: string): State {
  const where = `${source.path}: ${name}${STATE}`;
  const state = parseJsonObject(source.bytes(name + STATE), where);
  const { shape, blocksize, nested_blocksize, nested_offset = null } = state;
  const extents = Array.isArray(shape) ? shape.map(Number) : [];
  const count = elementCount(extents);
  const isMatrix = extents.length === 2 && extents.every((n) => Number.isSafeInteger(n) && n > 0) && count % 2 === 0;
  const isNested = typeof nested_offset === 'number' && Number.isFinite(nested_offset);
  if (!isMatrix) throw problem(source, name, `its shape ${JSON.stringify(shape)} is not that of a matrix`, AGAIN);
  if (blocksize !== NF4_BLOCK || (isNested && nested_blocksize !== NF4_SCALE_BLOCK))
    throw problem(
      source,
      name,
      `its blocks are of ${blocksize} weights, not ${NF4_BLOCK}`,
      'quantize it with the usual sizes',
    );
  const blocks = Math.ceil(count / NF4_BLOCK);
  const part = (suffix: string, dtype: string, elements: number): void => {
    const info = source.tensors.get(name + suffix);
    if (info?.dtype !== dtype || elementCount(info.shape) !== elements)
      throw problem(source, name, `${name}${suffix} is not ${elements} values of ${dtype}`, AGAIN);
  };
  part('', 'U8', count / 2);
  part('.absmax', isNested ? 'U8' : 'F32', blocks);
  part('.quant_map', 'F32', 16);
  compare(source, name, '.quant_map', NF4_VALUES);
  if (isNested) {
    part('.nested_absmax', 'F32', Math.ceil(blocks / NF4_SCALE_BLOCK));
    part('.nested_quant_map', 'F32', 256);
    compare(source, name, '.nested_quant_map', absmaxMap());
  }
  return { shape: extents as [number, number], offset: isNested ? Math.fround(nested_offset) : null };
}

/** The maps are the same in every checkpoint; kernels know them. */
function compare(source: TensorSource, name: string, suffix: string, expected: Float32Array): void {
  const found = source.float32(name + suffix);
  if (found.some((value, i) => value !== expected[i]))
    throw problem(source, name, `${name}${suffix} is not the usual table`, 'quantize it with bitsandbytes again');
}

function readNf4(source: TensorSource, name: string, { offset }: State): StoredNf4 {
  const codes = source.bytes(name);
  const scales = source.float32(offset === null ? `${name}.absmax` : `${name}.nested_absmax`);
  // An absmax is at most as large as its scale, plus the offset.
  const bad = scales.findIndex((scale) => !Number.isFinite(Math.fround(Math.abs(scale) + Math.abs(offset ?? 0))));
  if (bad >= 0) throw problem(source, name, `the scale of block ${bad} is not a finite number`, AGAIN);
  if (offset === null) return { codes, absmax: scales, double: null };
  return { codes, absmax: source.bytes(`${name}.absmax`), double: { scales, offset } };
}

const AGAIN = 'the file is damaged: download the model again';

function problem(source: TensorSource, name: string, what: string, next: string): UserError {
  return new UserError({ what: `${name}: ${what}`, where: source.path, next, code: 'nf4_unreadable' });
}
