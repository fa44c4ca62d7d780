#include "devices_addon.h"

#include "cpu/kernel_sets.h"
#ifdef ANNEAL_CUDA
#include "cuda/cuda_backend.h"
#include "cuda/library_report.h"
#endif

namespace anneal {

Napi::Value instructionSetsToJs(const Napi::CallbackInfo& info) {
  auto names = Napi::Array::New(info.Env());
  for (const KernelSet* set = kernelSets(); set->isa; set++)
    if (set->supported()) names.Set(names.Length(), set->isa);
  return names;
}

Napi::Value cudaDevicesToJs(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto devices = Napi::Array::New(env);
  auto answer = Napi::Object::New(env);
  answer.Set("devices", devices);
#ifdef ANNEAL_CUDA
  const CudaDevices found = cudaDevices();
  for (const CudaDeviceInfo& one : found.devices) {
    auto device = Napi::Object::New(env);
    device.Set("index", one.index);
    device.Set("name", one.name);
    device.Set("busId", one.bus_id);
    device.Set("computeCapability", one.compute_capability);
    device.Set("memoryBytes", static_cast<double>(one.memory_bytes));
    device.Set("libraryBytes", static_cast<double>(one.library_bytes));
    device.Set("hasCode", one.has_code);
    devices.Set(devices.Length(), device);
  }
  answer.Set("driverVersion", found.driver_version);
  answer.Set("runtimeVersion", found.runtime_version);
  answer.Set("error", found.error.empty() ? env.Null() : Napi::Value(Napi::String::New(env, found.error)));
#else
  answer.Set("driverVersion", 0);
  answer.Set("runtimeVersion", 0);
  answer.Set("error", env.Null());
#endif
  return answer;
}

Napi::Value cudaLibraryToJs(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
#ifdef ANNEAL_CUDA
  const LibraryReport found = reportLibrary();
  auto answer = Napi::Object::New(env);
  answer.Set("targets", cudaTargets());
  answer.Set("path", found.path);
  answer.Set("version", found.version);
  answer.Set("problem", found.problem.empty() ? env.Null() : Napi::Value(Napi::String::New(env, found.problem)));
  return answer;
#else
  return env.Null();
#endif
}

Napi::Value cudaFreeBytesToJs(const Napi::CallbackInfo& info) {
#ifdef ANNEAL_CUDA
  try {
    return Napi::Number::New(info.Env(), static_cast<double>(cudaFreeBytes(info[0].As<Napi::Number>().Int32Value())));
  } catch (const std::exception& error) {
    throw Napi::Error::New(info.Env(), error.what());
  }
#else
  throw Napi::Error::New(info.Env(), "this build has no CUDA backend");
#endif
}

}  // namespace anneal
