#pragma once

#include <cuda_bf16.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "../attention.h"
#include "reference.h"

namespace anneal::cuda {

inline void require(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  std::printf("{\"phase\":\"fault\",\"what\":\"%s\",\"error\":\"%s\"}\n", what, cudaGetErrorString(error));
  std::exit(3);
}
inline void require(const char* problem) {
  if (!problem) return;
  std::printf("{\"phase\":\"fault\",\"what\":\"launch\",\"error\":\"%s\"}\n", problem);
  std::exit(3);
}

__device__ inline uint32_t hash(uint32_t x) {
  x ^= x >> 16, x *= 0x7feb352du, x ^= x >> 15, x *= 0x846ca68bu;
  return x ^ x >> 16;
}

/** Normal values, rounded to bf16 whatever the type. */
template <typename E>
__global__ void fillNormal(E* to, size_t count, uint32_t seed) {
  for (size_t i = blockIdx.x * size_t{blockDim.x} + threadIdx.x; i < count; i += size_t{gridDim.x} * blockDim.x) {
    const uint32_t a = hash(static_cast<uint32_t>(i) ^ hash(seed)), b = hash(a ^ 0x9e3779b9u);
    const float normal = sqrtf(-2 * logf((a + 1.f) * 2.3283064e-10f)) * cospif(2 * (b * 2.3283064e-10f));
    to[i] = static_cast<E>(__bfloat162float(__float2bfloat16_rn(normal)));
  }
}

/** Elements on the device, followed by a guard that must stay as it is. */
struct Buffer {
  static constexpr size_t kGuard = 4096;
  char* data = nullptr;
  size_t count = 0;
  DType type = DType::f32;

  Buffer() = default;
  Buffer(size_t elements, DType of) : count(elements), type(of) {
    require(cudaMalloc(&data, bytes() + kGuard), "cudaMalloc");
    clear();
  }
  size_t bytes() const { return count * elementBytes(type); }
  /** All bits set: NaN in every type. */
  void clear() const { require(cudaMemset(data, 0xff, bytes() + kGuard), "cudaMemset"); }
  void fill(uint32_t seed) const {
    if (type == DType::f32) fillNormal<<<1024, 256>>>(reinterpret_cast<float*>(data), count, seed);
    else fillNormal<<<1024, 256>>>(reinterpret_cast<__nv_bfloat16*>(data), count, seed);
  }
  void free() { require(cudaFree(data), "cudaFree"), data = nullptr; }

  std::vector<uint8_t> raw() const {
    std::vector<uint8_t> bits(bytes() + kGuard);
    require(cudaMemcpy(bits.data(), data, bits.size(), cudaMemcpyDeviceToHost), "copy back");
    return bits;
  }
  Floats read(const std::vector<uint8_t>& bits) const {
    Floats values(count);
    if (type == DType::f32) std::memcpy(values.data(), bits.data(), bytes());
    for (size_t i = 0; i < count && type == DType::bf16; i++) {
      uint16_t half;
      std::memcpy(&half, bits.data() + 2 * i, 2);
      const uint32_t word = uint32_t{half} << 16;
      std::memcpy(&values[i], &word, 4);
    }
    return values;
  }
  bool guardIntact(const std::vector<uint8_t>& bits) const {
    for (size_t i = bytes(); i < bits.size(); i++)
      if (bits[i] != 0xff) return false;
    return true;
  }
};

/** One shape with its inputs and outputs on the device. */
struct Problem {
  std::vector<int32_t> ends;
  int start;
  AttentionShape shape;
  Buffer q, k, v, d_out, out, lse, dq, dk, dv, delta;
  Buffer counter{1, DType::f32};
  int32_t* on_device;

  Problem(const std::vector<int>& lengths, int heads, int kv_heads, int size, int window, DType type, DType cache_type, int start_ = -1,
          uint32_t seed = 1, float soft_cap = 0)
      : ends{0}, start(start_) {
    for (int length : lengths) ends.push_back(ends.back() + length);
    const int tokens = ends.back(), keys = tokens + (start > 0 ? start : 0);
    require(cudaMalloc(&on_device, (ends.size() + 1) * 4), "cudaMalloc");
    require(cudaMemcpy(on_device, ends.data(), ends.size() * 4, cudaMemcpyHostToDevice), "copy");
    require(cudaMemcpy(on_device + ends.size(), &start, 4, cudaMemcpyHostToDevice), "copy");
    shape = {tokens,
             heads,
             kv_heads,
             size,
             static_cast<int>(lengths.size()),
             on_device,
             start >= 0 ? on_device + ends.size() : nullptr,
             nullptr,
             keys,
             1 / std::sqrt(float(size)),
             window,
             type,
             cache_type,
             soft_cap};
    const size_t n = size_t(tokens) * heads * size, nk = size_t(keys) * kv_heads * size;
    for (Buffer* b : {&q, &d_out, &out, &dq}) *b = Buffer(n, type);
    for (Buffer* b : {&k, &v, &dk, &dv}) *b = Buffer(nk, cache_type);
    lse = Buffer(size_t(heads) * tokens, DType::f32), delta = Buffer(size_t(heads) * tokens, DType::f32);
    q.fill(seed * 101), k.fill(seed * 103), v.fill(seed * 107), d_out.fill(seed * 109);
  }
  ~Problem() {
    for (Buffer* b : {&q, &k, &v, &d_out, &out, &lse, &dq, &dk, &dv, &delta, &counter}) b->free();
    cudaFree(on_device);
  }

  Forward forward() const {
    return {shape, q.data, k.data, v.data, out.data, reinterpret_cast<float*>(lse.data), reinterpret_cast<int*>(counter.data)};
  }
  Backward backward() const {
    return {shape,
            q.data,
            k.data,
            v.data,
            out.data,
            reinterpret_cast<float*>(lse.data),
            d_out.data,
            dq.data,
            dk.data,
            dv.data,
            reinterpret_cast<float*>(delta.data)};
  }
  std::vector<const Buffer*> outputs() const {
    if (start >= 0) return {&out};
    return {&out, &lse, &dq, &dk, &dv};
  }
  /** Raw outputs of both directions, or of the forward pass alone against a cache. */
  std::vector<std::vector<uint8_t>> run(Family family) const {
    for (const Buffer* b : {&out, &lse, &dq, &dk, &dv, &delta}) b->clear();
    require(attentionForward(forward(), nullptr, family));
    if (start < 0) require(attentionBackward(backward(), nullptr, family));
    require(cudaDeviceSynchronize(), "run");
    std::vector<std::vector<uint8_t>> all;
    for (const Buffer* b : outputs()) all.push_back(b->raw());
    return all;
  }
};

}  // namespace anneal::cuda
