#pragma once

#include <string>

namespace anneal {

/** Where cuBLASLt is on this host, for a person to read. */
struct LibraryReport {
  std::string path;
  /** As 13.0.2. */
  std::string version;
  /** Why it could not be opened, the remedy in the last line; empty where it was. */
  std::string problem;
};

LibraryReport reportLibrary();

/** What this binary has code for, as CMake writes it: `80-real,90a-real`. */
const char* cudaTargets();

}  // namespace anneal
