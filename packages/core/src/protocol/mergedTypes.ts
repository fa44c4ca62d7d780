/** Types of merged models by the name that people ask for. In NF4 are the linears of the blocks only. */
export const MERGED_TYPES = ['bf16', 'f16', 'f32', 'nf4', 'nf4_single', 'nf4_dynamic'] as const;
export type MergedType = (typeof MERGED_TYPES)[number];
