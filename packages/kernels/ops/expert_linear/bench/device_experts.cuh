#pragma once

#include <random>
#include <string>

#include "cuda/attention/bench/device_problem.cuh"
#include "cuda/cuda_context.h"
#include "cuda/elements.cuh"
#include "../wide_tiles.cuh"

namespace anneal::cuda {

const char* dequantize_nf4_double(const Launch& launch);

/** Sums in float64, a thread for each element of y. */
__global__ void expectedKernel(ExpertProduct p, bool plain, double* y) {
  const int depth = plain ? p.N : p.K, width = plain ? p.K : p.N;
  const int64_t place = int64_t{blockIdx.x} * blockDim.x + threadIdx.x, row = place / width, column = place % width;
  if (row >= p.rows) return;
  int expert = 0;
  while (p.offsets[expert + 1] <= row) expert++;
  const bf16 *a = dataOf<bf16>(p.a) + row * depth, *b = dataOf<bf16>(p.b) + int64_t{expert} * p.N * p.K;
  double sum = 0;
  for (int i = 0; i < depth; i++) sum += double(__bfloat162float(a[i])) * __bfloat162float(b[plain ? int64_t{i} * p.K + column : column * p.K + i]);
  y[place] = sum * p.alpha + (p.c.data ? __bfloat162float(dataOf<bf16>(p.c)[place]) : 0);
}

/** The largest of rows' errors, by their root of squares; a value that is no number is larger than all. A block for each row. */
__global__ void errorKernel(const bf16* y, const double* expected, int width, unsigned* worst) {
  __shared__ double errors[256], sizes[256];
  double error = 0, size = 0;
  for (int column = threadIdx.x; column < width; column += 256) {
    const double wanted = expected[int64_t{blockIdx.x} * width + column], off = __bfloat162float(y[int64_t{blockIdx.x} * width + column]) - wanted;
    error += off * off, size += wanted * wanted;
  }
  errors[threadIdx.x] = error, sizes[threadIdx.x] = size;
  __syncthreads();
  for (int i = 1; threadIdx.x == 0 && i < 256; i++) errors[0] += errors[i], sizes[0] += sizes[i];
  if (threadIdx.x == 0) atomicMax(worst, __float_as_uint(static_cast<float>(sqrt(errors[0] / sizes[0]))));
}

__global__ void unlikeKernel(const uint16_t* one, const uint16_t* other, int64_t count, unsigned* unlike) {
  const int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i < count && one[i] != other[i]) atomicAdd(unlike, 1);
}

__global__ void bytesKernel(uint8_t* to, int64_t count, uint32_t seed) {
  const int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i < count) to[i] = static_cast<uint8_t>(hash(static_cast<uint32_t>(i) ^ hash(seed)));
}

template <typename... Parameters, typename... Arguments>
void over(int64_t count, void (*kernel)(Parameters...), Arguments... arguments) {
  if (count > 0) kernel<<<static_cast<unsigned>((count + 255) / 256), 256>>>(arguments...);
}

/** Rows of each expert, drawn with probabilities that differ by a factor of about exp(spread). */
inline std::vector<int> drawnCounts(int rows, int experts, float spread, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<double> shares(experts);
  for (double& share : shares) share = std::exp(spread * normal(random));
  std::discrete_distribution<int> draw(shares.begin(), shares.end());
  std::vector<int> counts(experts);
  for (int i = 0; i < rows; i++) counts[draw(random)]++;
  return counts;
}

/** How the weight is read. */
enum class Way { bf16, nf4 };
constexpr const char* kWays[] = {"bf16", "nf4"};

/** Products of one layer's rows on the device. The weight is in NF4 where K allows it, and decoded. */
struct ExpertProblem {
  int experts, rows = 0, K, N;
  bool has_codes;
  Buffer x, dy, c, y, again, weight, expected, codes, absmax, scales, map, shifts, offsets, counters;
  CudaContext context{};

