#include "almanac/lake/duckdb_api.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "almanac/base/error.h"
#include "almanac/base/text.h"

namespace almanac {
namespace {

constexpr const char* kVariable = "ALMANAC_DUCKDB";

std::vector<std::string> Places() {
  const char* given = std::getenv(kVariable);
  if (given != nullptr && *given != '\0') return {given};
  std::vector<std::string> places;
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) {
    places.push_back((program.parent_path().parent_path() / "lib/almanac/libduckdb.so").string());
  }
  places.emplace_back(ALMANAC_DUCKDB_LIBRARY);
  places.emplace_back("libduckdb.so");
  return places;
}

[[noreturn]] void FailToOpen(const std::vector<std::string>& reasons) {
  throw Error(ErrorCode::kFailed, "DuckDB",
              "its shared library cannot be opened: " + Join(reasons, "; "),
              fmt::format("run script/setup, or set {} to the path of libduckdb.so", kVariable));
}

void* OpenLibrary(std::string* opened) {
  std::vector<std::string> reasons;
  for (const std::string& place : Places()) {
    // RTLD_LOCAL: the library carries its own copies of zstd and others, which are no one else's.
    if (void* library = dlopen(place.c_str(), RTLD_LAZY | RTLD_LOCAL)) {
      *opened = place;
      return library;
    }
    reasons.emplace_back(dlerror());
  }
  FailToOpen(reasons);
}

template <typename Function>
void Resolve(void* library, const std::string& place, const char* name, Function* function) {
  *function = reinterpret_cast<Function>(dlsym(library, name));
  if (*function == nullptr) {
    throw Error(ErrorCode::kFailed, place, fmt::format("has no function {}", name),
                "Almanac needs DuckDB 1.4 or later");
  }
}

DuckdbApi Load() {
  std::string place;
  void* library = OpenLibrary(&place);
  DuckdbApi api;
#define ALMANAC_DUCKDB_RESOLVE(name) Resolve(library, place, #name, &api.name);
  ALMANAC_DUCKDB_FUNCTIONS(ALMANAC_DUCKDB_RESOLVE)
#undef ALMANAC_DUCKDB_RESOLVE
  return api;
}

}  // namespace

const DuckdbApi& Duckdb() {
  static const DuckdbApi kApi = Load();
  return kApi;
}

}  // namespace almanac
