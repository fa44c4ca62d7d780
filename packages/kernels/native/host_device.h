#pragma once

/** Before a function that is compiled for the GPU, too, where its header is read by nvcc. */
#ifdef __CUDACC__
#define ANNEAL_HOST_DEVICE __host__ __device__
#else
#define ANNEAL_HOST_DEVICE
#endif
