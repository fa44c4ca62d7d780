/** The devices of this host, for those who may not know the kernels. */
export { type CpuDevice, cpuDevice } from '@anneal/kernels';
