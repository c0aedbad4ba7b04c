// The table function through which a query reads our arrays. Inside lake only.
#ifndef ALMANAC_LAKE_INPUT_TABLE_H_
#define ALMANAC_LAKE_INPUT_TABLE_H_

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "almanac/lake/database.h"
#include "almanac/lake/duckdb_api.h"

namespace almanac {

struct InputTable {
  std::vector<InputColumn> columns;
  size_t rows = 0;
};

// The tables that queries under way may read, by number. Outlives the database that reads them.
class InputTables {
 public:
  // Makes the table function known to the database of `connection`.
  void Register(duckdb_connection connection);

  uint64_t Add(InputTable table);
  void Remove(uint64_t id);
  std::shared_ptr<const InputTable> Find(uint64_t id) const;
  // "almanac_arrays(7::UBIGINT)": what a query reads the table by.
  static std::string Sql(uint64_t id);

 private:
  mutable std::mutex mutex_;
  uint64_t next_id_ = 1;
  std::map<uint64_t, std::shared_ptr<const InputTable>> tables_;
};

}  // namespace almanac

#endif  // ALMANAC_LAKE_INPUT_TABLE_H_
