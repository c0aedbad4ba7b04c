#include "almanac/neural/host/module.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "almanac/base/error.h"
#include "almanac/neural/host/blas_kernels.h"

namespace almanac {
namespace fs = std::filesystem;
namespace {

constexpr const char* kVariable = "ALMANAC_NEURAL";
constexpr const char* kFile = "libalmanac_neural.so";

std::vector<fs::path> Places() {
  const char* given = std::getenv(kVariable);
  if (given != nullptr && *given != '\0') return {given};
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error) return {};
  const fs::path folder = program.parent_path();
  return {folder / kFile, folder.parent_path() / "lib/almanac" / kFile};
}

const NeuralModule* Open() {
  for (const fs::path& place : Places()) {
    if (!fs::exists(place)) continue;
    ChooseBlasKernels();
    void* library = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      throw Error(ErrorCode::kFailed, place.string(), dlerror(),
                  "install libtorch-dev and libopenblas-pthread-dev (script/setup does) and build "
                  "again");
    }
    const auto* entry = static_cast<const NeuralModuleEntry*>(dlsym(library, kNeuralModuleEntry));
    if (entry == nullptr || std::strcmp(entry->build, kNeuralModuleBuild) != 0) {
      throw Error(ErrorCode::kFailed, place.string(), "belongs to another build of almanac",
                  "build both again, or install both from one build");
    }
    return entry->open();
  }
  throw Error(
      ErrorCode::kFailed, "networks",
      fmt::format("this program was built without LibTorch: {} is not beside it", kFile),
      "install libtorch-dev and libopenblas-pthread-dev (script/setup does) and build again");
}

}  // namespace

Error MissingNetworks(const std::string& where) {
  return Error(ErrorCode::kFailed, where,
               fmt::format("this program was built without LibTorch: {} is not beside it", kFile),
               "install libtorch-dev and libopenblas-pthread-dev (script/setup does) and build "
               "again");
}

bool HasNetworks() {
  const std::vector<fs::path> places = Places();
  return std::any_of(places.begin(), places.end(),
                     [](const fs::path& place) { return fs::exists(place); });
}

const NeuralModule& Networks() {
  static const NeuralModule* const kModule = Open();
  return *kModule;
}

}  // namespace almanac
