#pragma once

#include <napi.h>

namespace anneal {

/** encodeWeights(job, isa, threads) → Promise, as in src/addonTypes.ts. */
Napi::Value encodeWeightsFromJs(const Napi::CallbackInfo& info);

/** quantizeNf4(job, isa, threads) → Promise, as in src/addonTypes.ts. */
Napi::Value quantizeNf4FromJs(const Napi::CallbackInfo& info);

}  // namespace anneal
