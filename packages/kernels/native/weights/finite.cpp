#include "finite.h"

#include <cstring>

namespace anneal {
namespace {

/** An exponent of ones alone: adding its lowest bit carries into the sign. */
template <typename Bits>
int64_t first(const char* values, int64_t count, Bits exponent, Bits lowest) {
  constexpr int64_t kBlock = 1024;
  constexpr Bits sign = Bits{1} << (8 * sizeof(Bits) - 1);
  Bits block[kBlock];
  for (int64_t start = 0; start < count; start += kBlock) {
    const int64_t length = count - start < kBlock ? count - start : kBlock;
    std::memcpy(block, values + start * sizeof(Bits), length * sizeof(Bits));
    Bits carried = 0;
    for (int64_t i = 0; i < length; i++) carried |= static_cast<Bits>((block[i] & exponent) + lowest);
    if ((carried & sign) == 0) continue;
    for (int64_t i = 0; i < length; i++)
      if ((block[i] & exponent) == exponent) return start + i;
  }
  return -1;
}

}  // namespace

int64_t firstNotFinite(const char* values, SourceType type, int64_t count) {
  switch (type) {
    case SourceType::f32: return first<uint32_t>(values, count, 0x7f800000u, 0x00800000u);
    case SourceType::bf16: return first<uint16_t>(values, count, 0x7f80, 0x0080);
    case SourceType::f16: return first<uint16_t>(values, count, 0x7c00, 0x0400);
    default: return -1;
  }
}

}  // namespace anneal
