#include "weights.h"

#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "instruction_sets.h"

namespace anneal {

#define ANNEAL_DECLARE(isa) \
  namespace isa {           \
  void encodeRows(const EncodeJob& job, int64_t first, int64_t count, Unrepresentable& found); \
  }
ANNEAL_FOR_EACH_ISA(ANNEAL_DECLARE)
#undef ANNEAL_DECLARE

namespace {

using EncodeRows = void (*)(const EncodeJob&, int64_t, int64_t, Unrepresentable&);

EncodeRows encoderFor(const char* isa) {
#define ANNEAL_CHOOSE(set) \
  if (std::strcmp(isa, #set) == 0) return set::encodeRows;
  ANNEAL_FOR_EACH_ISA(ANNEAL_CHOOSE)
#undef ANNEAL_CHOOSE
  throw std::runtime_error(std::string("no encoder for the instruction set ") + isa);
}

constexpr double kHalf = 65504;

// Block scales are halves; half of what they allow leaves room for a fit that clips a block's extremes.
constexpr WeightFormat kFormats[kWeightTypes] = {
    {1, 4, 3.4028234663852886e38},  {1, 2, kHalf},           {1, 2, 3.3895313892515355e38},    {32, 34, kHalf * 127},
    {32, 18, kHalf * 8},            {32, 22, kHalf * 16},    {32, 24, kHalf},                  {256, 84, kHalf * 15 * 3 / 4},
    {256, 110, kHalf * 32 * 4 / 2}, {256, 144, kHalf * 63 * 15 / 4}, {256, 176, kHalf * 63 * 31 / 4}, {256, 210, kHalf * 128 * 32 / 2},
    {32, 18, kHalf * 113 / 2},      {256, 136, kHalf * 32 * 113 / 2}, {256, 98, kHalf * 31 * 15 / 2}, {256, 110, kHalf * 31 * 15 / 2}};

constexpr int64_t kWeightsPerTask = 1 << 15;

}  // namespace

const WeightFormat& weightFormat(WeightType type) { return kFormats[static_cast<int>(type)]; }

Unrepresentable encodeWeights(const EncodeJob& job, const char* isa, ThreadPool& pool) {
  struct Work {
    const EncodeJob* job;
    EncodeRows encode;
    int64_t grain;
    std::vector<Unrepresentable> found;
  } work{&job, encoderFor(isa), job.columns < kWeightsPerTask ? kWeightsPerTask / job.columns : 1, {}};
  const int64_t tasks = (job.rows + work.grain - 1) / work.grain;
  work.found.assign(static_cast<size_t>(tasks), {-1, 0, 0});
  pool.run(
      tasks,
      [](void* argument, int64_t index, int) {
        Work& w = *static_cast<Work*>(argument);
        const int64_t first = index * w.grain, left = w.job->rows - first;
        w.encode(*w.job, first, left < w.grain ? left : w.grain, w.found[static_cast<size_t>(index)]);
      },
      &work);
  for (const Unrepresentable& found : work.found)
    if (found.index >= 0) return found;
  return {-1, 0, 0};
}

}  // namespace anneal
