import type { MergedType } from '../protocol/mergedTypes.ts';
import type { MergedExport } from './merged.ts';

/** What a merged model of each type is written in. */
export const MERGED_FORMS: Readonly<Record<MergedType, Pick<MergedExport, 'dtype' | 'nf4'>>> = {
  bf16: { dtype: 'BF16' },
  f16: { dtype: 'F16' },
  f32: { dtype: 'F32' },
  nf4: { dtype: 'BF16', nf4: { form: 'double', isDynamic: false } },
  nf4_single: { dtype: 'BF16', nf4: { form: 'single', isDynamic: false } },
  nf4_dynamic: { dtype: 'BF16', nf4: { form: 'double', isDynamic: true } },
};
