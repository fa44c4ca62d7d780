import { UserError } from '../errors.ts';
import type { BlockType, DType } from '../tensor.ts';
import { ELEMENT_BYTES } from '../tensor.ts';
import { BLOCK_FORMATS } from './quants/index.ts';

/** ggml_type: the number in the file ↔ our name. */
const TYPE_NUMBERS = {
  F32: 0,
  F16: 1,
  Q4_0: 2,
  Q4_1: 3,
  Q5_0: 6,
  Q5_1: 7,
  Q8_0: 8,
  Q2_K: 10,
  Q3_K: 11,
  Q4_K: 12,
  Q5_K: 13,
  Q6_K: 14,
  IQ3_XXS: 18,
  IQ4_NL: 20,
  IQ3_S: 21,
  IQ4_XS: 23,
  I8: 24,
  I16: 25,
  I32: 26,
  I64: 27,
  F64: 28,
  BF16: 30,
  MXFP4: 39,
} as const satisfies Partial<Record<DType | BlockType, number>>;

export type GgmlType = keyof typeof TYPE_NUMBERS;

/** Types that other programs write and this one cannot read, to name them in the error. */
const UNREADABLE: Readonly<Record<number, string>> = {
  9: 'Q8_1',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  19: 'IQ1_S',
  22: 'IQ2_S',
  29: 'IQ1_M',
  34: 'TQ1_0',
  35: 'TQ2_0',
  40: 'NVFP4',
  41: 'Q1_0',
  42: 'Q2_0',
};

const TYPE_NAMES = new Map(Object.entries(TYPE_NUMBERS).map(([name, number]) => [number as number, name as GgmlType]));

export function ggmlTypeName(number: number, where: string): GgmlType {
  const name = TYPE_NAMES.get(number);
  if (name === undefined) {
    const known = UNREADABLE[number];
    const readable = `F32 F16 BF16 ${Object.keys(BLOCK_FORMATS).join(' ')}`;
    throw new UserError({
      what: `the tensor is stored as ${known ?? `type ${number}`}, which Anneal does not ${known ? 'read' : 'know'}`,
      where,
      next: known
        ? `take a GGUF of this model in one of ${readable}, or its Hugging Face folder`
        : 'the file is damaged, or its type is newer than this Anneal: fetch it again, or take the Hugging Face folder of the model',
      code: 'gguf_type_unsupported',
    });
  }
  return name;
}

export function ggmlTypeNumber(type: GgmlType): number {
  return TYPE_NUMBERS[type];
}

export function isBlockType(type: DType | BlockType): type is BlockType {
  return Object.hasOwn(BLOCK_FORMATS, type);
}

/** Weights and bytes of the smallest unit of a type: one element, or one block. */
export function unitOf(type: DType | BlockType): { length: number; bytes: number } {
  return isBlockType(type) ? BLOCK_FORMATS[type] : { length: 1, bytes: ELEMENT_BYTES[type] };
}
