#include "cuda/elements.cuh"

namespace anneal::cuda {
namespace {

/** Row n of the few is row rows[n] of the matrix; which of them is read and which written is told by kPut. */
template <bool kPut>
struct MoveRows {
  const int32_t* rows;
  const float* from;
  float* into;
  int64_t height, width;
  int32_t* fault;

  template <int V>
  __device__ void run(int64_t row, int column) const {
    const int64_t other = checkedId(rows[row], height, fault, Fault::row);
    float values[V];
    load<V>(from + (kPut ? row : other) * width + column, values);
    store<V>(into + (kPut ? other : row) * width + column, values);
  }
};

template <bool kPut>
void moveRows(const Launch& launch, int64_t height) {
  const Tensor from = launch.inputs[0], rows = launch.inputs[1], into = launch.outputs[0];
  overRows<float>(launch, rows.shape[0], from.shape[1],
                  MoveRows<kPut>{rows.i32(), from.f32(), into.f32(), height, from.shape[1], contextOf(launch).fault});
}

}  // namespace

const char* take_rows(const Launch& launch) {
  moveRows<false>(launch, launch.inputs[0].shape[0]);
  return nullptr;
}

const char* put_rows(const Launch& launch) {
  moveRows<true>(launch, launch.outputs[0].shape[0]);
  return nullptr;
}

}  // namespace anneal::cuda
