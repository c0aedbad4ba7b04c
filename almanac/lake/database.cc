#include "almanac/lake/database.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <utility>

#include "almanac/base/error.h"
#include "almanac/base/parallel.h"
#include "almanac/lake/duckdb_api.h"

namespace almanac {
namespace {

constexpr int64_t kMicrosPerMs = 1000;
constexpr int64_t kNanosPerMs = 1000000;
constexpr const char* kTableFunction = "almanac_input";

// What the table function reads while one query runs. DuckDB calls it from one thread.
struct InputTable {
  std::vector<InputColumn> columns;
  size_t rows = 0;
  size_t next = 0;
};

duckdb_type TypeOf(ColumnType type) {
  switch (type) {
    case ColumnType::kInt64:
      return DUCKDB_TYPE_BIGINT;
    case ColumnType::kDouble:
      return DUCKDB_TYPE_DOUBLE;
    case ColumnType::kText:
      return DUCKDB_TYPE_VARCHAR;
    case ColumnType::kTimestampMs:
      return DUCKDB_TYPE_TIMESTAMP_MS;
  }
  return DUCKDB_TYPE_INVALID;
}

void Bind(duckdb_bind_info info) {
  const DuckDbApi& api = DuckDb();
  const auto& holder = *static_cast<InputTable**>(api.bind_get_extra_info(info));
  for (const InputColumn& column : holder->columns) {
    duckdb_logical_type type = api.create_logical_type(TypeOf(column.type));
    api.bind_add_result_column(info, column.name.c_str(), type);
    api.destroy_logical_type(&type);
  }
  api.bind_set_cardinality(info, holder->rows, true);
}

// Rows come in order because one thread asks for them.
void Init(duckdb_init_info info) { DuckDb().init_set_max_threads(info, 1); }

void CopyDoubles(const InputColumn& column, size_t first, size_t count, duckdb_vector vector) {
  const DuckDbApi& api = DuckDb();
  const double* from = static_cast<const double*>(column.values) + first;
  std::memcpy(api.vector_get_data(vector), from, count * sizeof(double));
  if (!column.nan_is_null) return;
  uint64_t* validity = nullptr;
  for (size_t i = 0; i < count; ++i) {
    if (!std::isnan(from[i])) continue;
    if (validity == nullptr) {
      api.vector_ensure_validity_writable(vector);
      validity = api.vector_get_validity(vector);
    }
    validity[i / 64] &= ~(uint64_t{1} << (i % 64));
  }
}

void CopyColumn(const InputColumn& column, size_t first, size_t count, duckdb_vector vector) {
  const DuckDbApi& api = DuckDb();
  switch (column.type) {
    case ColumnType::kDouble:
      CopyDoubles(column, first, count, vector);
      return;
    case ColumnType::kInt64:
    case ColumnType::kTimestampMs:
      std::memcpy(api.vector_get_data(vector), static_cast<const int64_t*>(column.values) + first,
                  count * sizeof(int64_t));
      return;
    case ColumnType::kText:
      for (size_t i = 0; i < count; ++i) {
        const std::string& text = static_cast<const std::string*>(column.values)[first + i];
        api.vector_assign_string_element_len(vector, i, text.data(), text.size());
      }
  }
}

void NextRows(duckdb_function_info info, duckdb_data_chunk chunk) {
  const DuckDbApi& api = DuckDb();
  InputTable& table = **static_cast<InputTable**>(api.function_get_extra_info(info));
  const size_t count = std::min<size_t>(api.vector_size(), table.rows - table.next);
  for (size_t c = 0; c < table.columns.size(); ++c) {
    CopyColumn(table.columns[c], table.next, count, api.data_chunk_get_vector(chunk, c));
  }
  table.next += count;
  api.data_chunk_set_size(chunk, count);
}

class QueryResult {
 public:
  QueryResult(duckdb_connection connection, const std::string& sql, std::string_view where) {
    const DuckDbApi& api = DuckDb();
    if (api.query(connection, sql.c_str(), &result_) == DuckDBSuccess) return;
    const char* said = api.result_error(&result_);
    std::string message = said == nullptr ? "unknown error" : said;
    api.destroy_result(&result_);
    throw Error(ErrorCode::kBadData, std::string(where), "DuckDB: " + message);
  }
  ~QueryResult() { DuckDb().destroy_result(&result_); }
  QueryResult(const QueryResult&) = delete;
  QueryResult& operator=(const QueryResult&) = delete;
  duckdb_result& get() { return result_; }

