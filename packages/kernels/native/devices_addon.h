#pragma once

#include <napi.h>

namespace anneal {

/** instructionSets(): the names of those that this processor runs */
Napi::Value instructionSetsToJs(const Napi::CallbackInfo& info);

/** cudaDevices() → {devices, driverVersion, runtimeVersion, error} */
Napi::Value cudaDevicesToJs(const Napi::CallbackInfo& info);

/** cudaLibrary() → {targets, path, version, problem}, or null where this build has no CUDA */
Napi::Value cudaLibraryToJs(const Napi::CallbackInfo& info);

/** cudaFreeBytes(index): what is free on the device now */
Napi::Value cudaFreeBytesToJs(const Napi::CallbackInfo& info);

}  // namespace anneal
