import { defineOp } from '../../src/op.ts';

/** into[n] = from[rows[n]]: of a matrix of which some rows are trained, their gradient. */
export const takeRowsOp = defineOp({
  name: 'take_rows',
  inputs: { from: 'f32[V,D]', rows: 'i32[N]', into: 'f32[N,D]' },
  outputs: { taken: 'f32[N,D]' },
  updates: { taken: 'into' },
  flops: () => 0,
});

/** into[rows[n]] = from[n]; the rows are distinct. */
export const putRowsOp = defineOp({
  name: 'put_rows',
  inputs: { from: 'f32[N,D]', rows: 'i32[N]', into: 'f32[V,D]' },
  outputs: { total: 'f32[V,D]' },
  updates: { total: 'into' },
  flops: () => 0,
});
