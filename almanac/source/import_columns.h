// Which column of a table holds which field: by the header's names and their synonyms
// (docs/import.md has the table), or by what the user says.
#ifndef ALMANAC_SOURCE_IMPORT_COLUMNS_H_
#define ALMANAC_SOURCE_IMPORT_COLUMNS_H_

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/source/import.h"

namespace almanac {

// A field that a file may give, and the names that its column may have, best first.
struct FieldNames {
  std::string_view field;
  bool required = true;
  std::vector<std::string_view> names;
};
// In the order of CandleField.
const std::vector<FieldNames>& CandleFields();
enum CandleField : size_t {
  kTimeField,
  kOpenField,
  kHighField,
  kLowField,
  kCloseField,
  kVolumeField,
  kTradeCountField,
  kVwapField,
  kSymbolField,
  kCandleFieldCount
};
// In the order of EarningsField.
const std::vector<FieldNames>& EarningsFields();
enum EarningsField : size_t {
  kDateField,
  kEarningsSymbolField,
  kEpsEstimateField,
  kEpsActualField,
  kEarningsFieldCount
};

// "Open time" and "open_time" are one name: lower case, every run of other characters than letters
// and digits one '_'.
std::string NormalisedName(std::string_view name);

struct ColumnMap {
  static constexpr int kMissing = -1;
  static constexpr int kNone = -2;    // the user says that there is none
  std::vector<int> column;            // one a field, in the order of the fields
  std::optional<TimeUnit> time_unit;  // from the name of the time column (timestamp_ms)
  std::vector<std::string> ignored;   // names of columns that hold no field
  int Of(size_t field) const { return column[field]; }
};

// `given` maps fields to a name or "#3" (see ImportOptions::columns). Throws Error(kBadData), whose
// place is empty, if columns are missing (naming them and what was found) or two columns claim one
// field by the same name; Error(kUsage) if `given` names a field that does not exist.
ColumnMap MapColumns(const std::vector<FieldNames>& fields, const std::vector<std::string>& header,
                     const std::map<std::string, std::string>& given);

// Throws Error(kUsage) if a key of `given` is no field.
void CheckGivenColumns(const std::vector<FieldNames>& fields,
                       const std::map<std::string, std::string>& given);

}  // namespace almanac

#endif  // ALMANAC_SOURCE_IMPORT_COLUMNS_H_
