#include "cuda/elements.cuh"

namespace anneal::cuda {
namespace {

template <bool Split, typename A>
struct Columns {
  A *x, *left, *right;
  int64_t leftWidth, rightWidth;

  template <int V>
  __device__ void run(int64_t row, int column) const {
    A* whole = x + row * (leftWidth + rightWidth) + column;
    A* part = column < leftWidth ? left + row * leftWidth + column : right + row * rightWidth + column - leftWidth;
    copyVector<V>(Split ? part : whole, Split ? whole : part);
  }
};

template <bool Split>
const char* copyColumns(const Launch& launch, const Tensor& x, const Tensor& left, const Tensor& right) {
  return withType(x.type, [&](auto zero) {
    using A = decltype(zero);
    const Columns<Split, A> columns{dataOf<A>(x), dataOf<A>(left), dataOf<A>(right), left.shape[1], right.shape[1]};
    overRows<A>(launch, x.shape[0], x.shape[1], columns, vectorRows(columns.leftWidth, kLanes<A>));
  });
}

}  // namespace

const char* split_columns(const Launch& launch) {
  return copyColumns<true>(launch, launch.inputs[0], launch.outputs[0], launch.outputs[1]);
}

const char* join_columns(const Launch& launch) {
  return copyColumns<false>(launch, launch.outputs[0], launch.inputs[0], launch.inputs[1]);
}

}  // namespace anneal::cuda
