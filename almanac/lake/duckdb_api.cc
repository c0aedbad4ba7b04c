#include "almanac/lake/duckdb_api.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "almanac/base/error.h"

namespace almanac {
namespace {

std::vector<std::string> Candidates() {
  const char* chosen = std::getenv("ALMANAC_DUCKDB");
  if (chosen != nullptr && *chosen != '\0') return {chosen};
  std::vector<std::string> places;
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) {
    places.push_back((program.parent_path() / "../lib/almanac/libduckdb.so").lexically_normal());
  }
  places.emplace_back(ALMANAC_DUCKDB_LIBRARY);
  places.emplace_back("libduckdb.so");
  return places;
}

void* OpenLibrary() {
  std::string tried;
  for (const std::string& place : Candidates()) {
    if (void* library = dlopen(place.c_str(), RTLD_LAZY | RTLD_LOCAL)) return library;
    tried += (tried.empty() ? "" : "; ") + std::string(dlerror());
  }
  throw Error(ErrorCode::kFailed, "DuckDB", "its library cannot be opened (" + tried + ")",
              "run script/setup, or set ALMANAC_DUCKDB to the path of libduckdb.so");
}

template <typename Function>
void Resolve(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  if (function == nullptr) {
    throw Error(ErrorCode::kFailed, "DuckDB", std::string("its library lacks ") + name,
                "version 1.4 or later is needed");
  }
}

DuckDbApi Load() {
  void* library = OpenLibrary();
  DuckDbApi api;
#define ALMANAC_DUCKDB_RESOLVE(name) Resolve(library, "duckdb_" #name, api.name);
  ALMANAC_DUCKDB_FUNCTIONS(ALMANAC_DUCKDB_RESOLVE)
#undef ALMANAC_DUCKDB_RESOLVE
  return api;
}

}  // namespace

const DuckDbApi& DuckDb() {
  static const DuckDbApi kApi = Load();
  return kApi;
}

}  // namespace almanac
