#include "weight_source.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace anneal {
namespace {

void readFile(const WeightSource& source, uint64_t offset, uint64_t bytes, char* target, ReadProblem& problem) {
  uint64_t at = source.position + offset;
  while (bytes > 0) {
    const ssize_t got = pread(source.descriptor, target, bytes, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return problem.systemError(errno);
    if (got == 0) {
      struct stat status;
      return problem.fileEnds(fstat(source.descriptor, &status) == 0 ? static_cast<uint64_t>(status.st_size) : at);
    }
    at += static_cast<uint64_t>(got);
    target += got;
    bytes -= static_cast<uint64_t>(got);
  }
}

void repeatPattern(const WeightSource& source, uint64_t offset, uint64_t bytes, char* target) {
  while (bytes > 0) {
    const uint64_t start = offset % source.pattern_bytes, length = std::min(bytes, source.pattern_bytes - start);
    std::memcpy(target, source.pattern + start, length);
    offset += length;
    target += length;
    bytes -= length;
  }
}

/** The row of the file that is this row of ours. */
uint64_t rowInFile(uint64_t row, uint64_t head_rows) {
  const uint64_t in_head = row % head_rows, half = head_rows / 2;
  return row - in_head + in_head % half * 2 + in_head / half;
}

}  // namespace

void ReadProblem::keep(int error, uint64_t at) {
  int none = 0;
  if (!state_.compare_exchange_strong(none, 1)) return;
  error_ = error;
  at_ = at;
  state_ = 2;
}

std::string ReadProblem::text() const {
  if (!occurred()) return {};
  if (error_ < 0) return "the file ends at byte " + std::to_string(at_) + ", before the tensor it should hold";
  return std::string("the file cannot be read: ") + std::strerror(error_);
}

void readValues(const WeightSource& source, uint64_t offset, uint64_t bytes, char* target, ReadProblem& problem) {
  if (source.descriptor < 0) return repeatPattern(source, offset, bytes, target);
  if (source.head_rows == 0) return readFile(source, offset, bytes, target, problem);
  while (bytes > 0 && !problem.occurred()) {
    const uint64_t row = offset / source.row_bytes, start = offset % source.row_bytes;
    const uint64_t length = std::min(bytes, source.row_bytes - start);
    readFile(source, rowInFile(row, source.head_rows) * source.row_bytes + start, length, target, problem);
    offset += length;
    target += length;
    bytes -= length;
  }
}

}  // namespace anneal
