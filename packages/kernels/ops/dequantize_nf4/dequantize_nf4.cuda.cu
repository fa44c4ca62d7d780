#include "cuda/elements.cuh"
#include "cuda/nf4.cuh"

namespace anneal::cuda {

namespace {

/** Words a thread reads before it decodes the first of them, to 16 bytes of bf16 each: most of the traffic is what it writes. */
constexpr int kWords = 4;

/** Into shared memory, where threads that look up different entries do not wait for each other. */
__device__ inline void fill(float* table, const Absmax&) {}
__device__ inline void fill(float* table, const DoubleAbsmax& absmax) {
  for (int i = threadIdx.x; i < 256; i += blockDim.x) table[i] = absmax.map[i];
}

template <typename A, typename AbsmaxOf>
__global__ void __launch_bounds__(kElementThreads) dequantizeKernel(int64_t count, const uint8_t* codes, AbsmaxOf absmax, A* weight) {
  __shared__ float values[16];
  __shared__ float table[256];
  if (threadIdx.x < 16) values[threadIdx.x] = kNf4Codes[threadIdx.x];
  fill(table, absmax);
  __syncthreads();
  const int64_t words = count / kNf4Word, stride = int64_t{gridDim.x} * kElementThreads;
  const int64_t thread = int64_t{blockIdx.x} * kElementThreads + threadIdx.x;
  for (int64_t first = thread; first < words; first += stride * kWords) {
    uint32_t packed[kWords];
    float scale[kWords];
#pragma unroll
    for (int i = 0; i < kWords; i++) {
      const int64_t word = first + i * stride;
      if (word < words) {
        packed[i] = reinterpret_cast<const uint32_t*>(codes)[word];
        scale[i] = absmax(word / (kNf4Block / kNf4Word), table);
      }
    }
#pragma unroll
    for (int i = 0; i < kWords; i++) {
      const int64_t word = first + i * stride;
      if (word >= words) continue;
      float decoded[kNf4Word];
      decodeWord(packed[i], values, scale[i], decoded);
      store<kNf4Word>(weight + word * kNf4Word, decoded);
    }
  }
  // What is left are up to three bytes.
  for (int64_t i = words * kNf4Word + thread * 2; i < count; i += stride * 2) {
    const float scale = absmax(i / kNf4Block, table);
    weight[i] = fromFloat<A>(values[codes[i / 2] >> 4] * scale);
    weight[i + 1] = fromFloat<A>(values[codes[i / 2] & 15] * scale);
  }
}

template <typename AbsmaxOf>
const char* dequantize(const Launch& launch, const AbsmaxOf& absmax) {
  const Tensor weight = launch.outputs[0];
  const int64_t count = weight.elements();
  if (count == 0) return nullptr;
  const uint8_t* codes = launch.inputs[0].u8();
  const unsigned grid = gridFor(launch, ceilDivide(count, kNf4Word * kWords * kElementThreads));
  return withType(weight.type, [&](auto zero) {
    using A = decltype(zero);
    dequantizeKernel<A><<<grid, kElementThreads, 0, contextOf(launch).stream>>>(count, codes, absmax, dataOf<A>(weight));
  });
}

}  // namespace

const char* dequantize_nf4(const Launch& launch) { return dequantize(launch, Absmax{launch.inputs[1].f32()}); }

const char* dequantize_nf4_double(const Launch& launch) {
  const uint8_t* absmax = launch.inputs[1].u8();
  return dequantize(launch, DoubleAbsmax{absmax, launch.inputs[2].f32(), launch.inputs[3].f32(), launch.inputs[4].f32()});
}

}  // namespace anneal::cuda
