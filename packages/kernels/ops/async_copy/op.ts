import { defineOp } from '../../src/op.ts';

/**
 * y = x, by a copy that runs beside the launches that follow. Until `await_copy` of the same ticket nothing may read y nor write to
 * either. Copies keep their order among each other. passes/offload.ts applies both to tensors of any shape.
 */
export const asyncCopyOp = defineOp({
  name: 'async_copy',
  inputs: { x: 'A[T,N]' },
  outputs: { y: 'A[T,N]' },
  attributes: ['ticket'],
  flops: () => 0,
});

/** y = x once the copy that makes x has ended. `source`, which it reads from, is named so that its bytes are not reused before. */
export const awaitCopyOp = defineOp({
  name: 'await_copy',
  inputs: { x: 'A[T,N]', source: 'A[T,N]?' },
  outputs: { y: 'A[T,N]' },
  attributes: ['ticket'],
  inPlace: { y: ['x'] },
  flops: () => 0,
});
