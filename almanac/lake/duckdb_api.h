// DuckDB's C functions, resolved when the first database is opened: the library is 64 MB, and a
// program that only prints its version must not pay for it. Used by database.cc alone.
#ifndef ALMANAC_LAKE_DUCKDB_API_H_
#define ALMANAC_LAKE_DUCKDB_API_H_

#include <duckdb.h>

namespace almanac {

// Every function that we call, without its prefix "duckdb_".
#define ALMANAC_DUCKDB_FUNCTIONS(F)                                                             \
  F(library_version)                                                                            \
  F(create_config)                                                                              \
  F(set_config) F(destroy_config) F(open_ext) F(close) F(connect) F(disconnect) F(interrupt)    \
      F(query) F(destroy_result) F(result_error) F(column_count) F(column_name) F(column_type)  \
          F(fetch_chunk) F(destroy_data_chunk) F(data_chunk_get_size) F(data_chunk_set_size)    \
              F(data_chunk_get_vector) F(vector_get_data) F(vector_get_validity)                \
                  F(vector_ensure_validity_writable) F(vector_assign_string_element_len)        \
                      F(vector_size) F(free) F(create_logical_type) F(destroy_logical_type)     \
                          F(create_table_function) F(destroy_table_function)                    \
                              F(table_function_set_name) F(table_function_set_extra_info)       \
                                  F(table_function_set_bind) F(table_function_set_init)         \
                                      F(table_function_set_function) F(register_table_function) \
                                          F(bind_get_extra_info) F(bind_add_result_column)      \
                                              F(bind_set_cardinality) F(init_set_max_threads)   \
                                                  F(function_get_extra_info) F(function_set_error)

struct DuckDbApi {
#define ALMANAC_DUCKDB_MEMBER(name) decltype(&duckdb_##name) name = nullptr;
  ALMANAC_DUCKDB_FUNCTIONS(ALMANAC_DUCKDB_MEMBER)
#undef ALMANAC_DUCKDB_MEMBER
};

// Opens the library on the first call: $ALMANAC_DUCKDB, then ../lib/almanac/libduckdb.so beside the
// program, then the copy it was built with, then the loader's own search. Throws
// Error(kFailed) naming the places and what the loader said.
const DuckDbApi& DuckDb();

}  // namespace almanac

#endif  // ALMANAC_LAKE_DUCKDB_API_H_
