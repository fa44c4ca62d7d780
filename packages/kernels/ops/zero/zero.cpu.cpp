#include <cstring>

#include "cpu/parallel.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

const char* zero(const Launch& launch) {
  char* data = launch.outputs[0].data;
  const int64_t bytes = launch.outputs[0].elements() * static_cast<int64_t>(elementBytes(launch.outputs[0].type));
  parallelFor(*launch.context, bytes, int64_t{1} << 18, [=](int64_t begin, int64_t end) { std::memset(data + begin, 0, end - begin); });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
