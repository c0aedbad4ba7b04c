#include "almanac/lake/input_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "almanac/base/error.h"

namespace almanac {
namespace {

constexpr const char* kFunction = "almanac_arrays";
constexpr size_t kValidityBits = 64;  // rows a word of a validity mask

using TablePointer = std::shared_ptr<const InputTable>;

duckdb_type DuckdbType(ColumnType type) {
  switch (type) {
    case ColumnType::kInt64:
      return DUCKDB_TYPE_BIGINT;
    case ColumnType::kDouble:
      return DUCKDB_TYPE_DOUBLE;
    case ColumnType::kText:
      return DUCKDB_TYPE_VARCHAR;
    case ColumnType::kTimestampMs:
      return DUCKDB_TYPE_TIMESTAMP_MS;
    case ColumnType::kDate:
      return DUCKDB_TYPE_DATE;
  }
  return DUCKDB_TYPE_INVALID;
}

void Bind(duckdb_bind_info info) {
  const DuckdbApi& api = Duckdb();
  const auto* tables = static_cast<const InputTables*>(api.duckdb_bind_get_extra_info(info));
  duckdb_value parameter = api.duckdb_bind_get_parameter(info, 0);
  TablePointer table = tables->Find(api.duckdb_get_uint64(parameter));
  api.duckdb_destroy_value(&parameter);
  if (table == nullptr) {
    api.duckdb_bind_set_error(info, "these arrays are gone");
    return;
  }
  for (const InputColumn& column : table->columns) {
    duckdb_logical_type type = api.duckdb_create_logical_type(DuckdbType(column.type));
    api.duckdb_bind_add_result_column(info, column.name.c_str(), type);
    api.duckdb_destroy_logical_type(&type);
  }
  api.duckdb_bind_set_cardinality(info, table->rows, true);
  api.duckdb_bind_set_bind_data(info, new TablePointer(std::move(table)),
                                [](void* data) { delete static_cast<TablePointer*>(data); });
}

// The state of a scan is the number of the next row. One thread asks for rows, so that they come in
// order.
void Init(duckdb_init_info info) {
  Duckdb().duckdb_init_set_max_threads(info, 1);
  Duckdb().duckdb_init_set_init_data(info, new size_t(0),
                                     [](void* data) { delete static_cast<size_t*>(data); });
}

void SetAllNull(duckdb_vector vector, size_t count) {
  Duckdb().duckdb_vector_ensure_validity_writable(vector);
  uint64_t* validity = Duckdb().duckdb_vector_get_validity(vector);
  std::fill_n(validity, (count + kValidityBits - 1) / kValidityBits, uint64_t{0});
}

void SetNanNull(duckdb_vector vector, const double* values, size_t count) {
  uint64_t* validity = nullptr;
  for (size_t row = 0; row < count; ++row) {
    if (!std::isnan(values[row])) continue;
    if (validity == nullptr) {
      Duckdb().duckdb_vector_ensure_validity_writable(vector);
      validity = Duckdb().duckdb_vector_get_validity(vector);
    }
    validity[row / kValidityBits] &= ~(uint64_t{1} << (row % kValidityBits));
  }
}

void FillDoubles(duckdb_vector vector, const InputColumn& column, size_t first, size_t count) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  const double* from = static_cast<const double*>(column.values) + first;
  auto* to = static_cast<double*>(Duckdb().duckdb_vector_get_data(vector));
  // One NaN for all: the sign and payload of a NaN would make files of equal content differ.
  for (size_t row = 0; row < count; ++row) to[row] = std::isnan(from[row]) ? kNan : from[row];
  if (column.nan_is_null) SetNanNull(vector, to, count);
}

void FillTexts(duckdb_vector vector, const InputColumn& column, size_t first, size_t count) {
  const std::string* texts = static_cast<const std::string*>(column.values) + first;
  for (size_t row = 0; row < count; ++row) {
    Duckdb().duckdb_vector_assign_string_element_len(vector, row, texts[row].data(),
                                                     texts[row].size());
  }
}

void FillDates(duckdb_vector vector, const InputColumn& column, size_t first, size_t count) {
  const TimeMs* times = static_cast<const TimeMs*>(column.values) + first;
  auto* days = static_cast<int32_t*>(Duckdb().duckdb_vector_get_data(vector));
  for (size_t row = 0; row < count; ++row) {
    const TimeMs day = times[row] / kMsPerDay;
    days[row] = static_cast<int32_t>(day * kMsPerDay > times[row] ? day - 1 : day);
  }
}

void Fill(duckdb_vector vector, const InputColumn& column, size_t first, size_t count) {
  if (column.values == nullptr) return SetAllNull(vector, count);
  switch (column.type) {
    case ColumnType::kDouble:
      return FillDoubles(vector, column, first, count);
    case ColumnType::kText:
      return FillTexts(vector, column, first, count);
    case ColumnType::kDate:
      return FillDates(vector, column, first, count);
    case ColumnType::kInt64:
    case ColumnType::kTimestampMs:
      std::memcpy(Duckdb().duckdb_vector_get_data(vector),
                  static_cast<const int64_t*>(column.values) + first, count * sizeof(int64_t));
  }
}

void Scan(duckdb_function_info info, duckdb_data_chunk output) {
  const DuckdbApi& api = Duckdb();
  const auto& table = **static_cast<TablePointer*>(api.duckdb_function_get_bind_data(info));
  auto* next = static_cast<size_t*>(api.duckdb_function_get_init_data(info));
  const size_t count = std::min<size_t>(api.duckdb_vector_size(), table.rows - *next);
  for (size_t i = 0; i < table.columns.size(); ++i) {
    Fill(api.duckdb_data_chunk_get_vector(output, i), table.columns[i], *next, count);
  }
  api.duckdb_data_chunk_set_size(output, count);
  *next += count;
}

}  // namespace

void InputTables::Register(duckdb_connection connection) {
  const DuckdbApi& api = Duckdb();
  duckdb_table_function function = api.duckdb_create_table_function();
  api.duckdb_table_function_set_name(function, kFunction);
  duckdb_logical_type id_type = api.duckdb_create_logical_type(DUCKDB_TYPE_UBIGINT);
  api.duckdb_table_function_add_parameter(function, id_type);
  api.duckdb_destroy_logical_type(&id_type);
  api.duckdb_table_function_set_extra_info(function, this, nullptr);
  api.duckdb_table_function_set_bind(function, Bind);
  api.duckdb_table_function_set_init(function, Init);
  api.duckdb_table_function_set_function(function, Scan);
  const duckdb_state state = api.duckdb_register_table_function(connection, function);
  api.duckdb_destroy_table_function(&function);
  if (state != DuckDBSuccess) {
    throw Error(ErrorCode::kFailed, "DuckDB", "does not accept a table function");
  }
}

uint64_t InputTables::Add(InputTable table) {
  const std::scoped_lock lock(mutex_);
  tables_.emplace(next_id_, std::make_shared<const InputTable>(std::move(table)));
  return next_id_++;
}

void InputTables::Remove(uint64_t id) {
  const std::scoped_lock lock(mutex_);
  tables_.erase(id);
}

std::shared_ptr<const InputTable> InputTables::Find(uint64_t id) const {
  const std::scoped_lock lock(mutex_);
  const auto found = tables_.find(id);
  return found == tables_.end() ? nullptr : found->second;
}

std::string InputTables::Sql(uint64_t id) { return fmt::format("{}({}::UBIGINT)", kFunction, id); }

}  // namespace almanac
