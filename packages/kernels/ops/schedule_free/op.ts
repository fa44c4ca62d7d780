import { defineOp } from '../../src/op.ts';

/**
 * How much of the newest z goes into the mean x of schedule-free learning: the square of the largest learning rate so far, over the sum
 * of these of all steps. `state` is that sum and that rate, zero at the start; a step of rate 0 before all others mixes nothing in.
 */
export const scheduleFreeMixOp = defineOp({
  name: 'schedule_free_mix',
  inputs: { state: 'f64[2]', learningRate: 'f32[1]' },
  outputs: { newState: 'f64[2]', mix: 'f32[1]' },
  updates: { newState: 'state' },
  flops: () => 4,
});

/**
 * One step of schedule-free AdamW (Defazio et al. 2024), as `schedulefree` has it. `parameter` is y, where the gradient was taken: z moves
 * by AdamW without a mean of gradients and decays by y, x is the mean of all z, and the next y lies between both, at beta1 from z.
 * `clip` scales the gradient, `step` counts from 1.
 */
export const scheduleFreeAdamwOp = defineOp({
  name: 'schedule_free_adamw',
  inputs: {
    parameter: 'f32[*n]',
    gradient: 'f32[*n]',
    z: 'f32[*n]',
    x: 'f32[*n]',
    v: 'f32[*n]',
    mix: 'f32[1]',
    clip: 'f32[1]',
    learningRate: 'f32[1]',
    step: 'i32[1]',
  },
  outputs: { newParameter: 'f32[*n]', newZ: 'f32[*n]', newX: 'f32[*n]', newV: 'f32[*n]' },
  attributes: ['beta1', 'beta2', 'epsilon', 'weightDecay'],
  updates: { newParameter: 'parameter', newZ: 'z', newX: 'x', newV: 'v' },
  flops: ({ n = 0 }) => 18 * n,
});
