#include "cuda/elements.cuh"

namespace anneal::cuda {
namespace {

template <typename A>
struct GatherRows {
  const A* x;
  const int32_t* rows;
  A* y;
  int64_t height, width;
  int32_t* fault;

  template <int V>
  __device__ void run(int64_t row, int column) const {
    const int64_t from = checkedId(rows[row], height, fault, Fault::row);
    float values[V];
    load<V>(x + from * width + column, values);
    store<V>(y + row * width + column, values);
  }
};

}  // namespace

const char* gather_rows(const Launch& launch) {
  const Tensor x = launch.inputs[0], rows = launch.inputs[1], y = launch.outputs[0];
  return withType(x.type, [&](auto zero) {
    using A = decltype(zero);
    overRows<A>(launch, rows.shape[0], x.shape[1],
                GatherRows<A>{dataOf<A>(x), rows.i32(), dataOf<A>(y), x.shape[0], x.shape[1], contextOf(launch).fault});
  });
}

}  // namespace anneal::cuda
