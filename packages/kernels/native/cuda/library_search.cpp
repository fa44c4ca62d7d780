#include "cuda/library_search.h"

#include <dlfcn.h>
#include <glob.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace anneal::cuda {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

void addMatches(std::vector<std::string>& folders, const std::string& pattern) {
  glob_t found{};
  if (glob(pattern.c_str(), 0, nullptr, &found) == 0)
    for (size_t i = 0; i < found.gl_pathc; i++) folders.push_back(found.gl_pathv[i]);
  globfree(&found);
}

}  // namespace

std::vector<std::string> libraryFolders() {
  std::vector<std::string> folders;
  const std::string given = environment("ANNEAL_CUDA_LIBRARIES");
  for (size_t begin = 0; begin < given.size();) {
    const size_t end = std::min(given.find(':', begin), given.size());
    if (end > begin) folders.push_back(given.substr(begin, end - begin));
    begin = end + 1;
  }
  for (const char* name : {"VIRTUAL_ENV", "CONDA_PREFIX"}) {
    const std::string root = environment(name);
    if (root.empty()) continue;
    addMatches(folders, root + "/lib/python3*/site-packages/nvidia/*/lib");
    folders.push_back(root + "/lib");
  }
  for (const char* name : {"CUDA_HOME", "CUDA_PATH"}) {
    const std::string root = environment(name);
    if (root.empty()) continue;
    folders.push_back(root + "/lib64");
    folders.push_back(root + "/lib");
  }
  folders.push_back("");
  folders.push_back("/usr/local/cuda/lib64");
  return folders;
}

OpenedLibrary openLibrary(const std::vector<std::string>& names) {
  OpenedLibrary opened;
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  opened.looked = "looked for " + all + " in:";
  for (const std::string& folder : libraryFolders()) {
    opened.looked += "\n  " + (folder.empty() ? "the system's library path" : folder);
    for (const std::string& name : names) {
      const std::string path = folder.empty() ? name : folder + "/" + name;
      opened.handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
      if (opened.handle) {
        opened.path = path;
        return opened;
      }
      const char* said = dlerror();
      if (!folder.empty() && access(path.c_str(), F_OK) == 0) opened.looked += "\n    " + name + " is there, but: " + (said ? said : "it does not open");
    }
  }
  return opened;
}

}  // namespace anneal::cuda
