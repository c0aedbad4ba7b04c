// DuckDB in memory, for queries over files and over our own arrays: columns in, columns out.
// Nothing is stored in it, and its extensions are never fetched. Errors of the engine become
// almanac::Error.
#ifndef ALMANAC_LAKE_DATABASE_H_
#define ALMANAC_LAKE_DATABASE_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/base/time.h"

namespace almanac {
// Inline, so that users write almanac::Database, while the linker tells it from the class of that
// name in registry/sqlite.h.
inline namespace duck {

// kDate is for input alone: the UTC day of a time in milliseconds.
enum class ColumnType { kInt64, kDouble, kText, kTimestampMs, kDate };

// A column that a query reads: a view of the caller's array.
struct InputColumn {
  std::string name;
  ColumnType type = ColumnType::kDouble;
  // int64_t for kInt64, kTimestampMs and kDate, double for kDouble (NaN becomes NULL where
  // `nan_is_null`, otherwise all NaN become the same NaN), std::string for kText. Null: NULL in
  // every row.
  const void* values = nullptr;
  bool nan_is_null = false;
};

// Rows as they come out of a query, one array a column; a NULL is NaN, 0 or "".
struct ResultColumn {
  std::string name;
  ColumnType type = ColumnType::kDouble;
  std::vector<int64_t> integers;  // kInt64 and kTimestampMs (milliseconds)
  std::vector<double> doubles;
  std::vector<std::string> texts;
  int64_t nulls = 0;  // how many
};

struct ResultTable {
  std::vector<ResultColumn> columns;
  size_t rows = 0;
  // Throws Error(kBadData) if there is no column of this name and type.
  const ResultColumn& Column(std::string_view name, ColumnType type) const;
  ResultColumn& Column(std::string_view name, ColumnType type);
};

struct DatabaseOptions {
  // 0: as many as ThreadCount(). With 1 a query runs on the thread that asks.
  int threads = 0;
  std::string memory_limit = "2GB";      // of all queries together
  std::filesystem::path temporary = {};  // where it may spill; empty: nowhere
};

// May be used from several threads at once; every query has a connection of its own.
class Database {
 public:
  explicit Database(const DatabaseOptions& options = {});
  ~Database();
  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;

  // Runs statements; the rows of the last one. `where` is what an error is about, such as a path.
  // Integers of any width come back as kInt64, timestamps of any unit as kTimestampMs. What DuckDB
  // refuses is Error(kBadData).
  ResultTable Query(const std::string& sql, std::string_view where = "DuckDB") const;

  // The same, and the SQL may read `name` as a table of the given columns, in their order, without
  // their being copied first. The arrays must live until it returns.
  ResultTable QueryWith(const std::string& sql, const std::string& name,
                        const std::vector<InputColumn>& columns, size_t rows,
                        std::string_view where = "DuckDB") const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// 'text' as SQL writes it.
std::string SqlText(std::string_view text);

// Writes the columns as one Parquet file: zstd, row groups of 122,880 rows; the same bytes for the
// same content if the database has one thread. Not atomic: write beside, then rename.
void WriteParquet(const Database& database, const std::filesystem::path& file,
                  const std::vector<InputColumn>& columns, size_t rows);

// "v1.4.4" of the library that is used.
std::string DuckDbVersion();

}  // namespace duck
}  // namespace almanac

#endif  // ALMANAC_LAKE_DATABASE_H_
