#pragma once

#include <cstddef>
#include <cstdint>

#include "dtype.h"

namespace anneal {

/** Element types that weights arrive in, numbered as in src/addonTypes.ts. */
enum class SourceType : int32_t { f32 = 0, bf16 = 1, f16 = 2, i32 = 3, f64 = 4, u8 = 5 };

size_t sourceBytes(SourceType type);

/** Whether the bytes of both are the same. */
bool isSameType(SourceType from, DType to);

/** Throws std::runtime_error for pairs that make no sense. */
void checkConvertible(SourceType from, DType to);

/** Converts count elements; to bf16 by rounding to nearest even. Throws as checkConvertible. */
void convert(const uint8_t* source, SourceType from, char* target, DType to, uint64_t count);

}  // namespace anneal
