# Finds DuckDB's C header and shared library: a user-given one (DuckDB_ROOT), the system's, then the
# copy that script/setup puts under third_party/npm.
#
# Defines DuckDB::headers (the include path alone: the library is 64 MB and is opened on first use,
# see almanac/lake/duckdb_api.h), DuckDB_LIBRARY, DuckDB_VERSION.
set(_duckdb_npm "${CMAKE_SOURCE_DIR}/third_party/npm")
find_path(DuckDB_INCLUDE_DIR duckdb.h
          PATHS "${_duckdb_npm}/duckdb/src/duckdb/src/include" PATH_SUFFIXES include)
find_library(DuckDB_LIBRARY NAMES duckdb
             PATHS "${_duckdb_npm}/duckdb-bindings" PATH_SUFFIXES lib)

set(DuckDB_VERSION "")
if(DuckDB_LIBRARY)
  # The header carries no version macro; the library is asked once, at configuration.
  set(_duckdb_probe "${CMAKE_BINARY_DIR}/duckdb_version.c")
  file(WRITE "${_duckdb_probe}" [[
#include <dlfcn.h>
#include <stdio.h>
int main(int argc, char** argv) {
  void* library = argc > 1 ? dlopen(argv[1], RTLD_LAZY) : 0;
  const char* (*version)(void) =
      library ? (const char* (*)(void))dlsym(library, "duckdb_library_version") : 0;
  if (!version) return 1;
  printf("%s", version());
  return 0;
}
]])
  execute_process(COMMAND cc -o "${CMAKE_BINARY_DIR}/duckdb_version" "${_duckdb_probe}" -ldl)
  execute_process(COMMAND "${CMAKE_BINARY_DIR}/duckdb_version" "${DuckDB_LIBRARY}"
                  OUTPUT_VARIABLE DuckDB_VERSION)
  string(REGEX REPLACE "^v" "" DuckDB_VERSION "${DuckDB_VERSION}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(DuckDB
  REQUIRED_VARS DuckDB_LIBRARY DuckDB_INCLUDE_DIR VERSION_VAR DuckDB_VERSION
  REASON_FAILURE_MESSAGE "run script/setup, or pass -DDuckDB_ROOT=DIR")
if(DuckDB_FOUND AND NOT TARGET DuckDB::headers)
  add_library(DuckDB::headers INTERFACE IMPORTED)
  set_target_properties(DuckDB::headers PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${DuckDB_INCLUDE_DIR}")
endif()
mark_as_advanced(DuckDB_INCLUDE_DIR DuckDB_LIBRARY)
