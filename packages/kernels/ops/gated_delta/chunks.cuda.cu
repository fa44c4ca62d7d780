#include "chunk_gradients.cuh"
#include "chunk_output.cuh"
#include "chunk_parts.cuh"
#include "chunk_sweeps.cuh"
#include "chunks.h"
#include "cuda/attention/attention.h"

namespace anneal::cuda {
namespace {

using Delta = GatedDelta<Bf16>;

dim3 windowGrid(const Delta& of, int heads) {
  return dim3(static_cast<unsigned>(ceilDivide(of.tokens, kWindow)), static_cast<unsigned>(heads));
}

template <bool kBackward>
const char* sweep(cudaStream_t stream, const Delta& of, const Packed& packed, const Bf16* dout, const ChunkParts& parts) {
  const dim3 grid(static_cast<unsigned>(packed.documents), kHead / kSweepColumns, static_cast<unsigned>(of.heads));
  return launchKernel(sweepKernel<kBackward>, grid, kWindowThreads, sizeof(SweepShared<kBackward>), stream, of, packed, dout, parts);
}

/** In the workspace, as op.ts counts it. */
template <bool kBackward>
ChunkParts partsOf(const Delta& of, char*& rest) {
  const int64_t windows = ceilDivide(of.tokens, kWindow), rows = of.tokens * of.values(), states = windows * of.heads * kHead * kHead;
  ChunkParts parts{};
  parts.W = take<Bf16>(rest, rows), parts.changes = take<Bf16>(rest, rows);
  parts.S = take<Bf16>(rest, states);
  parts.factors = take<TokenFactors>(rest, windows * kWindow * of.heads);
  if constexpr (!kBackward) return parts;
  parts.X = take<Bf16>(rest, rows), parts.dchanges = take<Bf16>(rest, rows);
  parts.dS = take<Bf16>(rest, states);
  return parts;
}

}  // namespace

bool servesChunks(const Tensor* inputs, const double* attributes) {
  if (inputs[0].type != DType::bf16) return false;
  const Delta of = deltaOf<Bf16>(inputs, attributes);
  constexpr size_t most = sizeof(SweepShared<true>) > sizeof(GradientTiles) ? sizeof(SweepShared<true>) : sizeof(GradientTiles);
  return of.keySize == kHead && of.valueSize == kHead && static_cast<size_t>(sharedMemoryLimit()) >= most + sizeof(GradientTokens);
}

const char* chunksForward(const Launch& launch) {
  const cudaStream_t stream = contextOf(launch).stream;
  const Delta of = deltaOf<Bf16>(launch.inputs, launch.attributes);
  const Packed packed = packedOf(launch.inputs[5], of.tokens);
  char* rest = launch.workspace;
  const ChunkParts parts = partsOf<false>(of, rest);
  const dim3 grid = windowGrid(of, of.heads);
  const Bf16* none = nullptr;
  if (const char* problem = launchKernel(partsKernel<false>, grid, kWindowThreads, kPartsBytes<false>, stream, of, packed, none, parts)) return problem;
  if (const char* problem = sweep<false>(stream, of, packed, none, parts)) return problem;
  return launchKernel(outputKernel, grid, kWindowThreads, kOutputBytes, stream, of, packed, parts, dataOf<Bf16>(launch.outputs[0]));
}

const char* chunksBackward(const Launch& launch) {
  const cudaStream_t stream = contextOf(launch).stream;
  const Delta of = deltaOf<Bf16>(launch.inputs + 1, launch.attributes);
  const Packed packed = packedOf(launch.inputs[6], of.tokens);
  const Bf16* dout = dataOf<Bf16>(launch.inputs[0]);
  const int64_t windows = ceilDivide(of.tokens, kWindow);
  char* rest = launch.workspace;
  const ChunkParts parts = partsOf<true>(of, rest);
  const ChunkGradients to{dataOf<Bf16>(launch.outputs[0]), dataOf<Bf16>(launch.outputs[1]), dataOf<Bf16>(launch.outputs[2]),
                          take<double>(rest, windows * of.heads * 2)};
  const dim3 grid = windowGrid(of, of.heads), keyGrid = windowGrid(of, of.keyHeads);
  if (const char* problem = launchKernel(partsKernel<true>, grid, kWindowThreads, kPartsBytes<true>, stream, of, packed, dout, parts)) return problem;
  if (const char* problem = sweep<false>(stream, of, packed, dout, parts)) return problem;
  if (const char* problem = sweep<true>(stream, of, packed, dout, parts)) return problem;
  if (const char* problem = launchKernel(gradientsKernel, keyGrid, kWindowThreads, sizeof(GradientTiles), stream, of, packed, dout, parts, to))
    return problem;
  addWindowParts<2>(stream, to.sums, windows, of.heads, {launch.outputs[3].f32(), launch.outputs[4].f32()});
  return nullptr;
}

}  // namespace anneal::cuda
