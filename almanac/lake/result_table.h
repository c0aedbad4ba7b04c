// Inside lake only: see database.h for the table.
#ifndef ALMANAC_LAKE_RESULT_TABLE_H_
#define ALMANAC_LAKE_RESULT_TABLE_H_

#include "almanac/lake/database.h"
#include "almanac/lake/duckdb_api.h"

namespace almanac {

// All rows of a query that succeeded.
ResultTable FetchAll(duckdb_result& result);

}  // namespace almanac

#endif  // ALMANAC_LAKE_RESULT_TABLE_H_
