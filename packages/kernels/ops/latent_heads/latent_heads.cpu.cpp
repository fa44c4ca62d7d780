#include <cstring>

#include "cpu/parallel.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {
namespace {

/** Sizes of one head. */
struct Sizes {
  int64_t heads, value, shared, key;

  int64_t own() const { return key - shared; }
  int64_t up() const { return own() + value; }
};

void copy(float* to, const float* from, int64_t count) { std::memcpy(to, from, static_cast<size_t>(count) * sizeof(float)); }

void clear(float* to, int64_t count) { std::memset(to, 0, static_cast<size_t>(count) * sizeof(float)); }

}  // namespace

const char* latent_keys_values(const Launch& launch) {
  const float *up = launch.inputs[0].f32(), *shared = launch.inputs[1].f32();
  float *keys = launch.outputs[0].f32(), *values = launch.outputs[1].f32();
  const int64_t T = launch.inputs[0].shape[0], K = launch.outputs[0].shape[1], heads = static_cast<int64_t>(launch.attributes[0]);
  const Sizes size{heads, static_cast<int64_t>(launch.attributes[1]), launch.inputs[1].shape[1], K / heads};
  parallelFor(*launch.context, T, grainFor(2 * K), [=](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++) {
      for (int64_t head = t * heads; head < (t + 1) * heads; head++) {
        const float* own = up + head * size.up();
        float *key = keys + head * size.key, *value = values + head * size.key;
        copy(key, own, size.own());
        copy(key + size.own(), shared + t * size.shared, size.shared);
        copy(value, own + size.own(), size.value);
        clear(value + size.value, size.key - size.value);
      }
    }
  });
  return nullptr;
}

const char* latent_keys_values_backward(const Launch& launch) {
  const float *dkeys = launch.inputs[0].f32(), *dvalues = launch.inputs[1].f32();
  float *dup = launch.outputs[0].f32(), *dshared = launch.outputs[1].f32();
  const int64_t T = launch.inputs[0].shape[0], K = launch.inputs[0].shape[1], heads = static_cast<int64_t>(launch.attributes[0]);
  const Sizes size{heads, static_cast<int64_t>(launch.attributes[1]), static_cast<int64_t>(launch.attributes[2]), K / heads};
  parallelFor(*launch.context, T, grainFor(2 * K), [=](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++) {
      float* sum = dshared + t * size.shared;
      clear(sum, size.shared);
      for (int64_t head = t * heads; head < (t + 1) * heads; head++) {
        const float* dkey = dkeys + head * size.key;
        float* own = dup + head * size.up();
        copy(own, dkey, size.own());
        copy(own + size.own(), dvalues + head * size.key, size.value);
        for (int64_t i = 0; i < size.shared; i++) sum[i] += dkey[size.own() + i];
      }
    }
  });
  return nullptr;
}

const char* trim_heads(const Launch& launch) {
  const float* x = launch.inputs[0].f32();
  float* y = launch.outputs[0].f32();
  const int64_t size = static_cast<int64_t>(launch.attributes[0]), kept = static_cast<int64_t>(launch.attributes[1]);
  parallelFor(*launch.context, launch.inputs[0].elements() / size, grainFor(2 * size), [=](int64_t begin, int64_t end) {
    for (int64_t head = begin; head < end; head++) copy(y + head * kept, x + head * size, kept);
  });
  return nullptr;
}

const char* pad_heads(const Launch& launch) {
  const float* y = launch.inputs[0].f32();
  float* x = launch.outputs[0].f32();
  const int64_t size = static_cast<int64_t>(launch.attributes[0]), kept = static_cast<int64_t>(launch.attributes[1]);
  parallelFor(*launch.context, launch.outputs[0].elements() / size, grainFor(2 * size), [=](int64_t begin, int64_t end) {
    for (int64_t head = begin; head < end; head++) {
      copy(x + head * size, y + head * kept, kept);
      clear(x + head * size + kept, size - kept);
    }
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
