#pragma once

#include <cstdlib>
#include <cstring>

namespace anneal::cuda {

/**
 * Whether a list of targets as CMake writes it (`80-real,90a-real,90-virtual`) holds code for a GPU of this compute capability.
 * Machine code runs on later minor versions of its own major one, with an `a` on exactly its own; virtual code on all later ones.
 */
inline bool coversCapability(const char* targets, int major, int minor) {
  const int device = major * 10 + minor;
  for (const char* at = targets; *at;) {
    char* end;
    const int target = static_cast<int>(std::strtol(at, &end, 10));
    const bool exact = *end == 'a';
    const char* next = std::strchr(end, ',');
    const size_t length = next ? static_cast<size_t>(next - end) : std::strlen(end);
    const bool is_virtual = length >= 8 && std::strncmp(end + length - 8, "-virtual", 8) == 0;
    if (exact ? device == target : is_virtual ? device >= target : device / 10 == target / 10 && device >= target) return true;
    at = next ? next + 1 : end + length;
  }
  return false;
}

inline bool hasCodeFor(int major, int minor) { return coversCapability(ANNEAL_CUDA_TARGETS, major, minor); }

}  // namespace anneal::cuda
