// The functions of DuckDB's C API that Almanac calls, as a table of pointers. The library is 64 MB:
// it is opened when the table is first asked for, so that a command without data starts fast.
// Inside lake only; other rooms use database.h.
#ifndef ALMANAC_LAKE_DUCKDB_API_H_
#define ALMANAC_LAKE_DUCKDB_API_H_

#include <duckdb.h>

namespace almanac {

// One line a function; the table, its types and its loading follow from this list.
#define ALMANAC_DUCKDB_FUNCTIONS(X)          \
  X(duckdb_bind_add_result_column)           \
  X(duckdb_bind_get_extra_info)              \
  X(duckdb_bind_get_parameter)               \
  X(duckdb_bind_set_bind_data)               \
  X(duckdb_bind_set_cardinality)             \
  X(duckdb_bind_set_error)                   \
  X(duckdb_close)                            \
  X(duckdb_column_count)                     \
  X(duckdb_column_name)                      \
  X(duckdb_column_type)                      \
  X(duckdb_connect)                          \
  X(duckdb_create_config)                    \
  X(duckdb_create_logical_type)              \
  X(duckdb_create_table_function)            \
  X(duckdb_data_chunk_get_size)              \
  X(duckdb_data_chunk_get_vector)            \
  X(duckdb_data_chunk_set_size)              \
  X(duckdb_destroy_config)                   \
  X(duckdb_destroy_data_chunk)               \
  X(duckdb_destroy_logical_type)             \
  X(duckdb_destroy_result)                   \
  X(duckdb_destroy_table_function)           \
  X(duckdb_destroy_value)                    \
  X(duckdb_disconnect)                       \
  X(duckdb_fetch_chunk)                      \
  X(duckdb_free)                             \
  X(duckdb_function_get_bind_data)           \
  X(duckdb_function_get_init_data)           \
  X(duckdb_get_uint64)                       \
  X(duckdb_init_set_init_data)               \
  X(duckdb_init_set_max_threads)             \
  X(duckdb_library_version)                  \
  X(duckdb_open_ext)                         \
  X(duckdb_query)                            \
  X(duckdb_register_table_function)          \
  X(duckdb_result_error)                     \
  X(duckdb_set_config)                       \
  X(duckdb_string_t_data)                    \
  X(duckdb_string_t_length)                  \
  X(duckdb_table_function_add_parameter)     \
  X(duckdb_table_function_set_bind)          \
  X(duckdb_table_function_set_extra_info)    \
  X(duckdb_table_function_set_function)      \
  X(duckdb_table_function_set_init)          \
  X(duckdb_table_function_set_name)          \
  X(duckdb_vector_assign_string_element_len) \
  X(duckdb_vector_ensure_validity_writable)  \
  X(duckdb_vector_get_data)                  \
  X(duckdb_vector_get_validity)              \
  X(duckdb_vector_size)

struct DuckdbApi {
// A declaration cannot stand in parentheses. NOLINTNEXTLINE(bugprone-macro-parentheses)
#define ALMANAC_DUCKDB_MEMBER(name) decltype(&::name) name = nullptr;
  ALMANAC_DUCKDB_FUNCTIONS(ALMANAC_DUCKDB_MEMBER)
#undef ALMANAC_DUCKDB_MEMBER
};

// Looks for the library in $ALMANAC_DUCKDB (if set, only there), beside the program in
// ../lib/almanac, where it was when Almanac was built, and where the system's loader looks. Throws
// Error(kFailed) that names these places. The library stays open until the process ends.
const DuckdbApi& Duckdb();

}  // namespace almanac

#endif  // ALMANAC_LAKE_DUCKDB_API_H_
