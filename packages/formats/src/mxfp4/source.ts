import { UserError } from '../errors.ts';
import { elementCount, type RowRange, type TensorInfo, type TensorSource } from '../tensor.ts';
import { decodeMxfp4, MXFP4_BLOCK } from './mxfp4.ts';

const [BLOCKS, SCALES] = ['_blocks', '_scales'];

/**
 * The tensors of a checkpoint in which `X_blocks`, U8 [..., G, 16], and `X_scales`, U8 [..., G], are one tensor X of type MXFP4 and of the
 * shape that they decode to, [..., 32 · G]; everything else is as in `source`, which it closes.
 * @throws UserError for parts that are missing or do not belong together
 */
export function openMxfp4(source: TensorSource): TensorSource {
  const tensors = new Map(source.tensors);
  const decoded = new Map<string, TensorInfo>();
  for (const [name, { shape }] of source.tensors) {
    if (!name.endsWith(SCALES)) continue;
    const whole = name.slice(0, -SCALES.length);
    const blocks = source.tensors.get(whole + BLOCKS);
    if (!blocks) throw problem(source, `${whole}${BLOCKS} is missing, whose scales are there`);
    check(source, whole, blocks);
    tensors.delete(whole + BLOCKS);
    tensors.delete(name);
    const columns = (shape.at(-1) ?? 0) * MXFP4_BLOCK;
    const info = { name: whole, shape: [...shape.slice(0, -1), columns], dtype: 'MXFP4' } as const;
    decoded.set(whole, { ...info, byteLength: (elementCount(info.shape) / MXFP4_BLOCK) * (MXFP4_BLOCK / 2 + 1) });
  }
  for (const [name, info] of decoded) tensors.set(name, info);
  const orphan = [...tensors.keys()].find((name) => name.endsWith(BLOCKS));
  if (orphan !== undefined) throw problem(source, `${orphan} has no scales`);
  return {
    path: source.path,
    tensors,
    bytes: (name, rows) => source.bytes(name, rows),
    float32: (name, rows) => {
      const info = decoded.get(name);
      return info ? decode(source, info, rows) : source.float32(name, rows);
    },
    place: (name) => source.place(name),
    close: () => source.close(),
  };
}

function decode(source: TensorSource, { name, shape }: TensorInfo, rows?: RowRange): Float32Array {
  const [count = 0, ...row] = shape;
  const target = new Float32Array((rows?.count ?? count) * elementCount(row));
  decodeMxfp4(source.bytes(name + BLOCKS, rows), source.bytes(name + SCALES, rows), target);
  return target;
}

function check(source: TensorSource, name: string, blocks: TensorInfo): void {
  const scales = source.tensors.get(name + SCALES);
  const expected = [...(scales?.shape ?? []), MXFP4_BLOCK / 2];
  if (
    scales?.dtype !== 'U8' ||
    blocks.dtype !== 'U8' ||
    expected.length < 3 ||
    blocks.shape.join() !== expected.join()
  ) {
    const [of, by] = [blocks, scales].map((info) => `${info?.dtype} [${info?.shape}]`);
    throw problem(source, `${name}${BLOCKS} is ${of} and its scales are ${by}, which are no blocks of MXFP4`);
  }
}

function problem(source: TensorSource, what: string): UserError {
  return new UserError({
    what,
    where: source.path,
    next: 'the file is damaged, or its weights are stored otherwise: download the model again, or take it in bf16',
    code: 'mxfp4_unreadable',
  });
}
