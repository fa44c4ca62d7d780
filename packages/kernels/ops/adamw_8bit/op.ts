import { defineOp, type Extents } from '../../src/op.ts';

/** Elements that share an absmax of each moment. */
export const momentBlock = 256;

/** Parameters come as whole blocks, filled up with zeros. */
function derive({ n, b }: Extents): Extents {
  if (n !== Number(b) * momentBlock)
    throw new Error(`adamw_8bit: ${b} blocks of moments do not belong to ${n} weights`);
  return {};
}

/**
 * One step of AdamW with moments in 8 bits (Dettmers et al. 2022), in bitsandbytes' order: move the parameter by the moments
 * before they are rounded, then decay it. A moment is value of its code · absmax of its block; all zero is the start.
 * `clip` scales the gradient, `step` counts from 1.
 */
export const adamw8bitOp = defineOp({
  name: 'adamw_8bit',
  inputs: {
    parameter: 'f32[*n]',
    gradient: 'f32[*n]',
    m: 'u8[*n]',
    mAbsmax: 'f32[*b]',
    v: 'u8[*n]',
    vAbsmax: 'f32[*b]',
    clip: 'f32[1]',
    learningRate: 'f32[1]',
    step: 'i32[1]',
  },
  outputs: { newParameter: 'f32[*n]', newM: 'u8[*n]', newMAbsmax: 'f32[*b]', newV: 'u8[*n]', newVAbsmax: 'f32[*b]' },
  attributes: ['beta1', 'beta2', 'epsilon', 'weightDecay'],
  updates: { newParameter: 'parameter', newM: 'm', newMAbsmax: 'mAbsmax', newV: 'v', newVAbsmax: 'vAbsmax' },
  derive,
  flops: ({ n = 0 }) => 30 * n,
});
