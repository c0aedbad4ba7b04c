// A small face of DuckDB: in-memory databases that read and write Parquet, columns in and columns
// out. Errors of the engine become almanac::Error.
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

enum class ColumnType { kInt64, kDouble, kText, kTimestampMs };

// A column that a query reads: a view of the caller's array.
struct InputColumn {
  std::string name;
  ColumnType type = ColumnType::kDouble;
  // int64_t for kInt64 and kTimestampMs, double for kDouble (NaN becomes NULL where `nan_is_null`),
  // std::string for kText.
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
};

struct ResultTable {
  std::vector<ResultColumn> columns;
  size_t rows = 0;
  // Throws Error(kBadData) if there is no column of this name and type.
  const ResultColumn& Column(std::string_view name, ColumnType type) const;
};

struct DatabaseOptions {
  int threads = 0;  // 0: as many as ThreadCount()
  std::string memory_limit = "2GB";
  std::filesystem::path temporary;  // where it may spill; empty: nowhere
};

class Database {
 public:
  explicit Database(const DatabaseOptions& options = {});
  ~Database();
  Database(Database&&) noexcept;

  // Runs statements; the rows of the last one. `where` is what the error is about, such as a path.
  // Integers of any width come back as kInt64, timestamps of any unit as kTimestampMs.
  ResultTable Query(const std::string& sql, std::string_view where = "") const;

  // The same, and the SQL may read `name` as a table of the given columns, in their order, without
  // their being copied first. The arrays must live until it returns.
  ResultTable QueryWith(const std::string& sql, const std::string& name,
                        const std::vector<InputColumn>& columns, size_t rows,
                        std::string_view where = "") const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// 'text' as SQL writes it.
std::string SqlText(std::string_view text);

// Writes the columns as one Parquet file: zstd, row groups of 122,880 rows, the same bytes for the
// same content. Not atomic: write beside, then rename.
void WriteParquet(const Database& database, const std::filesystem::path& file,
                  const std::vector<InputColumn>& columns, size_t rows);

// "v1.4.4" of the library that is used.
std::string DuckDbVersion();

}  // namespace almanac

#endif  // ALMANAC_LAKE_DATABASE_H_
