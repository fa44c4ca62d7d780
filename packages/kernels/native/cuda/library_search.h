#pragma once

#include <string>
#include <vector>

namespace anneal::cuda {

/** A shared library opened at run time. */
struct OpenedLibrary {
  void* handle = nullptr;  // for dlsym; null where none was found
  std::string path;
  /** What was looked for and where, a line each; with what the loader said of files that are there and could not be opened. */
  std::string looked;
};

/**
 * Opens the first of `names` (file names, best first) found in: the folders of ANNEAL_CUDA_LIBRARIES (separated by colons), the
 * nvidia packages of the Python environment in VIRTUAL_ENV or CONDA_PREFIX, CUDA_HOME and CUDA_PATH, the system's library path,
 * and /usr/local/cuda.
 */
OpenedLibrary openLibrary(const std::vector<std::string>& names);

/** The folders searched, in order; "" stands for the system's library path. */
std::vector<std::string> libraryFolders();

}  // namespace anneal::cuda
