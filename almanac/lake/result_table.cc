// From DuckDB's chunks of vectors to arrays.
#include "almanac/lake/result_table.h"

#include <fmt/format.h>

#include <limits>
#include <utility>

#include "almanac/base/error.h"

namespace almanac {
namespace {

constexpr int64_t kMicrosecondsPerMs = 1000;
constexpr int64_t kNanosecondsPerMs = 1'000'000;
constexpr size_t kValidityBits = 64;  // rows a word of a validity mask

// A chunk's part of one column.
struct Part {
  const void* data = nullptr;
  const uint64_t* validity = nullptr;  // one bit a row, 1 for a value; null: all have one
  size_t rows = 0;

  bool IsValid(size_t row) const {
    return validity == nullptr ||
           ((validity[row / kValidityBits] >> (row % kValidityBits)) & 1) != 0;
  }
};

// Appends f(value) of every row to `to`, and `null` where there is none.
template <typename Stored, typename T, typename Convert>
int64_t Append(const Part& part, std::vector<T>& to, T null, const Convert& convert) {
  const auto* values = static_cast<const Stored*>(part.data);
  const size_t before = to.size();
  to.resize(before + part.rows);
  T* target = to.data() + before;
  if (part.validity == nullptr) {
    for (size_t row = 0; row < part.rows; ++row) target[row] = convert(values[row]);
    return 0;
  }
  int64_t nulls = 0;
  for (size_t row = 0; row < part.rows; ++row) {
    const bool valid = part.IsValid(row);
    target[row] = valid ? convert(values[row]) : null;
    if (!valid) ++nulls;
  }
  return nulls;
}

using Appender = int64_t (*)(const Part& part, ResultColumn& column);

template <typename Stored>
int64_t AppendIntegers(const Part& part, ResultColumn& column) {
  return Append<Stored>(part, column.integers, int64_t{0},
                        [](Stored value) { return static_cast<int64_t>(value); });
}

template <typename Stored>
int64_t AppendDoubles(const Part& part, ResultColumn& column) {
  return Append<Stored>(part, column.doubles, std::numeric_limits<double>::quiet_NaN(),
                        [](Stored value) { return static_cast<double>(value); });
}

// Timestamps in ticks of which `kPerMs` make a millisecond; parts of one are dropped.
template <int64_t kPerMs>
int64_t AppendTimes(const Part& part, ResultColumn& column) {
  return Append<int64_t>(part, column.integers, int64_t{0}, [](int64_t ticks) {
    const int64_t ms = ticks / kPerMs;
    return ms * kPerMs > ticks ? ms - 1 : ms;
  });
}

int64_t AppendSeconds(const Part& part, ResultColumn& column) {
  return Append<int64_t>(part, column.integers, int64_t{0},
                         [](int64_t seconds) { return seconds * kMsPerSecond; });
}

int64_t AppendTexts(const Part& part, ResultColumn& column) {
  const DuckdbApi& api = Duckdb();
  return Append<duckdb_string_t>(part, column.texts, std::string(), [&](duckdb_string_t text) {
    return std::string(api.duckdb_string_t_data(&text), api.duckdb_string_t_length(text));
  });
}

struct Reader {
  ColumnType type;
  Appender append;
};

Reader ReaderOf(duckdb_type type, std::string_view name) {
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
      return {ColumnType::kTimestampMs, AppendTimes<kMicrosecondsPerMs>};
    case DUCKDB_TYPE_TIMESTAMP_NS:
      return {ColumnType::kTimestampMs, AppendTimes<kNanosecondsPerMs>};
    default:
      throw Error(ErrorCode::kBadData, std::string(name),
                  fmt::format("the column has a type that is not read (DuckDB's type {})",
                              static_cast<int>(type)),
                  "cast it in the query");
  }
}

class Chunk {
 public:
  explicit Chunk(duckdb_data_chunk chunk) : chunk_(chunk) {}
  ~Chunk() { Duckdb().duckdb_destroy_data_chunk(&chunk_); }
  Chunk(const Chunk&) = delete;
  Chunk& operator=(const Chunk&) = delete;

  size_t rows() const { return Duckdb().duckdb_data_chunk_get_size(chunk_); }
  Part Column(size_t c) const {
    duckdb_vector vector = Duckdb().duckdb_data_chunk_get_vector(chunk_, c);
    return {Duckdb().duckdb_vector_get_data(vector), Duckdb().duckdb_vector_get_validity(vector),
            rows()};
  }

 private:
  duckdb_data_chunk chunk_;
};

// `Columns` is a vector of columns, or a constant one.
template <typename Columns>
auto& FindColumn(Columns& columns, std::string_view name, ColumnType type) {
  for (auto& column : columns) {
    if (column.name == name && column.type == type) return column;
  }
  throw Error(ErrorCode::kBadData, std::string(name),
              "the table has no such column of the expected type");
}

}  // namespace

ResultTable FetchAll(duckdb_result& result) {
  const DuckdbApi& api = Duckdb();
  ResultTable table;
  std::vector<Appender> appenders;
  for (idx_t c = 0; c < api.duckdb_column_count(&result); ++c) {
    const char* name = api.duckdb_column_name(&result, c);
    const Reader reader = ReaderOf(api.duckdb_column_type(&result, c), name);
    appenders.push_back(reader.append);
    table.columns.push_back({name, reader.type, {}, {}, {}, 0});
  }
  while (duckdb_data_chunk fetched = api.duckdb_fetch_chunk(result)) {
    const Chunk chunk(fetched);
    for (size_t c = 0; c < appenders.size(); ++c) {
      table.columns[c].nulls += appenders[c](chunk.Column(c), table.columns[c]);
    }
    table.rows += chunk.rows();
  }
  return table;
}

inline namespace duck {

const ResultColumn& ResultTable::Column(std::string_view name, ColumnType type) const {
  return FindColumn(columns, name, type);
}

ResultColumn& ResultTable::Column(std::string_view name, ColumnType type) {
  return FindColumn(columns, name, type);
}

}  // namespace duck
}  // namespace almanac
