/** The devices of this host, for those who may not know the kernels. */
export { type CpuDevice, type CudaDevice, cpuDevice, cudaDevices, type Device, devices } from '@anneal/kernels';
