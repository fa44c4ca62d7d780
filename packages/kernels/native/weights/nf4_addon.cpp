#include <string>
#include <vector>

#include "../nf4.h"
#include "nf4_job.h"
#include "weights_addon.h"

namespace anneal {
namespace {

int64_t blocksOf(int64_t count, int64_t block) { return (count + block - 1) / block; }

/** Owns a job while a libuv thread works on it; the arrays it points into are kept alive by references. */
class QuantizeTask : public Napi::AsyncWorker {
 public:
  QuantizeTask(Napi::Env env, const Napi::Object& object, std::string isa, int threads)
      : AsyncWorker(env), deferred_(Napi::Promise::Deferred::New(env)), isa_(std::move(isa)), threads_(threads) {
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

  Napi::Promise promise() const { return deferred_.Promise(); }

 protected:
  void Execute() override {
    ThreadPool pool(threads_);
    mean_ = quantizeNf4(job_, isa_.c_str(), pool);
  }
  void OnOK() override { deferred_.Resolve(Napi::Number::New(Env(), mean_)); }
  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

 private:
  void check(bool holds, const char* otherwise) {
    if (!holds) throw Napi::Error::New(Env(), otherwise);
  }

  Napi::Uint8Array array(const Napi::Value& value) {
    const auto bytes = value.As<Napi::Uint8Array>();
    keep_.push_back(Napi::Persistent(bytes.As<Napi::Object>()));
    return bytes;
  }

  uint8_t* bytes(const Napi::Value& value, int64_t size) {
    auto found = array(value);
    check(found.ByteLength() == static_cast<size_t>(size), "an array of NF4 weights has another size than they take");
    return found.Data();
  }

  Napi::Promise::Deferred deferred_;
  std::vector<Napi::ObjectReference> keep_;
  Nf4Job job_{};
  std::string isa_;
  int threads_;
  float mean_ = 0;
};

}  // namespace

Napi::Value quantizeNf4FromJs(const Napi::CallbackInfo& info) {
  const std::string isa = info[1].As<Napi::String>();
  auto* task = new QuantizeTask(info.Env(), info[0].As<Napi::Object>(), isa, info[2].As<Napi::Number>().Int32Value());
  task->Queue();
  return task->promise();
}

}  // namespace anneal
