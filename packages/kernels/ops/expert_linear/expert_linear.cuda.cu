#include "cuda/attention/mma.cuh"
#include "cuda/operand.cuh"
#include "staged_tile.cuh"
#include "wide_tiles.cuh"

// Any types and sizes: in bf16 by mma.sync from sm_80 on, in float32 by plain arithmetic. Of the three products, those with a row for each
// assignment are taken by expert_linear_hopper.cuda.cu where it serves.

namespace anneal::cuda {
namespace {

enum class Of { output, input, weight };

constexpr int kThreads = 256;

/** What a block computes: rows of y by columns of it, and the sum. Rows of a weight's gradient are the expert's own. */
struct Part {
  int row, row_end, column, column_end, depth, depth_end;
};

/** Operands as a tile reads them: those of a sum over rows lie across. */
template <Of kOf, typename A, typename B, typename To, int kRows, int kColumns, int kDepth>
struct Operands {
  static constexpr bool kAcrossA = kOf == Of::weight, kAcrossB = kOf != Of::output;
  StagedTile<To, kRows, kDepth, kAcrossA> a;
  StagedTile<To, kColumns, kDepth, kAcrossB> b;

  __device__ void load(const A* from_a, int64_t stride_a, const B* from_b, int64_t stride_b, const Part& part, int depth, bool vectors) {
    if constexpr (kAcrossA)
      a.template load<kThreads>(from_a, stride_a, depth, part.depth_end, part.row, part.row_end, vectors);
    else
      a.template load<kThreads>(from_a, stride_a, part.row, part.row_end, depth, part.depth_end, vectors);
    if constexpr (kAcrossB)
      b.template load<kThreads>(from_b, stride_b, depth, part.depth_end, part.column, part.column_end, vectors);
    else
      b.template load<kThreads>(from_b, stride_b, part.column, part.column_end, depth, part.depth_end, vectors);
  }
};

template <typename Y>
__device__ void storeValue(const ExpertProduct& p, int64_t place, float sum) {
  const float value = sum * p.alpha;
  dataOf<Y>(p.y)[place] = fromFloat<Y>(p.c.data ? value + toFloat(dataOf<Y>(p.c)[place]) : value);
}

/** A warp computes 64 × 32 of 128 × 128. */
struct TensorCores {
  using To = Bf16;
  static constexpr int kRows = 128, kColumns = 128, kDepth = 32;
  float sum[4][4][4] = {};

  static __device__ int row() { return static_cast<int>(threadIdx.x) / 32 / 4 * 64; }
  static __device__ int column() { return static_cast<int>(threadIdx.x) / 32 % 4 * 32; }

  /** 16 of the tile's rows by 16 of the sum as four 8 × 8 matrices: rows first, or, of a second operand, the sum first. */
  template <bool kAcross, bool kSecond, typename Tile>
  static __device__ void matrices(uint32_t (&r)[4], const Tile& tile, int row, int depth) {
    const int lane = static_cast<int>(threadIdx.x) % 32, matrix = lane / 8;
    const int row_block = kSecond ? matrix / 2 : matrix % 2, depth_block = kSecond ? matrix % 2 : matrix / 2;
    if constexpr (kAcross)
      loadMatricesTransposed(r, sharedAddress(tile.elements + (depth + depth_block * 8 + lane % 8) * Tile::kStride + row + row_block * 8));
    else
      loadMatrices(r, sharedAddress(tile.elements + (row + row_block * 8 + lane % 8) * Tile::kStride + depth + depth_block * 8));
  }

  template <typename Operands>
  __device__ void add(const Operands& operands) {
#pragma unroll
    for (int depth = 0; depth < kDepth; depth += 16) {
      uint32_t rows[4][4];
#pragma unroll
      for (int m = 0; m < 4; m++) matrices<Operands::kAcrossA, false>(rows[m], operands.a, row() + m * 16, depth);
#pragma unroll
      for (int n = 0; n < 2; n++) {
        uint32_t columns[4];
        matrices<Operands::kAcrossB, true>(columns, operands.b, column() + n * 16, depth);
#pragma unroll
        for (int m = 0; m < 4; m++) {
          multiply(sum[m][2 * n], rows[m], columns[0], columns[1]);
          multiply(sum[m][2 * n + 1], rows[m], columns[2], columns[3]);
        }
      }
    }
  }

  template <typename Store>
  __device__ void forSums(const Store& store) const {
    const int lane = static_cast<int>(threadIdx.x) % 32;
#pragma unroll
    for (int m = 0; m < 4; m++)
#pragma unroll
      for (int n = 0; n < 4; n++)
#pragma unroll
        for (int i = 0; i < 4; i++) store(row() + m * 16 + i / 2 * 8 + lane / 4, column() + n * 8 + lane % 4 * 2 + i % 2, sum[m][n][i]);
  }
};

/** A thread computes 4 × 4 of 64 × 64. */
struct PlainCores {
  using To = float;
  static constexpr int kRows = 64, kColumns = 64, kDepth = 16;
  float sum[4][4] = {};

  static __device__ int row(int i) { return static_cast<int>(threadIdx.x) / 16 + i * 16; }
  static __device__ int column(int j) { return static_cast<int>(threadIdx.x) % 16 + j * 16; }

  template <typename Operands>
  __device__ void add(const Operands& operands) {
#pragma unroll
    for (int depth = 0; depth < kDepth; depth++) {
      float rows[4], columns[4];
#pragma unroll
      for (int i = 0; i < 4; i++) rows[i] = operands.a.at(row(i), depth), columns[i] = operands.b.at(column(i), depth);
#pragma unroll
      for (int i = 0; i < 4; i++)
#pragma unroll
        for (int j = 0; j < 4; j++) sum[i][j] = fmaf(rows[i], columns[j], sum[i][j]);
    }
  }

