#pragma once

#include <napi.h>

#include <string>
#include <utility>
#include <vector>

namespace anneal {

/** Owns a job while a libuv thread works on it; the arrays it points into are kept alive by references. */
class WeightsTask : public Napi::AsyncWorker {
 public:
  Napi::Promise promise() const { return deferred_.Promise(); }

 protected:
  WeightsTask(Napi::Env env, std::string isa, int threads)
      : AsyncWorker(env), deferred_(Napi::Promise::Deferred::New(env)), isa_(std::move(isa)), threads_(threads) {}

  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

  void check(bool holds, const char* otherwise) {
    if (!holds) throw Napi::Error::New(Env(), otherwise);
  }

  Napi::Uint8Array array(const Napi::Value& value) {
    const auto bytes = value.As<Napi::Uint8Array>();
    keep_.push_back(Napi::Persistent(bytes.As<Napi::Object>()));
    return bytes;
  }

  Napi::Promise::Deferred deferred_;
  std::string isa_;
  int threads_;

 private:
  std::vector<Napi::ObjectReference> keep_;
};

/** Starts the task of a call (job, isa, threads) from JavaScript. */
template <class Task>
Napi::Value startWeightsTask(const Napi::CallbackInfo& info) {
  const std::string isa = info[1].As<Napi::String>();
  auto* task = new Task(info.Env(), info[0].As<Napi::Object>(), isa, info[2].As<Napi::Number>().Int32Value());
  task->Queue();
  return task->promise();
}

}  // namespace anneal
