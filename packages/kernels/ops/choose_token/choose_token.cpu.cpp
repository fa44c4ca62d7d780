#include <cmath>

#include "sampling.h"
#include "cpu/parallel.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

/** Weights of a row, as shares of the likeliest token's. */
struct Row {
  const float* logits;
  int tokens;
  float top;
  double temperature;

  double weight(float logit) const { return std::exp((double{logit} - double{top}) / temperature); }
};

static int32_t argmax(const float* logits, int tokens) {
  int32_t best = 0;
  for (int32_t i = 1; i < tokens; i++) {
    // What is no number wins, so that it is noticed.
    if (logits[i] > logits[best] || (logits[i] != logits[i] && logits[best] == logits[best])) best = i;
  }
  return best;
}

static int32_t drawn(const Row& row, const Sampling& sampling, double draw) {
  const auto above = [&](uint32_t order) {
    Mass mass{0, 0};
    for (int i = 0; i < row.tokens; i++) {
      if (orderOf(row.logits[i]) > order) mass.count++, mass.weight += row.weight(row.logits[i]);
    }
    return mass;
  };
  const auto weightOf = [&](uint32_t order) {
    for (int i = 0; i < row.tokens; i++) {
      if (orderOf(row.logits[i]) == order) return row.weight(row.logits[i]);
    }
    return 0.0;
  };
  const Kept kept = keptBy(sampling, row.tokens, 0, above, weightOf);
  // Before id `from`: the sum of weights, and how many of the tied tokens are left.
  struct Place {
    int from;
    double sum;
    int ties;
  };
  // Goes on from a place, and adds up until visit(id, sum) says false.
  const auto forKept = [&](Place& place, int end, auto visit) {
    for (; place.from < end; place.from++) {
      const float logit = row.logits[place.from];
      const uint32_t order = orderOf(logit);
      if (order < kept.order || (order == kept.order && place.ties-- <= 0)) continue;
      const double weight = row.weight(logit);
      if (weight >= sampling.min_p && !visit(place.from, place.sum += weight)) return;
    }
  };
  // Few of the weights are computed again.
  constexpr int kParts = 64;
  Place place{0, 0, kept.ties}, begins[kParts];
  for (int part = 0; part < kParts; part++) {
    begins[part] = place;
    forKept(place, static_cast<int>(int64_t{row.tokens} * (part + 1) / kParts), [](int, double) { return true; });
  }
  const double wanted = draw * place.sum;
  int part = 0;
  while (part + 1 < kParts && begins[part + 1].sum <= wanted) part++;
  int32_t chosen = 0;
  forKept(begins[part], row.tokens, [&](int id, double sum) {
    chosen = id;
    return sum <= wanted;
  });
  return chosen;
}

const char* choose_token(const Launch& launch) {
  const float* logits = launch.inputs[0].f32();
  const int32_t* rows = launch.inputs[1].i32();
  const double *draws = launch.inputs[2].f64(), *how = launch.inputs[3].f64();
  int32_t* ids = launch.outputs[0].i32();
  const int64_t height = launch.inputs[0].shape[0], tokens = launch.inputs[0].shape[1], choices = launch.inputs[1].shape[0];
  for (int64_t c = 0; c < choices; c++) {
    if (rows[c] < 0 || rows[c] >= height) return "a token is chosen from a row that the logits do not have";
  }
  const Sampling sampling{how[0], how[1], how[2], how[3]};
  parallelFor(*launch.context, choices, grainFor(20 * tokens), [=](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; c++) {
      const float* row = logits + rows[c] * tokens;
      const int32_t best = argmax(row, static_cast<int>(tokens));
      if (!std::isfinite(row[best])) ids[c] = -1;
      else ids[c] = sampling.temperature == 0 ? best : drawn({row, static_cast<int>(tokens), row[best], sampling.temperature}, sampling, draws[c]);
    }
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
