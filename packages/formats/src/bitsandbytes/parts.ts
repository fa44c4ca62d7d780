import type { TensorShape } from '../safetensors/write.ts';
import { elementCount } from '../tensor.ts';
import { absmaxMap, NF4_BLOCK, NF4_SCALE_BLOCK, NF4_VALUES, type Nf4Form, type StoredNf4 } from './nf4.ts';

/** One of the tensors that a matrix in NF4 is in a checkpoint of bitsandbytes. */
export interface Nf4Part extends TensorShape {
  /** Of a matrix of this part's shape and form. */
  bytes(values: StoredNf4): Uint8Array;
}

/** Room for any float32 in JSON: its length has to be known before its value. JSON may end in spaces. */
const OFFSET_CHARACTERS = 25;

/**
 * The tensors that hold the matrix `name`, [N, K] with an even number of weights, as bitsandbytes saves it.
 * @param dtype what it is decoded to, by its name in PyTorch
 */
export function nf4Parts(
  { name, shape }: Pick<TensorShape, 'name' | 'shape'>,
  form: Nf4Form,
  dtype: string,
): Nf4Part[] {
  const count = elementCount(shape);
  const blocks = Math.ceil(count / NF4_BLOCK);
  const isDouble = form === 'double';
  const stateOf = (values: StoredNf4 | null): Uint8Array => {
    const nested = {
      nested_blocksize: NF4_SCALE_BLOCK,
      nested_dtype: 'float32',
      nested_offset: values?.double?.offset,
    };
    const plain = { quant_type: 'nf4', blocksize: NF4_BLOCK, dtype, shape };
    if (!isDouble) return Buffer.from(JSON.stringify(plain));
    const most = JSON.stringify({ ...plain, ...nested, nested_offset: 0 }).length - 1 + OFFSET_CHARACTERS;
    return Buffer.from(JSON.stringify({ ...plain, ...nested }).padEnd(most));
  };
  const floats = (suffix: string, length: number, valuesOf: (values: StoredNf4) => Float32Array): Nf4Part => ({
    name: name + suffix,
    dtype: 'F32',
    shape: [length],
    bytes: (values) => bytesOf(valuesOf(values)),
  });
  const parts: Nf4Part[] = [
    { name, dtype: 'U8', shape: [count / 2, 1], bytes: ({ codes }) => codes },
    { name: `${name}.absmax`, dtype: isDouble ? 'U8' : 'F32', shape: [blocks], bytes: ({ absmax }) => bytesOf(absmax) },
    floats('.quant_map', NF4_VALUES.length, () => NF4_VALUES),
    ...(isDouble
      ? [
          floats(
            '.nested_absmax',
            Math.ceil(blocks / NF4_SCALE_BLOCK),
            ({ double }) => double?.scales ?? new Float32Array(),
          ),
          floats('.nested_quant_map', 256, absmaxMap),
        ]
      : []),
    { name: `${name}.quant_state.bitsandbytes__nf4`, dtype: 'U8', shape: [stateOf(null).length], bytes: stateOf },
  ];
  // transformers 4 looks for the others in the file that has the codes.
  return parts.map((part) => ({ ...part, unit: name }));
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
