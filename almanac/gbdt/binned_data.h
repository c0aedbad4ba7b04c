// Feature columns as bins: made once, read by every model that trains on them.
#ifndef ALMANAC_GBDT_BINNED_DATA_H_
#define ALMANAC_GBDT_BINNED_DATA_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "almanac/dataset/bin_mapper.h"
#include "almanac/gbdt/params.h"

namespace almanac::gbdt {

// Where columns come from: a matrix, a file, memory. NaN is a missing value.
struct ColumnSource {
  size_t rows = 0;
  std::vector<std::string> names;  // one a column
  // Writes column `c` into `out` (length rows). Called from several threads at once.
  std::function<void(size_t c, std::span<double> out)> read;
};

// The columns that are of use ("features", in the order of the source), a bin for every row. Bins
// are bytes; where a feature has more than 256 bins, 16-bit numbers.
class BinnedData {
 public:
  // Finds the bins on params.bin_construct_sample_cnt rows and applies them to all. Throws
  // Error(kBadData) for a source without rows or columns, Error(kUsage) for a categorical column
  // that there is not.
  static BinnedData Make(const ColumnSource& source, const Params& params);
  // Other rows in the same bins: validation data. Error(kBadData) if the columns differ.
  BinnedData WithSameBins(const ColumnSource& source) const;

  size_t rows() const { return rows_; }
  size_t features() const { return columns_.size(); }
  // The number of a feature's column in the source.
  uint32_t column(size_t feature) const { return used_[feature]; }
  const BinMapper& mapper(size_t feature) const { return (*mappers_)[used_[feature]]; }
  const std::vector<std::string>& column_names() const { return *names_; }
  // Of every column, useless ones too.
  const std::vector<BinMapper>& mappers() const { return *mappers_; }

  uint32_t bin(size_t feature, size_t row) const {
    const Column& c = columns_[feature];
    return c.wide.empty() ? c.narrow[row] : c.wide[row];
  }
  // Calls body(bins) with the feature's `const uint8_t*` or `const uint16_t*`, one bin a row.
  template <typename Body>
  decltype(auto) Visit(size_t feature, const Body& body) const {
    const Column& c = columns_[feature];
    return c.wide.empty() ? body(c.narrow.data()) : body(c.wide.data());
  }

 private:
  struct Column {
    std::vector<uint8_t> narrow;
    std::vector<uint16_t> wide;
  };
  static Column Apply(const BinMapper& mapper, std::span<const double> values);

  size_t rows_ = 0;
  std::shared_ptr<const std::vector<std::string>> names_;
  std::shared_ptr<const std::vector<BinMapper>> mappers_;
  std::vector<uint32_t> used_;
  std::vector<Column> columns_;
};

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_BINNED_DATA_H_
