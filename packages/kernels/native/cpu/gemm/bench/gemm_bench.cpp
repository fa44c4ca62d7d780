// GFLOP/s of the matrix product at SmolLM2-135M's shapes and at a few that are hard for bf16, and of OpenBLAS beside it, timed in turns: the best of many.
//
//   g++ -std=c++17 -O3 -march=native -DANNEAL_ISA=avx512bf16 -DWITH_OPENBLAS -Wno-psabi gemm_bench.cpp ../gemm.cpu.cpp
//       ../../../thread_pool.cpp -lopenblas -pthread -o /tmp/gemm_bench && /tmp/gemm_bench 2
//
// The argument is the number of threads. -march=native must include what ANNEAL_ISA says; for AMX: -DANNEAL_ISA=amx -DANNEAL_AMX.

#if defined(ANNEAL_AMX)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "../../simd.h"
#include "../gemm.h"
#if defined(WITH_OPENBLAS)
#include <cblas.h>
extern "C" void openblas_set_num_threads(int);
#endif

namespace anneal::ANNEAL_ISA {
namespace {

struct Shape {
  const char* what;
  int64_t m, n, k;
  bool a_transposed, b_transposed;
};

constexpr Shape kShapes[] = {
    {"forward q, o", 512, 576, 576, false, true},    {"forward k, v", 512, 192, 576, false, true},
    {"forward gate, up", 512, 1536, 576, false, true}, {"forward down", 512, 576, 1536, false, true},
    {"logits of 128 rows", 128, 49152, 576, false, true}, {"logits of 512 rows", 512, 49152, 576, false, true},
    {"dX of q, o", 512, 576, 576, false, false},     {"dX of k, v", 512, 576, 192, false, false},
    {"dX of gate, up", 512, 576, 1536, false, false}, {"dX of down", 512, 1536, 576, false, false},
    {"dX of 128 logits", 128, 576, 49152, false, false}, {"dW of q, o", 576, 576, 512, true, false},
    {"dW of gate, up", 1536, 576, 512, true, false}, {"dW of down", 576, 1536, 512, true, false},
    {"LoRA x.At", 512, 16, 576, false, true},        {"LoRA x.At, down", 512, 16, 1536, false, true},
    {"LoRA xa.Bt", 512, 576, 16, false, true},       {"LoRA xa.Bt, gate", 512, 1536, 16, false, true},
    {"LoRA dA", 16, 576, 512, true, false},          {"LoRA dB", 1536, 16, 512, true, false},
    {"LoRA dY.B", 512, 16, 1536, false, false},      {"LoRA dXA.A", 512, 576, 16, false, false},
    {"decode q, o", 1, 576, 576, false, true},       {"decode gate, up", 1, 1536, 576, false, true},
    {"decode down", 1, 576, 1536, false, true},      {"decode logits", 1, 49152, 576, false, true},
    {"logits of 4 rows", 4, 49152, 576, false, true}, {"logits of 8 rows", 8, 49152, 576, false, true},
    {"logits of 16 rows", 16, 49152, 576, false, true}, {"wide LoRA x.At", 512, 16, 4096, false, true},
    {"long LoRA x.At", 2048, 16, 3072, false, true}, {"decode LoRA xa.Bt", 1, 1536, 16, false, true},
};

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

template <typename Run>
void keepBest(double& best, Run run) {
  const double start = seconds();
  run();
  const double took = seconds() - start;
  if (took < best) best = took;
}

void bench(int threads) {
  ThreadPool pool(threads);
  char* scratch = static_cast<char*>(std::aligned_alloc(64, threads * kScratchBytesPerThread));
  Context context{&pool, scratch, kScratchBytesPerThread};
  std::printf("%-20s %6s %6s %6s | %8s %8s %8s %8s\n", "GFLOP/s", "M", "N", "K", "OpenBLAS", "f32", "f32·bf16", "bf16");
  for (const Shape& shape : kShapes) {
    const auto [what, m, n, k, a_transposed, b_transposed] = shape;
    // As many weights as a model has, in turn, so that they come from memory as in a step.
    const int64_t copies = 1 + (64 << 20) / (n * k * 4);
    std::vector<float> a(m * k), b(n * k * copies), c(m * n);
    for (size_t i = 0; i < a.size(); i++) a[i] = static_cast<float>(i % 17) / 17 - 0.5f;
    for (size_t i = 0; i < b.size(); i++) b[i] = static_cast<float>(i % 13) / 13 - 0.5f;
    std::vector<uint16_t> halves(b.size());
    for (size_t i = 0; i < b.size(); i++) halves[i] = toBf16(b[i]);
    const int64_t lda = a_transposed ? m : k, ldb = b_transposed ? k : n;
    const Matrix left{a.data(), DType::f32, lda, a_transposed};
    const double flops = 2.0 * m * n * k;
    const int repeats = static_cast<int>(8 + 4e9 / flops) > 200 ? 200 : static_cast<int>(8 + 4e9 / flops);
    double blas = 1e9, f32 = 1e9, mixed = 1e9, bf16 = 1e9;
    for (int i = 0; i < repeats; i++) {
      const int64_t offset = i % copies * n * k;
#if defined(WITH_OPENBLAS)
      keepBest(blas, [&] {
        cblas_sgemm(CblasRowMajor, a_transposed ? CblasTrans : CblasNoTrans, b_transposed ? CblasTrans : CblasNoTrans, m, n,
                    k, 1, a.data(), lda, b.data() + offset, ldb, 0, c.data(), n);
      });
#endif
      const Matrix wide{b.data() + offset, DType::f32, ldb, b_transposed};
      const Matrix narrow{halves.data() + offset, DType::bf16, ldb, b_transposed};
      keepBest(f32, [&] { gemm(context, m, n, k, 1, left, wide, c.data(), n, false, DType::f32); });
      keepBest(mixed, [&] { gemm(context, m, n, k, 1, left, narrow, c.data(), n, false, DType::f32); });
      keepBest(bf16, [&] { gemm(context, m, n, k, 1, left, narrow, c.data(), n, false, DType::bf16); });
    }
    std::printf("%-20s %6ld %6ld %6ld | %8.0f %8.0f %8.0f %8.0f | %.2f %.2f", what, long(m), long(n), long(k),
                flops / blas * 1e-9, flops / f32 * 1e-9, flops / mixed * 1e-9, flops / bf16 * 1e-9, blas / f32, blas / bf16);
    if (m <= 16) std::printf(" | weights %.1f and %.1f GB/s", n * k * 4e-9 / f32, n * k * 2e-9 / bf16);
    std::printf("\n");
  }
  std::free(scratch);
}

}  // namespace
}  // namespace anneal::ANNEAL_ISA

int main(int count, char** arguments) {
#if defined(ANNEAL_AMX)
  constexpr int kRequestPermission = 0x1023, kTileData = 18;  // as kernel_sets.cpp asks
  if (syscall(SYS_arch_prctl, kRequestPermission, kTileData) != 0) return std::puts("the kernel does not lend AMX's tiles"), 1;
#endif
  const int threads = count > 1 ? std::atoi(arguments[1]) : 1;
#if defined(WITH_OPENBLAS)
  openblas_set_num_threads(threads);
#endif
  anneal::ANNEAL_ISA::bench(threads);
}
