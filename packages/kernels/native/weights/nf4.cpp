#include "../nf4.h"

#include <cstring>
#include <stdexcept>
#include <string>

#include "cpu/kernel_sets.h"
#include "in_ranges.h"
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

Nf4Encoder nf4Encoder(const char* isa) {
  const KernelSet* set = findKernelSet(isa);
#define ANNEAL_CHOOSE(set_name) \
  if (set && std::strcmp(set->isa, #set_name) == 0) return {set_name::quantizeNf4Blocks, set_name::quantizeNf4Absmax};
  ANNEAL_FOR_EACH_ISA(ANNEAL_CHOOSE)
#undef ANNEAL_CHOOSE
  throw std::runtime_error(std::string("no quantizer for the instruction set ") + (isa ? isa : "of this processor"));
}

float encodeAbsmax(const Nf4Job& job, const Nf4Encoder& encoder, ThreadPool& pool) {
  const int64_t blocks = (job.count + kNf4Block - 1) / kNf4Block;
  double sum = 0;
  for (int64_t i = 0; i < blocks; i++) sum += job.absmax[i];
  const float mean = static_cast<float>(sum / static_cast<double>(blocks));
  if (job.absmax_codes) {
    const int64_t groups = (blocks + kNf4ScaleBlock - 1) / kNf4ScaleBlock;
    inRanges(pool, groups, 16, [&](int64_t first, int64_t count) { encoder.absmax(job, mean, first, count); });
  }
  return mean;
}

float quantizeNf4(const Nf4Job& job, const char* isa, ThreadPool& pool) {
  const Nf4Encoder encoder = nf4Encoder(isa);
  inRanges(pool, (job.count + kNf4Block - 1) / kNf4Block, 512, [&](int64_t first, int64_t count) { encoder.blocks(job, first, count); });
  return encodeAbsmax(job, encoder, pool);
}

}  // namespace anneal
