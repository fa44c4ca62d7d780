/** Every case of every op on a device, for those who may not know the kernels. */
export { type Conformance, conformAll as verifyOps } from '@anneal/kernels/cases/conform';
