#pragma once

#include <cstddef>
#include <cstdint>

namespace anneal {

enum class DType : int32_t { f32 = 0, bf16 = 1, i32 = 2, u8 = 3, f64 = 4 };

/** Bytes of one element. `static`: included by units compiled once per instruction set, which must share no weak symbol. */
static inline constexpr size_t elementBytes(DType type) {
  return type == DType::bf16 ? 2 : type == DType::u8 ? 1 : type == DType::f64 ? 8 : 4;
}

}  // namespace anneal