 private:
  duckdb_result result_{};
};

struct ColumnReader {
  ColumnType type;
  void (*append)(const void* data, const uint64_t* validity, size_t count, ResultColumn& column);
};

bool IsValid(const uint64_t* validity, size_t i) {
  return validity == nullptr || ((validity[i / 64] >> (i % 64)) & 1) != 0;
}

template <typename Stored>
void AppendIntegers(const void* data, const uint64_t* validity, size_t count,
                    ResultColumn& column) {
  const auto* values = static_cast<const Stored*>(data);
  for (size_t i = 0; i < count; ++i) {
    column.integers.push_back(IsValid(validity, i) ? static_cast<int64_t>(values[i]) : 0);
  }
}

template <typename Stored>
void AppendDoubles(const void* data, const uint64_t* validity, size_t count, ResultColumn& column) {
  const auto* values = static_cast<const Stored*>(data);
  for (size_t i = 0; i < count; ++i) {
    column.doubles.push_back(IsValid(validity, i) ? static_cast<double>(values[i]) : std::nan(""));
  }
}

int64_t FloorDiv(int64_t a, int64_t b) { return a / b - (a % b != 0 && a < 0 ? 1 : 0); }

// Timestamps stored in ticks of which `kPerMs` make a millisecond.
template <int64_t kPerMs>
void AppendTimes(const void* data, const uint64_t* validity, size_t count, ResultColumn& column) {
  const auto* values = static_cast<const int64_t*>(data);
  for (size_t i = 0; i < count; ++i) {
    column.integers.push_back(IsValid(validity, i) ? FloorDiv(values[i], kPerMs) : 0);
  }
}

void AppendSeconds(const void* data, const uint64_t* validity, size_t count, ResultColumn& column) {
  const auto* values = static_cast<const int64_t*>(data);
  for (size_t i = 0; i < count; ++i) {
    column.integers.push_back(IsValid(validity, i) ? values[i] * kMsPerSecond : 0);
  }
}

void AppendTexts(const void* data, const uint64_t* validity, size_t count, ResultColumn& column) {
  const auto* values = static_cast<const duckdb_string_t*>(data);
  constexpr uint32_t kInlined = 12;
  for (size_t i = 0; i < count; ++i) {
    if (!IsValid(validity, i)) {
      column.texts.emplace_back();
      continue;
    }
    const uint32_t length = values[i].value.inlined.length;
    const char* text =
        length <= kInlined ? values[i].value.inlined.inlined : values[i].value.pointer.ptr;
    column.texts.emplace_back(text, length);
  }
}

ColumnReader ReaderOf(duckdb_type type, std::string_view name) {
  switch (type) {
    case DUCKDB_TYPE_BOOLEAN:
    case DUCKDB_TYPE_TINYINT:
      return {ColumnType::kInt64, AppendIntegers<int8_t>};
    case DUCKDB_TYPE_SMALLINT:
      return {ColumnType::kInt64, AppendIntegers<int16_t>};
    case DUCKDB_TYPE_INTEGER:
      return {ColumnType::kInt64, AppendIntegers<int32_t>};
    case DUCKDB_TYPE_BIGINT:
      return {ColumnType::kInt64, AppendIntegers<int64_t>};
    case DUCKDB_TYPE_UTINYINT:
      return {ColumnType::kInt64, AppendIntegers<uint8_t>};
    case DUCKDB_TYPE_USMALLINT:
      return {ColumnType::kInt64, AppendIntegers<uint16_t>};
    case DUCKDB_TYPE_UINTEGER:
      return {ColumnType::kInt64, AppendIntegers<uint32_t>};
    case DUCKDB_TYPE_UBIGINT:
      return {ColumnType::kInt64, AppendIntegers<uint64_t>};
    case DUCKDB_TYPE_FLOAT:
      return {ColumnType::kDouble, AppendDoubles<float>};
    case DUCKDB_TYPE_DOUBLE:
      return {ColumnType::kDouble, AppendDoubles<double>};
    case DUCKDB_TYPE_VARCHAR:
      return {ColumnType::kText, AppendTexts};
    case DUCKDB_TYPE_TIMESTAMP_S:
      return {ColumnType::kTimestampMs, AppendSeconds};
    case DUCKDB_TYPE_TIMESTAMP_MS:
      return {ColumnType::kTimestampMs, AppendTimes<1>};
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return {ColumnType::kTimestampMs, AppendTimes<kMicrosPerMs>};
    case DUCKDB_TYPE_TIMESTAMP_NS:
      return {ColumnType::kTimestampMs, AppendTimes<kNanosPerMs>};
    default:
      throw Error(ErrorCode::kBadData, std::string(name),
                  "the column has a type that is not read (DuckDB type " +
                      std::to_string(static_cast<int>(type)) + ")",
                  "cast it in the query");
  }
}

ResultTable ReadAll(duckdb_result& result) {
  const DuckDbApi& api = DuckDb();
  ResultTable table;
  std::vector<ColumnReader> readers;
  for (idx_t c = 0; c < api.column_count(&result); ++c) {
    const char* name = api.column_name(&result, c);
    readers.push_back(ReaderOf(api.column_type(&result, c), name));
    table.columns.push_back({name, readers.back().type, {}, {}, {}});
  }
  while (duckdb_data_chunk chunk = api.fetch_chunk(result)) {
    const size_t count = api.data_chunk_get_size(chunk);
    for (size_t c = 0; c < readers.size(); ++c) {
      duckdb_vector vector = api.data_chunk_get_vector(chunk, c);
      readers[c].append(api.vector_get_data(vector), api.vector_get_validity(vector), count,
                        table.columns[c]);
    }
    table.rows += count;
    api.destroy_data_chunk(&chunk);
  }
  return table;
}

}  // namespace

struct Database::Impl {
  duckdb_database database = nullptr;
  duckdb_connection connection = nullptr;
  // What kTableFunction reads at the moment; the function is registered once and points here.
  InputTable* input = nullptr;

