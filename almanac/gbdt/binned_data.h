// Feature columns as bins: made once, read by every model that trains on them. Either in memory, or
// mapped from a file of bins (dataset/bin_file.h), which is not copied.
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

#include "almanac/dataset/bin_file.h"
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
  static constexpr size_t kTileColumns = BinFile::kTileColumns;

  // Finds the bins on params.bin_construct_sample_cnt rows and applies them to all. Throws
  // Error(kBadData) for a source without rows or columns, Error(kUsage) for a categorical column
  // that there is not.
  static BinnedData Make(const ColumnSource& source, const Params& params);
  // The rows [first_row, first_row + rows) of a file. Its columns that are of use at
  // params.min_data_in_leaf are those that Make would find on the rows that it was binned by.
  // Throws Error(kUsage) for parameters that ask for other bins than the file has, or rows that it
  // has not.
  static BinnedData FromFile(std::shared_ptr<const BinFile> file, const Params& params,
                             size_t first_row, size_t rows);
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

  // One feature's bins inside a mapped tile.
  struct Mapped {
    const uint8_t* first = nullptr;
    uint8_t operator[](size_t row) const { return first[row * kTileColumns]; }
  };
  // Calls body(bins) with the feature's `const uint8_t*`, `const uint16_t*` or Mapped: bins[row].
  template <typename Body>
  decltype(auto) Visit(size_t feature, const Body& body) const {
    const Column& c = columns_[feature];
    if (c.mapped.first != nullptr) return body(c.mapped);
    return c.wide.empty() ? body(c.narrow.data()) : body(c.wide.data());
  }
  uint32_t bin(size_t feature, size_t row) const {
    return Visit(feature, [row](const auto& bins) -> uint32_t { return bins[row]; });
  }

  // Features are worked on in tiles: 16 in a row, or those of a tile of the file.
  size_t tiles() const { return first_of_tile_.size() - 1; }
  size_t first_of_tile(size_t tile) const { return first_of_tile_[tile]; }  // tiles(): the end
  uint32_t place(size_t feature) const { return columns_[feature].place; }  // in its tile
  bool is_mapped() const { return file_ != nullptr; }
  const uint8_t* mapped_tile(size_t tile) const {  // null if not mapped
    return is_mapped() ? file_->tile(tile).data() + first_row_ * kTileColumns : nullptr;
  }

 private:
  struct Column {
    std::vector<uint8_t> narrow;
    std::vector<uint16_t> wide;
    Mapped mapped;
    uint32_t place = 0;
  };
  static Column Apply(const BinMapper& mapper, std::span<const double> values);
  void LayOut();  // of columns in memory: their tiles

  size_t rows_ = 0;
  std::shared_ptr<const std::vector<std::string>> names_;
  std::shared_ptr<const std::vector<BinMapper>> mappers_;
  std::vector<uint32_t> used_;
  std::vector<Column> columns_;
  std::vector<size_t> first_of_tile_ = {0};
  std::shared_ptr<const BinFile> file_;
  size_t first_row_ = 0;
};

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_BINNED_DATA_H_
