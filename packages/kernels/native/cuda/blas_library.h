#pragma once

#include <cublasLt.h>

#include <string>

namespace anneal::cuda {

#define ANNEAL_CUBLASLT(X)          \
  X(cublasLtCreate)                 \
  X(cublasLtDestroy)                \
  X(cublasLtGetVersion)             \
  X(cublasLtMatmul)                 \
  X(cublasLtMatmulAlgoConfigGetAttribute) \
  X(cublasLtMatmulAlgoGetHeuristic) \
  X(cublasLtMatmulDescCreate)       \
  X(cublasLtMatmulDescDestroy)      \
  X(cublasLtMatmulDescSetAttribute) \
  X(cublasLtMatmulPreferenceCreate) \
  X(cublasLtMatmulPreferenceDestroy) \
  X(cublasLtMatmulPreferenceSetAttribute) \
  X(cublasLtMatrixLayoutCreate)     \
  X(cublasLtMatrixLayoutDestroy)

/** The functions of cuBLASLt that are used, by their own names. */
struct BlasLibrary {
#define ANNEAL_POINTER(name) decltype(&::name) name = nullptr;
  ANNEAL_CUBLASLT(ANNEAL_POINTER)
#undef ANNEAL_POINTER
  std::string path;
};

/** Returns whether the library was found and is complete; else `problem` says what was looked for and what to do. */
bool openBlasLibrary(BlasLibrary& library, std::string& problem);

/** What a status means: a static string. */
const char* describe(cublasStatus_t status);

}  // namespace anneal::cuda
