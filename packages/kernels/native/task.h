#pragma once

#include <napi.h>

#include <functional>
#include <utility>
#include <vector>

namespace anneal {

/** Runs `work` on a libuv thread and settles a promise; keeps the engine and the JS values it reads alive meanwhile. */
class Task : public Napi::AsyncWorker {
 public:
  using Work = std::function<void()>;
  using Finish = std::function<Napi::Value(Napi::Env)>;
  using Settle = std::function<void()>;

  Task(Napi::Env env, std::vector<Napi::ObjectReference> keep, Work work, Finish finish, Settle settle)
      : AsyncWorker(env), deferred_(Napi::Promise::Deferred::New(env)), keep_(std::move(keep)), work_(std::move(work)), finish_(std::move(finish)),
        settle_(std::move(settle)) {}

  Napi::Promise promise() const { return deferred_.Promise(); }

 protected:
  void Execute() override { work_(); }
  void OnOK() override {
    try {
      const Napi::Value value = finish_(Env());
      settle_();
      deferred_.Resolve(value);
    } catch (const Napi::Error& error) {
      OnError(error);
    }
  }
  void OnError(const Napi::Error& error) override {
    settle_();
    deferred_.Reject(error.Value());
  }

 private:
  Napi::Promise::Deferred deferred_;
  std::vector<Napi::ObjectReference> keep_;
  Work work_;
  Finish finish_;
  Settle settle_;
};

}  // namespace anneal
