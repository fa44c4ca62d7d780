#include "library_report.h"

#include <dlfcn.h>

#include "blas_library.h"

namespace anneal {

LibraryReport reportLibrary() {
  LibraryReport report;
  cuda::BlasLibrary library;
  if (!cuda::openBlasLibrary(library, report.problem)) return report;
  Dl_info file{};
  const bool known = dladdr(reinterpret_cast<void*>(library.cublasLtCreate), &file) && file.dli_fname;
  report.path = known ? file.dli_fname : library.path;
  // 130002 is 13.0.2.
  const size_t version = library.cublasLtGetVersion();
  report.version = std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100) + "." + std::to_string(version % 100);
  return report;
}

const char* cudaTargets() { return ANNEAL_CUDA_TARGETS; }

}  // namespace anneal
