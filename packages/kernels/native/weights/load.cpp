#include "load.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "../in_ranges.h"
#include "../nf4.h"
#include "finite.h"
#include "nf4_job.h"

namespace anneal {
namespace {

/** Bytes of a variable that are handed to the device at a time, and of values that a thread reads at a time. */
constexpr uint64_t kPieceBytes = uint64_t{16} << 20;
constexpr int64_t kReadBytes = int64_t{64} << 10;

void upload(Backend& backend, const Place& variable, const void* values, uint64_t bytes) {
  if (bytes != variable.bytes) throw std::runtime_error("what is to be loaded does not fill " + variable.name);
  backend.upload(backend.at(variable.offset), bytes, [&](char* target) { std::memcpy(target, values, bytes); });
}

void keepLeast(std::atomic<int64_t>& least, int64_t found) {
  int64_t known = least.load();
  while (found < known && !least.compare_exchange_weak(known, found)) {
  }
}

}  // namespace

LoadOutcome loadWeight(Backend& backend, const Place& variable, const WeightSource& source) {
  const uint64_t in = sourceBytes(source.type), out = elementBytes(variable.type);
  const bool as_it_is = isSameType(source.type, variable.type);
  const int64_t each = kReadBytes / static_cast<int64_t>(in);
  if (source.count * out != variable.bytes) throw std::runtime_error("what is to be loaded does not fill " + variable.name);
  checkConvertible(source.type, variable.type);  // here, as threads of the pool must not throw
  ReadProblem problem;
  constexpr int64_t none = INT64_MAX;
  std::atomic<int64_t> not_finite{none};
  for (uint64_t done = 0; done < source.count && !problem.occurred();) {
    const uint64_t count = std::min(kPieceBytes / out, source.count - done);
    backend.upload(backend.at(variable.offset) + done * out, count * out, [&](char* target) {
      inRanges(backend.pool(), static_cast<int64_t>(count), each, [&](int64_t first, int64_t length) {
        char* to = target + first * out;
        const uint64_t offset = (done + first) * in, bytes = length * in;
        alignas(64) char own[kReadBytes];
        char* values = as_it_is ? to : own;
        readValues(source, offset, bytes, values, problem);
        if (problem.occurred()) return;
        const int64_t found = firstNotFinite(values, source.type, length);
        if (found >= 0) keepLeast(not_finite, static_cast<int64_t>(done) + first + found);
        if (!as_it_is) convert(reinterpret_cast<const uint8_t*>(values), source.type, to, variable.type, length);
      });
    });
    done += count;
  }
  return {problem.text(), not_finite == none ? -1 : not_finite.load()};
}

Nf4Outcome loadNf4(Backend& backend, const Nf4Variables& variables, const WeightSource& source) {
  const Nf4Encoder encoder = nf4Encoder(nullptr);
  const uint64_t in = sourceBytes(source.type), blocks = (source.count + kNf4Block - 1) / kNf4Block;
  const int64_t each = kReadBytes / 4;
  if (source.count % 2 != 0 || source.count / 2 != variables.codes.bytes)
    throw std::runtime_error("what is to be loaded does not fill " + variables.codes.name);
  std::vector<float> absmax(blocks);
  ReadProblem problem;
  for (uint64_t done = 0; done < source.count && !problem.occurred();) {
    const uint64_t count = std::min(kPieceBytes * 2, source.count - done);
    backend.upload(backend.at(variables.codes.offset) + done / 2, count / 2, [&](char* target) {
      inRanges(backend.pool(), static_cast<int64_t>(count), each, [&](int64_t first, int64_t length) {
        alignas(64) char values[kReadBytes];
        readValues(source, (done + first) * in, length * in, values, problem);
        if (problem.occurred()) return;
        Nf4Job job{};
        job.source = reinterpret_cast<const uint8_t*>(values);
        job.source_type = source.type;
        job.count = length;
        job.codes = reinterpret_cast<uint8_t*>(target) + first / 2;
        job.absmax = absmax.data() + (done + first) / kNf4Block;
        encoder.blocks(job, 0, (length + kNf4Block - 1) / kNf4Block);
      });
    });
    done += count;
  }
  if (problem.occurred()) return {problem.text(), true};
  Nf4Job job{};
  job.count = static_cast<int64_t>(source.count);
  job.absmax = absmax.data();
  std::vector<uint8_t> absmax_codes(variables.is_double ? blocks : 0);
  std::vector<float> scales(variables.is_double ? (blocks + kNf4ScaleBlock - 1) / kNf4ScaleBlock : 0);
  if (variables.is_double) {
    job.absmax_codes = absmax_codes.data();
    job.scales = scales.data();
    job.map = variables.map;
  }
  const float mean = encodeAbsmax(job, encoder, backend.pool());
  if (!std::isfinite(mean)) return {{}, false};
  if (!variables.is_double) {
    upload(backend, variables.absmax, absmax.data(), blocks * sizeof(float));
    return {{}, true};
  }
  upload(backend, variables.absmax, absmax_codes.data(), blocks);
  upload(backend, variables.scales, scales.data(), scales.size() * sizeof(float));
  const std::vector<float> offsets(scales.size(), mean);
  upload(backend, variables.offsets, offsets.data(), offsets.size() * sizeof(float));
  return {{}, true};
}

}  // namespace anneal