  ~Impl() {
    const DuckDbApi& api = DuckDb();
    if (connection != nullptr) api.disconnect(&connection);
    if (database != nullptr) api.close(&database);
  }
  void Open(const DatabaseOptions& options);
  void RegisterInput();
};

void Database::Impl::Open(const DatabaseOptions& options) {
  const DuckDbApi& api = DuckDb();
  duckdb_config config = nullptr;
  api.create_config(&config);
  const int threads = options.threads > 0 ? options.threads : ThreadCount();
  // Nothing may be fetched from the network behind the user's back.
  const std::pair<const char*, std::string> settings[] = {
      {"autoinstall_known_extensions", "false"}, {"autoload_known_extensions", "false"},
      {"threads", std::to_string(threads)},      {"memory_limit", options.memory_limit},
      {"preserve_insertion_order", "true"},      {"temp_directory", options.temporary.string()},
  };
  for (const auto& [name, value] : settings) {
    if (api.set_config(config, name, value.c_str()) != DuckDBSuccess) {
      api.destroy_config(&config);
      throw Error(ErrorCode::kFailed, "DuckDB", std::string("refuses the setting ") + name);
    }
  }
  char* said = nullptr;
  const duckdb_state state = api.open_ext(nullptr, &database, config, &said);
  api.destroy_config(&config);
  if (state != DuckDBSuccess || api.connect(database, &connection) != DuckDBSuccess) {
    std::string message = said == nullptr ? "" : said;
    if (said != nullptr) api.free(said);
    throw Error(ErrorCode::kFailed, "DuckDB", "a database cannot be opened " + message);
  }
}

void Database::Impl::RegisterInput() {
  const DuckDbApi& api = DuckDb();
  duckdb_table_function function = api.create_table_function();
  api.table_function_set_name(function, kTableFunction);
  api.table_function_set_extra_info(function, &input, nullptr);
  api.table_function_set_bind(function, Bind);
  api.table_function_set_init(function, Init);
  api.table_function_set_function(function, NextRows);
  const duckdb_state state = api.register_table_function(connection, function);
  api.destroy_table_function(&function);
  if (state != DuckDBSuccess) {
    throw Error(ErrorCode::kFailed, "DuckDB", "the input function cannot be registered");
  }
}

Database::Database(const DatabaseOptions& options) : impl_(std::make_unique<Impl>()) {
  impl_->Open(options);
  impl_->RegisterInput();
}

Database::~Database() = default;
Database::Database(Database&&) noexcept = default;

ResultTable Database::Query(const std::string& sql, std::string_view where) const {
  QueryResult result(impl_->connection, sql, where);
  return ReadAll(result.get());
}

ResultTable Database::QueryWith(const std::string& sql, const std::string& name,
                                const std::vector<InputColumn>& columns, size_t rows,
                                std::string_view where) const {
  InputTable table{columns, rows, 0};
  impl_->input = &table;
  Query("CREATE OR REPLACE TEMP VIEW " + name + " AS SELECT * FROM " + kTableFunction + "()");
  return Query(sql, where);
}

const ResultColumn& ResultTable::Column(std::string_view name, ColumnType type) const {
  for (const ResultColumn& column : columns) {
    if (column.name == name && column.type == type) return column;
  }
  throw Error(ErrorCode::kBadData, std::string(name),
              "the table has no such column of the expected type");
}

std::string SqlText(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) quoted.append(c == '\'' ? 2 : 1, c);
  return quoted + "'";
}

void WriteParquet(const Database& database, const std::filesystem::path& file,
                  const std::vector<InputColumn>& columns, size_t rows) {
  database.QueryWith("COPY (SELECT * FROM parquet_rows) TO " + SqlText(file.string()) +
                         " (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)",
                     "parquet_rows", columns, rows, file.string());
}

std::string DuckDbVersion() { return DuckDb().library_version(); }

}  // namespace almanac
