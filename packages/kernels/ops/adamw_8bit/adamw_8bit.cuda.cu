#include "cuda/elements.cuh"
#include "dynamic_map.h"
#include "rates.h"

namespace anneal::cuda {
namespace {

constexpr int kWarps = kElementThreads / 32;
/** On a multiprocessor: with four, sm_100 spills. */
constexpr int kBlocksTogether = 3;
/** A warp updates a block: each lane four neighboring elements of each half. */
constexpr int kHalves = 2, kHalf = kMomentBlock / kHalves;
static_assert(kHalf == 32 * 4);

struct Maps {
  DynamicMap m, v;
};

/** The code of the size of x. */
__device__ inline int encode(const DynamicMap& map, float x) {
  const float size = fabsf(x);
  return codeIn(map, cellOf(__float_as_uint(size)), size);
}

__device__ const Maps kMaps{makeDynamicMap(true), makeDynamicMap(false)};

/** Rounds where the CPU's twin does: both give the same bits. */
struct Adamw8bit {
  const float *gradient, *clip, *learning_rate;
  const int32_t* step;
  float *parameter, *m_absmax, *v_absmax;
  uint8_t *m, *v;
  double attributes[4];

  __device__ void update(int64_t block, const Maps& maps, const Adamw8bitRates& rates) const {
    const int64_t first = block * kMomentBlock + threadIdx.x % 32 * 4;
    const float m_scale = m_absmax[block], v_scale = v_absmax[block];
    float g[kHalves][4], value[kHalves][4], mean[kHalves][4], square[kHalves][4];
    uchar4 m_codes[kHalves], v_codes[kHalves];
#pragma unroll
    for (int half = 0; half < kHalves; half++) {
      const int64_t i = first + half * kHalf;
      load<4>(gradient + i, g[half]);
      m_codes[half] = *reinterpret_cast<const uchar4*>(m + i);
      v_codes[half] = *reinterpret_cast<const uchar4*>(v + i);
      load<4>(parameter + i, value[half]);
    }
    uint32_t largest_mean = 0, largest_square = 0;  // as bits, whose order is that of the sizes, NaN last
#pragma unroll
    for (int half = 0; half < kHalves; half++) {
      const uint8_t m_code[4] = {m_codes[half].x, m_codes[half].y, m_codes[half].z, m_codes[half].w};
      const uint8_t v_code[4] = {v_codes[half].x, v_codes[half].y, v_codes[half].z, v_codes[half].w};
#pragma unroll
      for (int j = 0; j < 4; j++) {
        const float scaled = g[half][j] * rates.clip;
        const float m_before = __fmul_rn(__fmul_rn(maps.m.value[m_code[j]], m_scale), rates.beta1);
        const float v_before = __fmul_rn(__fmul_rn(maps.v.value[v_code[j]], v_scale), rates.beta2);
        mean[half][j] = __fmaf_rn(rates.rest1, scaled, m_before);
        square[half][j] = __fmaf_rn(__fmul_rn(rates.rest2, scaled), scaled, v_before);
        largest_mean = max(largest_mean, __float_as_uint(fabsf(mean[half][j])));
        largest_square = max(largest_square, __float_as_uint(fabsf(square[half][j])));
        const float direction = mean[half][j] / (sqrtf(square[half][j]) + rates.epsilon);
        value[half][j] = __fsub_rn(value[half][j], __fmul_rn(rates.step_size, direction)) * rates.decay;
      }
      store<4>(parameter + first + half * kHalf, value[half]);
    }
    const float new_m_absmax = __uint_as_float(__reduce_max_sync(~0u, largest_mean));
    const float new_v_absmax = __uint_as_float(__reduce_max_sync(~0u, largest_square));
    const float m_inverse = momentInverse(new_m_absmax), v_inverse = momentInverse(new_v_absmax);
#pragma unroll
    for (int half = 0; half < kHalves; half++) {
      uint8_t m_code[4], v_code[4];
#pragma unroll
      for (int j = 0; j < 4; j++) {
        const float x = mean[half][j] * m_inverse;
        m_code[j] = static_cast<uint8_t>(withSign(encode(maps.m, x), x < 0));
        v_code[j] = static_cast<uint8_t>(encode(maps.v, square[half][j] * v_inverse));
      }
      const int64_t i = first + half * kHalf;
      *reinterpret_cast<uchar4*>(m + i) = {m_code[0], m_code[1], m_code[2], m_code[3]};
      *reinterpret_cast<uchar4*>(v + i) = {v_code[0], v_code[1], v_code[2], v_code[3]};
    }
    if (threadIdx.x % 32 == 0) {
      m_absmax[block] = new_m_absmax;
      v_absmax[block] = new_v_absmax;
    }
  }
};

/** Look-ups of the lanes go to different places, so the maps lie in shared memory. */
__global__ void __launch_bounds__(kElementThreads, kBlocksTogether) adamw8bitKernel(int64_t blocks, Adamw8bit body) {
  __shared__ Maps maps;
  __shared__ Adamw8bitRates rates;
  static_assert(sizeof(Maps) % sizeof(uint32_t) == 0);
  for (int i = threadIdx.x; i < static_cast<int>(sizeof(Maps) / sizeof(uint32_t)); i += kElementThreads)
    reinterpret_cast<uint32_t*>(&maps)[i] = reinterpret_cast<const uint32_t*>(&kMaps)[i];
  if (threadIdx.x == 0) rates = adamw8bitRates(body.attributes, *body.clip, *body.learning_rate, *body.step);
  __syncthreads();
  for (int64_t block = int64_t{blockIdx.x} * kWarps + threadIdx.x / 32; block < blocks; block += int64_t{gridDim.x} * kWarps)
    body.update(block, maps, rates);
}

}  // namespace

const char* adamw_8bit(const Launch& launch) {
  const Tensor* inputs = launch.inputs;
  const Tensor* outputs = launch.outputs;
  const double* a = launch.attributes;
  const int64_t blocks = outputs[0].elements() / kMomentBlock;
  if (blocks == 0) return nullptr;
  const Adamw8bit body{inputs[1].f32(),  inputs[6].f32(),  inputs[7].f32(), inputs[8].i32(), outputs[0].f32(),
                       outputs[2].f32(), outputs[4].f32(), outputs[1].u8(), outputs[3].u8(), {a[0], a[1], a[2], a[3]}};
  // One round of blocks that all fit: the maps are copied once.
  const int64_t most = contextOf(launch).multiprocessors * kBlocksTogether, grid = ceilDivide(blocks, kWarps);
  adamw8bitKernel<<<static_cast<unsigned>(grid < most ? grid : most), kElementThreads, 0, contextOf(launch).stream>>>(blocks, body);
  return nullptr;
}

}  // namespace anneal::cuda
