#include <cmath>
#include <cstring>

#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

namespace {

/** Which frequencies a token takes, and what its cosine and sine are multiplied by. */
struct Table {
  const int32_t *positions, *cu_seqlens;
  int64_t tokens, documents;
  const float *inverse, *longer;  // longer: null where all sequences take the same
  float scale, original, beta;
  double factor;  // of dynamic NTK, or 0

  int64_t lengthOf(int64_t token) const {
    if (!cu_seqlens) return int64_t{positions[tokens - 1]} + 1;
    int64_t document = 0;
    while (document + 1 < documents && cu_seqlens[document + 1] <= token) document++;
    return int64_t{cu_seqlens[document + 1]} - cu_seqlens[document];
  }
  bool isLong(int64_t token) const { return (longer || factor > 0) && static_cast<float>(lengthOf(token)) > original; }
  /** What the base has grown by, to the power of (2P - 2) / 2P; 1 within the original context. */
  double growthOf(int64_t token) const {
    if (factor == 0 || !isLong(token)) return 1;
    return factor * static_cast<double>(lengthOf(token)) / static_cast<double>(original) - (factor - 1);
  }
  float scaleOf(int64_t token) const {
    if (beta == 0) return scale;
    return scale * (1.0f + beta * ::logf(1.0f + ::floorf(static_cast<float>(positions[token]) / original)));
  }
};

}  // namespace

const char* rope_table(const Launch& launch) {
  const Tensor cu_seqlens = launch.inputs[3];
  const double* a = launch.attributes;
  const Table table{launch.inputs[0].i32(), cu_seqlens.i32(),       launch.inputs[0].shape[0],   cu_seqlens.absent() ? 0 : cu_seqlens.shape[0] - 1,
                    launch.inputs[1].f32(), launch.inputs[2].f32(), static_cast<float>(a[0]), static_cast<float>(a[1]),
                    static_cast<float>(a[2]),       a[3]};
  float* cosines = launch.outputs[0].f32();
  float* sines = launch.outputs[1].f32();
  const int64_t P = launch.inputs[1].shape[0];
  parallelFor(*launch.context, table.tokens, 8, [=](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++) {
      const float* inverse = table.longer && table.isLong(t) ? table.longer : table.inverse;
      const double growth = table.growthOf(t);
      const float scale = table.scaleOf(t);
      for (int64_t p = 0; p < P; p++) {
        const float frequency = growth == 1 ? inverse[p] : static_cast<float>(inverse[p] * ::pow(growth, -static_cast<double>(p) / static_cast<double>(P - 1)));
        const float angle = static_cast<float>(table.positions[t]) * frequency;
        cosines[t * P + p] = ::cosf(angle) * scale;
        sines[t * P + p] = ::sinf(angle) * scale;
      }
    }
  });
  return nullptr;
}

/** Pairs of neighbors. */
static void turnNeighbors(const float* x, const float* cosines, const float* sines, float direction, int64_t pairs, float* y) {
  for (int64_t p = 0; p < pairs; p++) {
    const float a = x[2 * p], b = x[2 * p + 1], s = sines[p] * direction;
    y[2 * p] = a * cosines[p] - b * s;
    y[2 * p + 1] = b * cosines[p] + a * s;
  }
}

/** Pairs of values half the turned part apart. */
static void turnHalves(const float* x, const float* cosines, const float* sines, float direction, int64_t pairs, float* y) {
  for (int64_t p = 0; p < pairs; p += Vec::width) {
    const int count = lanesAt(p, pairs);
    const Vec a = Vec::load(x + p, count), b = Vec::load(x + pairs + p, count);
    const Vec c = Vec::load(cosines + p, count), s = Vec::load(sines + p, count) * Vec::set(direction);
    (a * c - b * s).store(y + p, count);
    (b * c + a * s).store(y + pairs + p, count);
  }
}

const char* rope(const Launch& launch) {
  const float* x = launch.inputs[0].f32();
  const float* cosines = launch.inputs[1].f32();
  const float* sines = launch.inputs[2].f32();
  float* y = launch.outputs[0].f32();
  const int64_t D = launch.inputs[0].shape[1], P = launch.inputs[1].shape[1];
  const float direction = static_cast<float>(launch.attributes[0]);
  const int64_t size = static_cast<int64_t>(launch.attributes[1]), first = static_cast<int64_t>(launch.attributes[3]);
  const int64_t kept = size - first - 2 * P;
  const auto turn = launch.attributes[2] != 0 ? turnNeighbors : turnHalves;
  parallelFor(*launch.context, launch.inputs[0].shape[0], grainFor(D), [=](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++) {
      for (int64_t head = t * D; head < (t + 1) * D; head += size) {
        turn(x + head + first, cosines + t * P, sines + t * P, direction, P, y + head + first);
        if (x == y) continue;
        std::memcpy(y + head, x + head, static_cast<size_t>(first) * sizeof(float));
        std::memcpy(y + head + size - kept, x + head + size - kept, static_cast<size_t>(kept) * sizeof(float));
      }
    }
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
