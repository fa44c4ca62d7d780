#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "../convert.h"

namespace anneal {

/** Where the values of a weight lie. */
struct WeightSource {
  SourceType type;
  uint64_t count;
  /** Of an open file, or -1 where `pattern` is repeated from the first value on. */
  int descriptor;
  uint64_t position;
  const uint8_t* pattern;
  uint64_t pattern_bytes;
  /**
   * Rows of a head in a GGUF file that pairs row 2i with row 2i + 1 where we pair row i with row i + head_rows / 2; else 0.
   * Whole heads of rows of `row_bytes`.
   */
  uint64_t head_rows, row_bytes;
};

/** What went wrong while several threads read; the first problem is kept. */
class ReadProblem {
 public:
  void fileEnds(uint64_t at) { keep(-1, at); }
  void systemError(int number) { keep(number, 0); }
  bool occurred() const { return state_ != 0; }
  /** Empty where nothing did. */
  std::string text() const;

 private:
  void keep(int error, uint64_t at);

  std::atomic<int> state_{0};
  int error_ = 0;
  uint64_t at_ = 0;
};

/** Copies `bytes` of the values, from byte `offset` of them on. */
void readValues(const WeightSource& source, uint64_t offset, uint64_t bytes, char* target, ReadProblem& problem);

}  // namespace anneal
