// The matrix product against float64 in every orientation, type and kind of size, and with one thread against three.
//
//   g++ -std=c++17 -O3 -march=native -DANNEAL_ISA=avx512bf16 -Wno-psabi gemm_check.cpp ../gemm.cpu.cpp
//       ../../../thread_pool.cpp -pthread -o /tmp/gemm_check && /tmp/gemm_check
//
// -march says what is tested (for avx2: -march=haswell -DANNEAL_ISA=avx2; for plain: no -march). Exit code 1 on a failure.

#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "../../simd.h"
#include "../gemm.h"

namespace anneal::ANNEAL_ISA {
namespace {

struct Operand {
  int64_t rows, columns;  // of op(X)
  DType type;
  bool transposed;
  int64_t stride;
  std::vector<float> floats;
  std::vector<uint16_t> halves;

  Operand(int64_t rows, int64_t columns, DType type, bool transposed, std::mt19937& random)
      : rows(rows), columns(columns), type(type), transposed(transposed) {
    stride = (transposed ? rows : columns) + random() % 3;
    // The last row ends where its last element does, so that the sanitizer sees any read beyond.
    const size_t size = ((transposed ? columns : rows) - 1) * stride + (transposed ? rows : columns);
    std::normal_distribution<float> normal;
    for (size_t i = 0; i < size; i++) {
      const float value = normal(random);
      if (type == DType::bf16) halves.push_back(toBf16(value));
      else floats.push_back(value);
    }
  }

  Matrix matrix() const {
    return {type == DType::bf16 ? static_cast<const void*>(halves.data()) : floats.data(), type, stride, transposed};
  }

  double at(int64_t row, int64_t column, bool round) const {
    const size_t i = transposed ? column * stride + row : row * stride + column;
    if (type == DType::bf16) return fromBf16(halves[i]);
    return round ? fromBf16(toBf16(floats[i])) : floats[i];
  }
};

struct Threads {
  ThreadPool pool;
  char* scratch;
  Context context;
  explicit Threads(int count)
      : pool(count), scratch(static_cast<char*>(std::aligned_alloc(64, count * kScratchBytesPerThread))),
        context{&pool, scratch, kScratchBytesPerThread} {}
  ~Threads() { std::free(scratch); }
};

struct Call {
  int64_t m, n, k;
  float alpha;
  bool accumulate;
  DType compute;
};

bool agrees(const Call& call, const Operand& a, const Operand& b, Threads& one, Threads& three, std::mt19937& random) {
  const int64_t ldc = call.n + random() % 4;
  std::normal_distribution<float> normal;
  std::vector<float> before((call.m - 1) * ldc + call.n);
  for (float& value : before) value = normal(random);
  std::vector<float> c = before, again = before;
  gemm(one.context, call.m, call.n, call.k, call.alpha, a.matrix(), b.matrix(), c.data(), ldc, call.accumulate, call.compute);
  gemm(three.context, call.m, call.n, call.k, call.alpha, a.matrix(), b.matrix(), again.data(), ldc, call.accumulate, call.compute);
  if (std::memcmp(c.data(), again.data(), c.size() * sizeof(float)) != 0) return std::puts("other bits with three threads"), false;

  const bool round = call.compute == DType::bf16;
  for (int64_t i = 0; i < call.m; i++) {
    for (int64_t j = 0; j < ldc; j++) {
      if (static_cast<size_t>(i * ldc + j) >= c.size()) continue;
      const float got = c[i * ldc + j], old = before[i * ldc + j];
      if (j >= call.n) {
        if (got != old) return std::printf("wrote beyond the row at %ld, %ld\n", long(i), long(j)), false;
        continue;
      }
      double product = 0, magnitude = 0;
      for (int64_t l = 0; l < call.k; l++) {
        const double term = a.at(i, l, round) * b.at(l, j, round);
        product += term;
        magnitude += std::fabs(term);
      }
      const double expected = call.alpha * product + (call.accumulate ? old : 0);
      const double tolerance = 1e-6 * (std::fabs(call.alpha) * magnitude * (1 + std::sqrt(call.k) / 8) + std::fabs(old));
      if (!(std::fabs(got - expected) <= tolerance)) {
        return std::printf("at %ld, %ld: %.9g instead of %.9g\n", long(i), long(j), got, expected), false;
      }
    }
  }
  return true;
}

int check() {
  Threads one(1), three(3);
  std::mt19937 random(3407);
  const int64_t sizes[] = {1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 47, 48, 49, 64, 65, 100, 145};
  const int64_t large[] = {577, 769, 1100, 1537, 1600};
  const auto pick = [&](bool wide) { return wide ? large[random() % std::size(large)] : sizes[random() % std::size(sizes)]; };
  int calls = 0;
  for (int round = 0; round < 40; round++) {
    for (int kind = 0; kind < 32; kind++) {
      const int wide = round < 30 ? -1 : static_cast<int>(random() % 3);
      const Call call{pick(wide == 0), pick(wide == 1), pick(wide == 2), random() % 2 ? 1.0f : -0.375f, random() % 2 == 0,
                      kind & 1 ? DType::bf16 : DType::f32};
      const Operand a(call.m, call.k, kind & 2 ? DType::bf16 : DType::f32, kind & 4, random);
      const Operand b(call.k, call.n, kind & 8 ? DType::bf16 : DType::f32, kind & 16, random);
      calls++;
      if (agrees(call, a, b, one, three, random)) continue;
      std::printf("m=%ld n=%ld k=%ld alpha=%g accumulate=%d compute=%s; a %s%s, b %s%s\n", long(call.m), long(call.n),
                  long(call.k), call.alpha, call.accumulate, kind & 1 ? "bf16" : "f32", kind & 2 ? "bf16" : "f32",
                  kind & 4 ? " transposed" : "", kind & 8 ? "bf16" : "f32", kind & 16 ? " transposed" : "");
      return 1;
    }
  }
  std::printf("%d products agree with float64, the same bits with 1 and 3 threads\n", calls);
  return 0;
}

}  // namespace
}  // namespace anneal::ANNEAL_ISA

int main() { return anneal::ANNEAL_ISA::check(); }