  template <typename Store>
  __device__ void forSums(const Store& store) const {
#pragma unroll
    for (int i = 0; i < 4; i++)
#pragma unroll
      for (int j = 0; j < 4; j++) store(row(i), column(j), sum[i][j]);
  }
};

template <Of kOf, typename Cores, typename A, typename B, typename Y>
__global__ void __launch_bounds__(kThreads) productKernel(ExpertProduct p, bool vectors) {
  using Tiles = Operands<kOf, A, B, typename Cores::To, Cores::kRows, Cores::kColumns, Cores::kDepth>;
  __shared__ __align__(16) Tiles tiles;
  const A* a = dataOf<A>(p.a);
  const B* b = dataOf<B>(p.b);
  const int column = static_cast<int>(blockIdx.x) * Cores::kColumns;
  Part part;
  int64_t stride_a, stride_b, first_row = 0;
  if constexpr (kOf == Of::weight) {
    const int expert = static_cast<int>(blockIdx.z), begin = p.offsets[expert], end = p.offsets[expert + 1];
    const bool isInside = ascends(begin, end, expert, p.experts, p.rows);
    if (threadIdx.x == 0 && !isInside) report(p.fault, Fault::row);
    if (!isInside || begin == end) return;
    part = {static_cast<int>(blockIdx.y) * Cores::kRows, p.N, column, p.K, begin, end};
    stride_a = p.N, stride_b = p.K, first_row = int64_t{expert} * p.N;
  } else {
    const ExpertTile tile = expertTile(blockIdx.y, p.offsets, p.experts, p.rows, Cores::kRows, p.fault);
    if (tile.begin >= tile.end) return;
    const bool isOutput = kOf == Of::output;
    part = {tile.begin, tile.end, column, isOutput ? p.N : p.K, 0, isOutput ? p.K : p.N};
    stride_a = isOutput ? p.K : p.N, stride_b = p.K;
    b += int64_t{tile.expert} * p.N * p.K;
  }
  Cores cores;
  for (int depth = part.depth; depth < part.depth_end; depth += Cores::kDepth) {
    tiles.load(a, stride_a, b, stride_b, part, depth, vectors);
    __syncthreads();
    cores.add(tiles);
    __syncthreads();
  }
  cores.forSums([&](int row, int col, float sum) {
    const int r = part.row + row, c = part.column + col;
    if (r < part.row_end && c < part.column_end) storeValue<Y>(p, (first_row + r) * part.column_end + c, sum);
  });
}

template <Of kOf, typename Cores, typename A, typename B, typename Y>
void launchProduct(const ExpertProduct& p, cudaStream_t stream) {
  const int columns = kOf == Of::output ? p.N : p.K;
  const unsigned width = static_cast<unsigned>(ceilDivide(columns, Cores::kColumns));
  const dim3 grid = kOf == Of::weight ? dim3(width, static_cast<unsigned>(ceilDivide(p.N, Cores::kRows)), static_cast<unsigned>(p.experts))
                                      : dim3(width, static_cast<unsigned>(expertSlots(p.rows, p.experts, Cores::kRows)));
  productKernel<kOf, Cores, A, B, Y><<<grid, kThreads, 0, stream>>>(p, p.N % kStageVector == 0 && p.K % kStageVector == 0);
}

template <Of kOf>
const char* multiply(const Launch& launch, const ExpertProduct& p) {
  if (p.rows == 0 || p.N == 0 || p.K == 0) return nullptr;
  const cudaStream_t stream = contextOf(launch).stream;
  if (kOf != Of::weight && p.b.type == DType::bf16 && servesWideTiles(p, false))
    return wideExpertProduct(p, nullptr, kOf == Of::input, contextOf(launch).multiprocessors, stream);
  const bool isHalf = computeType(p.a, launch.attributes[1]) == DType::bf16;
  return withTypes(p.a.type, p.b.type, [&](auto a, auto b) {
    using A = decltype(a);
    using B = decltype(b);
    using Y = std::conditional_t<kOf == Of::weight, float, A>;
    if constexpr (kOf != Of::weight || std::is_same_v<A, B>) {
      if (isHalf) launchProduct<kOf, TensorCores, A, B, Y>(p, stream);
      else if constexpr (std::is_same_v<A, float>) launchProduct<kOf, PlainCores, A, B, Y>(p, stream);
    }
  });
}

/** @param weight [E · N, K], or its gradient */
ExpertProduct productOf(const Launch& launch, const Tensor& weight) {
  return expertProductOf(launch, weight.shape[0], weight.shape[1], launch.inputs[2]);
}

}  // namespace

const char* expert_linear(const Launch& launch) {
  ExpertProduct p = productOf(launch, launch.inputs[1]);
  p.c = launch.inputs[3], p.rows = static_cast<int>(p.a.elements() / p.K);
  return multiply<Of::output>(launch, p);
}

const char* expert_linear_backward_input(const Launch& launch) {
  ExpertProduct p = productOf(launch, launch.inputs[1]);
  p.c = launch.inputs[3], p.rows = static_cast<int>(p.a.elements() / p.N);
  return multiply<Of::input>(launch, p);
}

const char* expert_linear_backward_weight(const Launch& launch) {
  ExpertProduct p = productOf(launch, launch.outputs[0]);
  p.c = p.y, p.rows = static_cast<int>(p.b.elements() / p.K);
  return multiply<Of::weight>(launch, p);
}

}  // namespace anneal::cuda
