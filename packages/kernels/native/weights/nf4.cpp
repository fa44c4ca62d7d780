#include "../nf4.h"

#include <cstring>
#include <stdexcept>
#include <string>

#include "instruction_sets.h"
#include "nf4_job.h"

namespace anneal {

#define ANNEAL_DECLARE(isa)                                                                    \
  namespace isa {                                                                              \
  void quantizeNf4Blocks(const Nf4Job& job, int64_t first, int64_t count);                     \
  void quantizeNf4Absmax(const Nf4Job& job, float mean, int64_t first, int64_t count);         \
  }
ANNEAL_FOR_EACH_ISA(ANNEAL_DECLARE)
#undef ANNEAL_DECLARE

namespace {

struct Quantizer {
  void (*blocks)(const Nf4Job&, int64_t, int64_t);
  void (*absmax)(const Nf4Job&, float, int64_t, int64_t);
};

Quantizer quantizerFor(const char* isa) {
#define ANNEAL_CHOOSE(set) \
  if (std::strcmp(isa, #set) == 0) return {set::quantizeNf4Blocks, set::quantizeNf4Absmax};
  ANNEAL_FOR_EACH_ISA(ANNEAL_CHOOSE)
#undef ANNEAL_CHOOSE
  throw std::runtime_error(std::string("no quantizer for the instruction set ") + isa);
}

/** Calls body(first, count) for consecutive ranges of `grain` items on all threads. */
template <class Body>
void inRanges(ThreadPool& pool, int64_t count, int64_t grain, const Body& body) {
  struct Work {
    const Body* body;
    int64_t count, grain;
  } work{&body, count, grain};
  pool.run(
      (count + grain - 1) / grain,
      [](void* argument, int64_t index, int) {
        const Work& w = *static_cast<Work*>(argument);
        const int64_t first = index * w.grain, left = w.count - first;
        (*w.body)(first, left < w.grain ? left : w.grain);
      },
      &work);
}

}  // namespace

float quantizeNf4(const Nf4Job& job, const char* isa, ThreadPool& pool) {
  const Quantizer quantizer = quantizerFor(isa);
  const int64_t blocks = (job.count + kNf4Block - 1) / kNf4Block;
  inRanges(pool, blocks, 512, [&](int64_t first, int64_t count) { quantizer.blocks(job, first, count); });
  double sum = 0;
  for (int64_t i = 0; i < blocks; i++) sum += job.absmax[i];
  const float mean = static_cast<float>(sum / static_cast<double>(blocks));
  if (job.absmax_codes) {
    const int64_t groups = (blocks + kNf4ScaleBlock - 1) / kNf4ScaleBlock;
    inRanges(pool, groups, 16, [&](int64_t first, int64_t count) { quantizer.absmax(job, mean, first, count); });
  }
  return mean;
}

}  // namespace anneal
