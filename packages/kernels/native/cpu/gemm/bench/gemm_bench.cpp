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
#include <utility>
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
    {"decode LoRA xa.Bt, 4", 4, 1536, 16, false, true}, {"decode LoRA xa.Bt, 8", 8, 1536, 16, false, true},
    {"decode LoRA r 8", 1, 576, 8, false, true},     {"decode LoRA r 32", 1, 1536, 32, false, true},
    {"decode LoRA r 64", 1, 1536, 64, false, true},  {"decode LoRA r 128", 1, 1536, 128, false, true},
    {"decode LoRA x.At", 1, 16, 576, false, true},   {"decode LoRA x.At, 8", 8, 16, 3072, false, true},
    {"LoRA dY.B of 8", 8, 16, 1536, false, false},   {"LoRA dY.B of 16", 16, 64, 1536, false, false},
    {"LoRA dY.B of 32", 32, 64, 1536, false, false}, {"forward q 0.6B", 2048, 2048, 1024, false, true},
    {"forward gate 0.6B", 2048, 3072, 1024, false, true}, {"forward down 0.6B", 2048, 1024, 3072, false, true},
    {"dX of down 0.6B", 2048, 3072, 1024, false, false}, {"dX of gate 0.6B", 2048, 1024, 3072, false, false},
};

double smallerOf(double a, double b) { return a < b ? a : b; }

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

/** Operands of a step in float32; of one in bf16, with a frozen weight, and with a factor of LoRA, which stays in float32. */
constexpr int kKinds = 3;
constexpr DType kTypesOfA[] = {DType::f32, DType::bf16, DType::bf16}, kTypesOfB[] = {DType::f32, DType::bf16, DType::f32};

void bench(int threads) {
  ThreadPool pool(threads);
  char* scratch = static_cast<char*>(std::aligned_alloc(64, threads * kScratchBytesPerThread));
  Context context{&pool, scratch, kScratchBytesPerThread};
  std::printf("%-20s %6s %6s %6s | %8s %8s %8s %8s | times f32\n", "GFLOP/s", "M", "N", "K", "OpenBLAS", "f32", "bf16", "bf16·f32");
  for (const Shape& shape : kShapes) {
    const auto [what, m, n, k, a_transposed, b_transposed] = shape;
    // As many weights as a model has, in turn, so that they come from memory as in a step.
    const int64_t copies = 1 + (64 << 20) / (n * k * 4);
    std::vector<float> a(m * k), b(n * k * copies), c(m * n);
    for (size_t i = 0; i < a.size(); i++) a[i] = static_cast<float>(i % 17) / 17 - 0.5f;
    for (size_t i = 0; i < b.size(); i++) b[i] = static_cast<float>(i % 13) / 13 - 0.5f;
    std::vector<uint16_t> half_a(a.size()), half_b(b.size());
    for (size_t i = 0; i < a.size(); i++) half_a[i] = toBf16(a[i]);
    for (size_t i = 0; i < b.size(); i++) half_b[i] = toBf16(b[i]);
    const int64_t lda = a_transposed ? m : k, ldb = b_transposed ? k : n;
    const double flops = 2.0 * m * n * k;
    const int calls = static_cast<int>(1 + 2e5 / flops);  // a clock cannot time a microsecond
    const int repeats = static_cast<int>(8 + smallerOf(192, 4e9 / flops / calls));
    double blas = 1e9, best[kKinds] = {1e9, 1e9, 1e9};
    int64_t copy = 0;
    for (int i = 0; i < repeats; i++) {
#if defined(WITH_OPENBLAS)
      const int64_t next = copy++ % copies * n * k;
      keepBest(blas, [&] {
        for (int call = 0; call < calls; call++) {
          cblas_sgemm(CblasRowMajor, a_transposed ? CblasTrans : CblasNoTrans, b_transposed ? CblasTrans : CblasNoTrans, m, n,
                      k, 1, a.data(), lda, b.data() + next, ldb, 0, c.data(), n);
        }
      });
#endif
      for (int kind = 0; kind < kKinds; kind++) {
        const int64_t offset = copy++ % copies * n * k;
        const auto [type_a, type_b] = std::pair(kTypesOfA[kind], kTypesOfB[kind]);
        const void* from = type_b == DType::f32 ? static_cast<void*>(b.data() + offset) : half_b.data() + offset;
        const Matrix left{type_a == DType::f32 ? static_cast<void*>(a.data()) : half_a.data(), type_a, lda, a_transposed};
        const Matrix right{from, type_b, ldb, b_transposed};
        keepBest(best[kind], [&] {
          for (int call = 0; call < calls; call++) gemm(context, m, n, k, 1, left, right, c.data(), n, false, type_a);
        });
      }
    }
    const double done = flops * calls * 1e-9;
    std::printf("%-20s %6ld %6ld %6ld | %8.0f %8.0f %8.0f %8.0f | %.2f %.2f", what, long(m), long(n), long(k), done / blas,
                done / best[0], done / best[1], done / best[2], best[0] / best[1], best[0] / best[2]);
    if (m <= 16) {
      std::printf(" | weights %.1f and %.1f GB/s", n * k * 4e-9 * calls / best[0], n * k * 2e-9 * calls / best[1]);
    }
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