  ExpertProblem(const std::vector<int>& counts, int K_, int N_, uint32_t seed = 1)
      : experts(static_cast<int>(counts.size())), K(K_), N(N_), has_codes(K_ % kNf4Block == 0) {
    std::vector<int32_t> bounds{0};
    for (int count : counts) bounds.push_back(rows += count);
    offsets = Buffer(bounds.size(), DType::i32), counters = Buffer(4, DType::i32);
    copy(offsets, bounds);
    const size_t most = size_t(rows) * std::max(K, N);
    x = Buffer(size_t(rows) * K, DType::bf16), dy = Buffer(size_t(rows) * N, DType::bf16), expected = Buffer(most, DType::f64);
    for (Buffer* b : {&c, &y, &again}) *b = Buffer(most, DType::bf16);
    weight = Buffer(size_t(experts) * N * K, DType::bf16);
    x.fill(seed), dy.fill(seed + 1), c.fill(seed + 2), weight.fill(seed + 3);
    int device = 0;
    require(cudaGetDevice(&device), "device");
    require(cudaDeviceGetAttribute(&context.multiprocessors, cudaDevAttrMultiProcessorCount, device), "multiprocessors");
    context.fault = reinterpret_cast<int32_t*>(counters.data) + 2;
    if (!has_codes) return;
    const size_t blocks = weight.count / kNf4Block, groups = (blocks + kNf4ScaleBlock - 1) / kNf4ScaleBlock;
    codes = Buffer(weight.count / 2, DType::u8), absmax = Buffer(blocks, DType::u8), map = Buffer(256, DType::f32);
    scales = Buffer(groups, DType::f32), shifts = Buffer(groups, DType::f32);
    over(codes.count, bytesKernel, bytesOf(codes), static_cast<int64_t>(codes.count), seed + 4);
    over(blocks, bytesKernel, bytesOf(absmax), static_cast<int64_t>(blocks), seed + 5);
    map.fill(seed + 6), scales.fill(seed + 7), shifts.fill(seed + 8);
    decode(nullptr);
  }
  ~ExpertProblem() {
    for (Buffer* b : {&x, &dy, &c, &y, &again, &weight, &expected, &codes, &absmax, &scales, &map, &shifts, &offsets, &counters}) b->free();
  }
  ExpertProblem(const ExpertProblem&) = delete;

  static uint8_t* bytesOf(const Buffer& b) { return reinterpret_cast<uint8_t*>(b.data); }
  static Tensor tensorOf(const Buffer& b) { return {b.data, b.type, 1, {static_cast<int64_t>(b.count)}}; }
  static void copy(const Buffer& to, const std::vector<int32_t>& values) {
    require(cudaMemcpy(to.data, values.data(), values.size() * 4, cudaMemcpyHostToDevice), "copy");
  }
  static float* floats(const Buffer& b) { return reinterpret_cast<float*>(b.data); }

  /** Writes the weight anew from its codes. */
  void decode(cudaStream_t stream) {
    context.stream = stream;
    const Tensor inputs[] = {tensorOf(codes), tensorOf(absmax), tensorOf(scales), tensorOf(map), tensorOf(shifts)}, output = tensorOf(weight);
    require(dequantize_nf4_double({inputs, &output, nullptr, nullptr, &context}));
  }

  ExpertProduct product(bool plain, bool plus, const Buffer& to, float alpha = 1) const {
    return {tensorOf(plain ? dy : x),
            tensorOf(weight),
            plus ? tensorOf(c) : Tensor{},
            tensorOf(to),
            reinterpret_cast<const int32_t*>(offsets.data),
            experts,
            rows,
            N,
            K,
            alpha,
            context.fault};
  }

  void run(Way way, const ExpertProduct& p, bool plain, cudaStream_t stream) const {
    const Nf4Blocks nf4{bytesOf(codes), {bytesOf(absmax), floats(scales), floats(map), floats(shifts)}};
    require(wideExpertProduct(p, way == Way::nf4 ? &nf4 : nullptr, plain, context.multiprocessors, stream));
  }

  /** Counter number i, which is zeroed before: read after all work. */
  unsigned counter(int i) const {
    unsigned value;
    require(cudaMemcpy(&value, counters.data + 4 * i, 4, cudaMemcpyDeviceToHost), "copy back");
    return value;
  }
  void zeroCounters() const { require(cudaMemset(counters.data, 0, 16), "zero"); }
  unsigned* counterAt(int i) const { return reinterpret_cast<unsigned*>(counters.data) + i; }
};

}  // namespace anneal::cuda
