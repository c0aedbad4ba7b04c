// Tables of numbers as people who know LightGBM keep them: CSV or TSV with or without a header, or
// a two-dimensional .npy array.
#ifndef ALMANAC_GBDT_NUMBER_TABLE_H_
#define ALMANAC_GBDT_NUMBER_TABLE_H_

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/gbdt/binned_data.h"

namespace almanac::gbdt {

enum class Header {
  kAuto,  // the first line is one if a field of it is not a number
  kYes,
  kNo
};

struct NumberTable {
  std::string file;  // the place in errors
  size_t rows = 0;
  std::vector<std::string> names;  // empty: there is no header
  std::vector<std::vector<double>> columns;

  // The named column; Error(kUsage, `where`) that suggests the nearest name, or says that the file
  // has no header.
  size_t Find(std::string_view name, const std::string& where) const;
  // Of the chosen columns; the table must outlive it. Columns without a name are "Column_0", ...
  ColumnSource Source(std::vector<size_t> chosen) const;
};

// Fields are separated by tabs if the first line has one, otherwise by commas. An empty field and
// "na", "nan", "null" (any case) are missing values, "inf" is 1e308, as for LightGBM. Arrays hold
// float, double or whole numbers, in C or Fortran order. Throws Error(kBadData) naming file, line
// and column for what is not a number, for lines of different lengths and for a file without rows.
NumberTable LoadNumberTable(const std::filesystem::path& file, Header header);

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_NUMBER_TABLE_H_
