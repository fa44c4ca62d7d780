// The native boundary: exports only. Its types are in src/addonTypes.ts.

#include <napi.h>

#include <algorithm>
#include <memory>

#include "convert.h"
#include "devices_addon.h"
#include "engine.h"
#include "task.h"
#include "weights/weights_addon.h"

namespace anneal {
namespace {

class NativeEngine : public Napi::ObjectWrap<NativeEngine> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "NativeEngine",
                       {InstanceMethod("write", &NativeEngine::write), InstanceMethod("load", &NativeEngine::load),
                        InstanceMethod("loadNf4", &NativeEngine::loadNf4), InstanceMethod("run", &NativeEngine::run),
                        InstanceMethod("read", &NativeEngine::read), InstanceMethod("cancel", &NativeEngine::cancel),
                        InstanceMethod("setProfiling", &NativeEngine::setProfiling), InstanceMethod("takeProfile", &NativeEngine::takeProfile),
                        InstanceMethod("dispose", &NativeEngine::dispose)});
  }

  explicit NativeEngine(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    try {
      const auto plan = info[0].As<Napi::Uint8Array>();
      const std::string device = info[1].As<Napi::String>();
      engine_ = std::make_shared<Engine>(readPlan(plan.Data(), plan.ByteLength()), device);
    } catch (const std::exception& error) {
      throw Napi::Error::New(info.Env(), error.what());
    }
  }

 private:
  Engine& engine(Napi::Env env) {
    if (!engine_) throw Napi::Error::New(env, "the engine has been disposed of");
    return *engine_;
  }

  void checkIdle(Napi::Env env) {
    if (busy_ || runs_ > 0) throw Napi::Error::New(env, "the engine is busy: await the previous call first");
  }

  Napi::Value start(Napi::Env env, std::vector<Napi::ObjectReference> keep, Task::Work work, Task::Finish finish) {
    keep.push_back(Napi::Persistent(Value()));
    busy_ = true;
    auto* task = new Task(env, std::move(keep), std::move(work), std::move(finish), [this] { busy_ = false; });
    task->Queue();
    return task->promise();
  }

  const Place& variable(Napi::Env env, uint32_t index) {
    const auto& variables = engine(env).plan().variables;
    if (index >= variables.size()) throw Napi::Error::New(env, "no such variable");
    return variables[index];
  }

  // write(variable, bytes, source dtype, first element or undefined for the whole): converts into the variable's own type
  Napi::Value write(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    checkIdle(env);
    const Place& place = variable(env, info[0].As<Napi::Number>().Uint32Value());
    const auto bytes = info[1].As<Napi::Uint8Array>();
    const auto source = static_cast<SourceType>(info[2].As<Napi::Number>().Int32Value());
    const bool is_whole = info[3].IsUndefined();
    const uint64_t first = is_whole ? 0 : static_cast<uint64_t>(info[3].As<Napi::Number>().Int64Value());
    const uint64_t count = bytes.ByteLength() / sourceBytes(source);
    const uint64_t capacity = place.bytes / elementBytes(place.type);
    if (bytes.ByteLength() % sourceBytes(source) != 0) throw Napi::Error::New(env, "part of a value for " + place.name);
    if (is_whole && count != capacity)
      throw Napi::Error::New(env, std::to_string(count) + " values for " + place.name + ", which holds " + std::to_string(capacity));
    if (first > capacity || count > capacity - first) throw Napi::Error::New(env, "more values than " + place.name + " holds");
    std::vector<Napi::ObjectReference> keep;
    keep.push_back(Napi::Persistent(bytes.As<Napi::Object>()));
    const uint8_t* data = bytes.Data();
    return start(env, std::move(keep), [engine = engine_, place, first, data, source, count] { engine->write(place, first, data, source, count); },
                 [](Napi::Env e) { return e.Undefined(); });
  }

  /** Keeps a pattern alive in `keep`. */
  static WeightSource readSource(Napi::Env env, const Napi::Object& object, uint64_t count, std::vector<Napi::ObjectReference>& keep) {
    WeightSource source{};
    source.type = static_cast<SourceType>(object.Get("type").As<Napi::Number>().Int32Value());
    source.count = count;
    source.descriptor = -1;
    if (object.Get("pattern").IsTypedArray()) {
      const auto pattern = object.Get("pattern").As<Napi::Uint8Array>();
      source.pattern = pattern.Data();
      source.pattern_bytes = pattern.ByteLength();
      if (source.pattern_bytes == 0) throw Napi::Error::New(env, "a pattern without a value");
      keep.push_back(Napi::Persistent(pattern.As<Napi::Object>()));
      return source;
    }
    source.descriptor = object.Get("descriptor").As<Napi::Number>().Int32Value();
    source.position = static_cast<uint64_t>(object.Get("position").As<Napi::Number>().Int64Value());
    const uint64_t rows = object.Get("rows").As<Napi::Number>().Uint32Value();
    source.head_rows = object.Get("headRows").As<Napi::Number>().Uint32Value();
    if (rows == 0 || count % rows != 0 || (source.head_rows > 0 && (rows % source.head_rows != 0 || source.head_rows % 2 != 0)))
      throw Napi::Error::New(env, "values that are not whole rows, or rows that are not whole heads");
    source.row_bytes = count / rows * sourceBytes(source.type);
    return source;
  }

  // load(variable, source) → {problem, notFinite}
  Napi::Value load(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    checkIdle(env);
    const Place place = variable(env, info[0].As<Napi::Number>().Uint32Value());
    std::vector<Napi::ObjectReference> keep;
    const WeightSource source = readSource(env, info[1].As<Napi::Object>(), place.bytes / elementBytes(place.type), keep);
    auto outcome = std::make_shared<LoadOutcome>();
    return start(env, std::move(keep), [engine = engine_, place, source, outcome] { *outcome = engine->load(place, source); },
                 [outcome](Napi::Env e) -> Napi::Value {
                   auto answer = Napi::Object::New(e);
                   answer.Set("problem", orNull(e, outcome->problem));
                   const int64_t element = outcome->not_finite;
                   answer.Set("notFinite", element < 0 ? e.Null() : Napi::Value(Napi::Number::New(e, static_cast<double>(element))));
                   return answer;
                 });
  }

  // loadNf4({codes, absmax, double: {scales, offsets, map} | null}, source) → {problem, isFinite}
  Napi::Value loadNf4(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    checkIdle(env);
    const auto object = info[0].As<Napi::Object>();
    const auto place = [&](const Napi::Object& from, const char* name) { return variable(env, from.Get(name).As<Napi::Number>().Uint32Value()); };
    Nf4Variables variables{};
    variables.codes = place(object, "codes");
    variables.absmax = place(object, "absmax");
    variables.is_double = object.Get("double").IsObject();
    std::vector<Napi::ObjectReference> keep;
    if (variables.is_double) {
      const auto twice = object.Get("double").As<Napi::Object>();
      variables.scales = place(twice, "scales");
      variables.offsets = place(twice, "offsets");
      const auto map = twice.Get("map").As<Napi::Float32Array>();
      if (map.ElementLength() != 256) throw Napi::Error::New(env, "a map has 256 values");
      variables.map = map.Data();
      keep.push_back(Napi::Persistent(map.As<Napi::Object>()));
    }
    const WeightSource source = readSource(env, info[1].As<Napi::Object>(), variables.codes.bytes * 2, keep);
    auto outcome = std::make_shared<Nf4Outcome>();
    return start(env, std::move(keep), [engine = engine_, variables, source, outcome] { *outcome = engine->load(variables, source); },
                 [outcome](Napi::Env e) -> Napi::Value {
                   auto answer = Napi::Object::New(e);
                   answer.Set("problem", orNull(e, outcome->problem));
                   answer.Set("isFinite", Napi::Boolean::New(e, outcome->is_finite));
                   return answer;
                 });
  }

  static Napi::Value orNull(Napi::Env env, const std::string& text) {
    return text.empty() ? env.Null() : Napi::Value(Napi::String::New(env, text));
  }

  // run([{program, dims: Int32Array, inputs: [[index, Uint8Array], …], results: [[index, bytes], …]}, …]) → {done, results}
  Napi::Value run(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (busy_ || runs_ >= kMostPending) throw Napi::Error::New(env, "the engine is busy: await an earlier call first");
    Engine& target = engine(env);
    auto calls = std::make_shared<std::vector<Call>>();
    const auto list = info[0].As<Napi::Array>();
    for (uint32_t i = 0; i < list.Length(); i++) calls->push_back(readCall(env, list.Get(i).As<Napi::Object>(), target.plan()));
    if (runs_ == 0) target.resume();
    auto outcome = std::make_shared<Outcome>();
    std::vector<Napi::ObjectReference> keep;
    keep.push_back(Napi::Persistent(Value()));
    runs_++;
    auto* task = new Task(env, std::move(keep),
                          [engine = engine_, turn = target.nextTurn(), calls, outcome] { *outcome = engine->run(turn, *calls); },
                          [outcome](Napi::Env e) { return outcomeOf(e, *outcome); }, [this] { runs_--; });
    task->Queue();
    return task->promise();
  }

  static Napi::Value outcomeOf(Napi::Env env, const Outcome& outcome) {
    auto answer = Napi::Object::New(env);
    answer.Set("done", Napi::Number::New(env, static_cast<double>(outcome.done)));
    auto values = Napi::Array::New(env, outcome.results.size());
    for (uint32_t i = 0; i < values.Length(); i++) {
      const std::vector<char>& bytes = outcome.results[i];
      auto buffer = Napi::ArrayBuffer::New(env, bytes.size());
      std::copy(bytes.begin(), bytes.end(), static_cast<char*>(buffer.Data()));
      values.Set(i, buffer);
    }
    answer.Set("results", values);
    return answer;
  }

  static Call readCall(Napi::Env env, const Napi::Object& object, const Plan& plan) {
    Call call{};
    call.program = object.Get("program").As<Napi::Number>().Uint32Value();
    if (call.program >= plan.programs.size()) throw Napi::Error::New(env, "no such program");
    const auto dims = object.Get("dims").As<Napi::Int32Array>();
    if (dims.ElementLength() != kRuntimeDims) throw Napi::Error::New(env, "a call has one extent for each of T, S, N, C and R");
    for (size_t d = 0; d < kRuntimeDims; d++) call.dims[d] = dims[d];
    const auto inputs = object.Get("inputs").As<Napi::Array>();
    for (uint32_t i = 0; i < inputs.Length(); i++) {
      const auto pair = inputs.Get(i).As<Napi::Array>();
      const auto bytes = pair.Get(1u).As<Napi::Uint8Array>();
      call.inputs.push_back({pair.Get(0u).As<Napi::Number>().Uint32Value(), {bytes.Data(), bytes.Data() + bytes.ByteLength()}});
    }
    const auto results = object.Get("results").As<Napi::Array>();
    for (uint32_t i = 0; i < results.Length(); i++) {
      const auto pair = results.Get(i).As<Napi::Array>();
      const Place& place = plan.programs[call.program].results.at(pair.Get(0u).As<Napi::Number>().Uint32Value());
      const auto bytes = static_cast<uint64_t>(pair.Get(1u).As<Napi::Number>().Int64Value());
      if (bytes > place.bytes) throw Napi::Error::New(env, "more of the result " + place.name + " than planned");
      call.results.push_back({place.offset, bytes});
    }
    return call;
  }

  static Napi::Value copyOut(Napi::Env env, Engine& engine, const Place& place) {
    auto buffer = Napi::ArrayBuffer::New(env, place.bytes);
    try {
      engine.read(place, static_cast<char*>(buffer.Data()));
    } catch (const std::exception& error) {
      throw Napi::Error::New(env, error.what());
    }
    return buffer;
  }

  Napi::Value read(const Napi::CallbackInfo& info) {
    checkIdle(info.Env());
    return copyOut(info.Env(), engine(info.Env()), variable(info.Env(), info[0].As<Napi::Number>().Uint32Value()));
  }

  void cancel(const Napi::CallbackInfo&) {
    if (engine_) engine_->cancel();
  }

  void setProfiling(const Napi::CallbackInfo& info) { engine(info.Env()).setProfiling(info[0].As<Napi::Boolean>()); }

  Napi::Value takeProfile(const Napi::CallbackInfo& info) {
    checkIdle(info.Env());
    auto rows = Napi::Array::New(info.Env());
    for (const auto& slot : engine(info.Env()).takeProfile()) {
      if (slot.launches == 0) continue;
      auto row = Napi::Object::New(info.Env());
      row.Set("op", slot.op);
      row.Set("milliseconds", static_cast<double>(slot.nanoseconds) / 1e6);
      row.Set("launches", static_cast<double>(slot.launches));
      rows.Set(rows.Length(), row);
    }
    return rows;
  }

  void dispose(const Napi::CallbackInfo& info) {
    checkIdle(info.Env());
    engine_.reset();
  }

  std::shared_ptr<Engine> engine_;
  bool busy_ = false;  // with a task that is no run, from its start to its end, both on the JS thread
  int runs_ = 0;       // likewise
};

Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("boundary", ANNEAL_BOUNDARY);
  exports.Set("NativeEngine", NativeEngine::define(env));
  exports.Set("instructionSets", Napi::Function::New(env, instructionSetsToJs));
  exports.Set("cudaLibrary", Napi::Function::New(env, cudaLibraryToJs));
  exports.Set("cudaDevices", Napi::Function::New(env, cudaDevicesToJs));
  exports.Set("encodeWeights", Napi::Function::New(env, encodeWeightsFromJs));
  exports.Set("quantizeNf4", Napi::Function::New(env, quantizeNf4FromJs));
  exports.Set("cudaFreeBytes", Napi::Function::New(env, cudaFreeBytesToJs));
  exports.Set("scratchBytesPerThread", Napi::Number::New(env, kScratchBytesPerThread));
  return exports;
}

}  // namespace
}  // namespace anneal

static Napi::Object init(Napi::Env env, Napi::Object exports) { return anneal::init(env, exports); }
NODE_API_MODULE(anneal, init)
