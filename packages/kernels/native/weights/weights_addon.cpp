#include "weights_addon.h"

#include <string>
#include <vector>

#include "weights.h"
#include "weights_task.h"

namespace anneal {
namespace {

class EncodeTask : public WeightsTask {
 public:
  EncodeTask(Napi::Env env, const Napi::Object& object, std::string isa, int threads)
      : WeightsTask(env, std::move(isa), threads) {
    const auto source = array(object.Get("source"));
    job_.source_type = static_cast<SourceType>(object.Get("sourceType").As<Napi::Number>().Int32Value());
    job_.rows = object.Get("rows").As<Napi::Number>().Int64Value();
    job_.columns = object.Get("columns").As<Napi::Number>().Int64Value();
    const bool is_float = job_.source_type == SourceType::f32 || job_.source_type == SourceType::bf16 || job_.source_type == SourceType::f16;
    check(job_.rows >= 1 && job_.columns >= 1 && is_float, "weights are rows of f32, bf16 or f16");
    const uint64_t count = static_cast<uint64_t>(job_.rows * job_.columns);
    check(source.ByteLength() == count * sourceBytes(job_.source_type), "the source has another size than its rows");
    job_.source = source.Data();
    if (object.Get("adapter").IsObject()) readAdapter(object.Get("adapter").As<Napi::Object>());
    if (object.Get("importance").IsTypedArray()) {
      const auto importance = array(object.Get("importance"));
      check(importance.ByteLength() == static_cast<uint64_t>(job_.columns) * 4, "another number of importances than columns");
      job_.importance = reinterpret_cast<const float*>(importance.Data());
    }
    const auto list = object.Get("targets").As<Napi::Array>();
    for (uint32_t i = 0; i < list.Length(); i++) {
      const auto target = list.Get(i).As<Napi::Object>();
      const int32_t type = target.Get("type").As<Napi::Number>().Int32Value();
      check(type >= 0 && type < kWeightTypes, "no such type of weights");
      const WeightFormat& format = weightFormat(static_cast<WeightType>(type));
      auto bytes = array(target.Get("bytes"));
      check(job_.columns % format.length == 0, "a row is not whole blocks of a target's type");
      check(bytes.ByteLength() == count / static_cast<uint64_t>(format.length) * static_cast<uint64_t>(format.bytes),
            "a target has another size than its rows");
      if (static_cast<WeightType>(type) == WeightType::iq3_xxs) job_.iq3_xxs = &iq3XxsTable();
      if (static_cast<WeightType>(type) == WeightType::iq3_s) job_.iq3_s = &iq3STable();
      targets_.push_back({static_cast<WeightType>(type), bytes.Data()});
    }
    job_.targets = targets_.data();
    job_.target_count = targets_.size();
  }

 protected:
  void Execute() override {
    ThreadPool pool(threads_);
    found_ = encodeWeights(job_, isa_.c_str(), pool);
  }
  void OnOK() override {
    if (found_.index < 0) return deferred_.Resolve(Env().Null());
    auto found = Napi::Object::New(Env());
    found.Set("index", static_cast<double>(found_.index));
    found.Set("value", static_cast<double>(found_.value));
    found.Set("target", found_.target);
    deferred_.Resolve(found);
  }

 private:
  void readAdapter(const Napi::Object& adapter) {
    const auto a = array(adapter.Get("A")), b = array(adapter.Get("B"));
    job_.rank = adapter.Get("rank").As<Napi::Number>().Int64Value();
    job_.scale = adapter.Get("scale").As<Napi::Number>().DoubleValue();
    check(job_.rank >= 1 && a.ByteLength() == static_cast<uint64_t>(job_.rank * job_.columns) * 4 &&
              b.ByteLength() == static_cast<uint64_t>(job_.rows * job_.rank) * 4,
          "the adapter has another size than the rows");
    job_.a = reinterpret_cast<const float*>(a.Data());
    job_.b = reinterpret_cast<const float*>(b.Data());
    if (!adapter.Get("magnitude").IsTypedArray()) return;
    const auto magnitude = array(adapter.Get("magnitude"));
    check(magnitude.ByteLength() == static_cast<uint64_t>(job_.rows) * 4, "the adapter has another number of magnitudes than rows");
    job_.magnitude = reinterpret_cast<const float*>(magnitude.Data());
  }

  std::vector<EncodeJob::Target> targets_;
  EncodeJob job_{};
  Unrepresentable found_{};
};

}  // namespace

Napi::Value encodeWeightsFromJs(const Napi::CallbackInfo& info) { return startWeightsTask<EncodeTask>(info); }

}  // namespace anneal
