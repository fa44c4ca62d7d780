#pragma once

#include <cuda_runtime.h>

#include <cstdint>

// Clusters: blocks that run at the same time on multiprocessors beside each other and reach each other's shared memory. From sm_90 on.

namespace anneal::cuda {

/** Every GPU that has clusters has those of so many blocks. */
constexpr int kMostClusterBlocks = 8;

/** Whether this GPU has clusters, and the code that runs on it was compiled for one that has. */
template <typename... Arguments>
bool hasClusters(void (*kernel)(Arguments...)) {
  int device = 0, major = 0;
  cudaFuncAttributes attributes;
  return cudaGetDevice(&device) == cudaSuccess && cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device) == cudaSuccess && major >= 9 &&
         cudaFuncGetAttributes(&attributes, kernel) == cudaSuccess && attributes.ptxVersion >= 90;
}

/** A launch of clusters of `size` blocks each; single blocks on any GPU. */
struct ClusterLaunch {
  int size, threads;
  size_t shared_bytes;
  cudaLaunchAttribute attribute = {};

  cudaLaunchConfig_t config(unsigned clusters, cudaStream_t stream) {
    attribute.id = cudaLaunchAttributeClusterDimension;
    attribute.val.clusterDim = {static_cast<unsigned>(size), 1, 1};
    cudaLaunchConfig_t config = {};
    config.gridDim = clusters * size;
    config.blockDim = threads;
    config.dynamicSmemBytes = shared_bytes;
    config.stream = stream;
    config.attrs = &attribute;
    config.numAttrs = size > 1 ? 1 : 0;
    return config;
  }

  /** How many the GPU has room for at a time. */
  template <typename... Arguments>
  int mostAtOnce(void (*kernel)(Arguments...), int multiprocessors) {
    int clusters = 0, blocks = 0;
    const cudaLaunchConfig_t one = config(1, nullptr);
    if (size > 1) cudaOccupancyMaxActiveClusters(&clusters, kernel, &one);
    else cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, kernel, threads, shared_bytes), clusters = blocks * multiprocessors;
    return clusters > 1 ? clusters : 1;
  }

  template <typename... Arguments, typename... Given>
  void start(void (*kernel)(Arguments...), unsigned clusters, cudaStream_t stream, Given... given) {
    const cudaLaunchConfig_t all = config(clusters, stream);
    cudaLaunchKernelEx(&all, kernel, Arguments(given)...);
  }
};

#if __CUDA_ARCH__ >= 900
/** All threads of the cluster wait for each other. What they wrote need not be seen by others then: a fence for that waits for all of memory. */
__device__ inline void meetCluster() {
  asm volatile("barrier.cluster.arrive.relaxed;\nbarrier.cluster.wait;" ::: "memory");
}

/** All threads of the cluster wait for each other, and see what each other wrote to shared memory. */
__device__ inline void shareCluster() { asm volatile("barrier.cluster.arrive.release;\nbarrier.cluster.wait.acquire;" ::: "memory"); }

__device__ inline uint32_t addressInBlock(const void* own, int block) {
  uint32_t address;
  asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(address) : "r"(static_cast<uint32_t>(__cvta_generic_to_shared(own))), "r"(block));
  return address;
}

/** What lies there in the shared memory of a block of the cluster. */
__device__ inline float loadFromBlock(const float* own, int block) {
  float value;
  asm volatile("ld.shared::cluster.f32 %0, [%1];" : "=f"(value) : "r"(addressInBlock(own, block)) : "memory");
  return value;
}

/** In shared memory: 16 bytes from each block of a cluster for each, again and again. Two turns' lie beside each other, so that nobody waits for readers. */
struct ClusterMail {
  uint4 inbox[2][kMostClusterBlocks];
  uint64_t barriers[2];

  __device__ uint32_t barrierAddress(int turn) const { return static_cast<uint32_t>(__cvta_generic_to_shared(&barriers[turn % 2])); }

  /** By all threads, before the first turn. */
  __device__ void open() {
    if (threadIdx.x == 0) {
      for (int turn = 0; turn < 2; turn++) asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;" ::"r"(barrierAddress(turn)) : "memory");
      asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
    }
    __syncthreads();
    meetCluster();
  }

  /** By all threads; all have read what came in the turn before. @returns of each lane what block lane % kMostClusterBlocks sent, if there is such a block */
  __device__ uint4 exchange(const uint4& sent, int own, int blocks, int turn) {
    const int lane = static_cast<int>(threadIdx.x);
    if (lane == 0)
      asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrierAddress(turn)), "r"(blocks * 16) : "memory");
    if (lane < blocks)
      asm volatile("st.async.shared::cluster.mbarrier::complete_tx::bytes.v4.b32 [%0], {%1, %2, %3, %4}, [%5];" ::"r"(
                       addressInBlock(&inbox[turn % 2][own], lane)),
                   "r"(sent.x), "r"(sent.y), "r"(sent.z), "r"(sent.w), "r"(addressInBlock(&barriers[turn % 2], lane))
                   : "memory");
    asm volatile(
        "{.reg .pred done;\n"
        "again: mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
        "@!done bra again;}" ::"r"(barrierAddress(turn)),
        "r"(turn / 2 % 2)
        : "memory");
    return inbox[turn % 2][lane % kMostClusterBlocks];
  }
};
#else
struct ClusterMail {
  __device__ void open() {}
  __device__ uint4 exchange(const uint4& sent, int, int, int) { return sent; }
};
__device__ inline void meetCluster() {}
__device__ inline void shareCluster() { __syncthreads(); }
__device__ inline float loadFromBlock(const float* own, int) { return *own; }
#endif

}  // namespace anneal::cuda
