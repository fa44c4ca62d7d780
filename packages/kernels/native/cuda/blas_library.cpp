#include "cuda/blas_library.h"

#include <dlfcn.h>

#include "cuda/library_search.h"

namespace anneal::cuda {

bool openBlasLibrary(BlasLibrary& library, std::string& problem) {
  const OpenedLibrary opened = openLibrary({"libcublasLt.so.13", "libcublasLt.so.12"});
  if (!opened.handle) {
    problem = "cuBLASLt, which every matrix product on CUDA needs, was not found: " + opened.looked +
              "\nInstall it (`pip install nvidia-cublas`, or NVIDIA's CUDA toolkit) and set ANNEAL_CUDA_LIBRARIES to the folder of libcublasLt.so.13.";
    return false;
  }
  library.path = opened.path;
  std::string missing;
#define ANNEAL_RESOLVE(name)                                                                     \
  library.name = reinterpret_cast<decltype(&::name)>(dlsym(opened.handle, #name));               \
  if (!library.name) missing += std::string(missing.empty() ? "" : ", ") + #name;
  ANNEAL_CUBLASLT(ANNEAL_RESOLVE)
#undef ANNEAL_RESOLVE
  if (missing.empty()) return true;
  problem = opened.path + " has no " + missing + ": it is damaged or of an unknown version.\nSet ANNEAL_CUDA_LIBRARIES to the folder of another libcublasLt.so.13.";
  dlclose(opened.handle);
  return false;
}

const char* describe(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_SUCCESS:
      return nullptr;
    case CUBLAS_STATUS_NOT_INITIALIZED:
      return "cuBLASLt could not start: the driver may be older than the library needs";
    case CUBLAS_STATUS_ALLOC_FAILED:
      return "cuBLASLt found no memory";
    case CUBLAS_STATUS_INVALID_VALUE:
      return "cuBLASLt refused a product's sizes";
    case CUBLAS_STATUS_ARCH_MISMATCH:
      return "this cuBLASLt does not know this GPU";
    case CUBLAS_STATUS_EXECUTION_FAILED:
      return "cuBLASLt could not launch a product";
    case CUBLAS_STATUS_NOT_SUPPORTED:
      return "cuBLASLt has no algorithm for a product";
    default:
      return "cuBLASLt failed";
  }
}

}  // namespace anneal::cuda
