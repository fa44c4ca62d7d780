#include <string>

#include "../nf4.h"
#include "nf4_job.h"
#include "weights_addon.h"
#include "weights_task.h"

namespace anneal {
namespace {

int64_t blocksOf(int64_t count, int64_t block) { return (count + block - 1) / block; }

class QuantizeTask : public WeightsTask {
 public:
  QuantizeTask(Napi::Env env, const Napi::Object& object, std::string isa, int threads)
      : WeightsTask(env, std::move(isa), threads) {
    job_.source_type = static_cast<SourceType>(object.Get("sourceType").As<Napi::Number>().Int32Value());
    const bool is_float = job_.source_type == SourceType::f32 || job_.source_type == SourceType::bf16 || job_.source_type == SourceType::f16;
    check(is_float, "weights are f32, bf16 or f16");
    const auto source = array(object.Get("source"));
    job_.count = static_cast<int64_t>(source.ByteLength() / sourceBytes(job_.source_type));
    check(job_.count > 0 && job_.count % 2 == 0 && source.ByteLength() == static_cast<size_t>(job_.count) * sourceBytes(job_.source_type),
          "weights in NF4 come in pairs");
    const int64_t blocks = blocksOf(job_.count, kNf4Block);
    job_.source = source.Data();
    job_.codes = bytes(object.Get("codes"), job_.count / 2);
    job_.absmax = reinterpret_cast<float*>(bytes(object.Get("absmax"), blocks * 4));
    if (object.Get("double").IsObject()) {
      const auto twice = object.Get("double").As<Napi::Object>();
      job_.absmax_codes = bytes(twice.Get("absmax"), blocks);
      job_.scales = reinterpret_cast<float*>(bytes(twice.Get("scales"), blocksOf(blocks, kNf4ScaleBlock) * 4));
      job_.map = reinterpret_cast<const float*>(bytes(twice.Get("map"), 256 * 4));
    }
  }

 protected:
  void Execute() override {
    ThreadPool pool(threads_);
    mean_ = quantizeNf4(job_, isa_.c_str(), pool);
  }
  void OnOK() override { deferred_.Resolve(Napi::Number::New(Env(), mean_)); }

 private:
  uint8_t* bytes(const Napi::Value& value, int64_t size) {
    auto found = array(value);
    check(found.ByteLength() == static_cast<size_t>(size), "an array of NF4 weights has another size than they take");
    return found.Data();
  }

  Nf4Job job_{};
  float mean_ = 0;
};

}  // namespace

Napi::Value quantizeNf4FromJs(const Napi::CallbackInfo& info) { return startWeightsTask<QuantizeTask>(info); }

}  // namespace anneal
