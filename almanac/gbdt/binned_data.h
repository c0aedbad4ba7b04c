// Feature columns as bins: made once, read by every model that trains on them. Bins lie in tiles of
// 16 features, row-major inside a tile, either in memory or mapped from a file of bins
// (dataset/bin_file.h), which is not copied.
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
  // Some of these rows, in that order, in the same bins. Rows that follow one another are not
  // copied: both then share them. Throws Error(kUsage) for no row or one that there is not.
  BinnedData Subset(std::span<const uint32_t> rows) const;
  // How many bytes Subset would copy.
  size_t SubsetBytes(std::span<const uint32_t> rows) const;

  size_t rows() const { return rows_; }
  size_t features() const { return columns_.size(); }
  // The number of a feature's column in the source.
  uint32_t column(size_t feature) const { return used_[feature]; }
  const BinMapper& mapper(size_t feature) const { return (*mappers_)[used_[feature]]; }
  const std::vector<std::string>& column_names() const { return *names_; }
  // Of every column, useless ones too.
  const std::vector<BinMapper>& mappers() const { return *mappers_; }

  // One feature's bins inside a tile.
  struct Strided {
    const uint8_t* first = nullptr;
    uint8_t operator[](size_t row) const { return first[row * kTileColumns]; }
  };
  // Calls body(bins) with the feature's `const uint16_t*` or Strided: bins[row].
  template <typename Body>
  decltype(auto) Visit(size_t feature, const Body& body) const {
    const Column& c = columns_[feature];
    return c.is_wide() ? body(c.wide->data() + c.wide_begin)
                       : body(Strided{tiles_[c.tile] + c.place});
  }
  uint32_t bin(size_t feature, size_t row) const {
    return Visit(feature, [row](const auto& bins) -> uint32_t { return bins[row]; });
  }

  // Features are worked on in tiles: 16 in a row, or those of a tile of the file.
  size_t tiles() const { return tiles_.size(); }
  size_t first_of_tile(size_t tile) const { return first_of_tile_[tile]; }  // tiles(): the end
  uint32_t place(size_t feature) const { return columns_[feature].place; }  // in its tile
  size_t tile_of(size_t feature) const { return columns_[feature].tile; }
  // 16 bytes a row, aligned to 16; what is in places without a narrow feature means nothing.
  const uint8_t* tile(size_t tile) const { return tiles_[tile]; }
  // Features with more than 256 bins are in no tile.
  bool is_wide(size_t feature) const { return columns_[feature].is_wide(); }

 private:
  struct Column {
    std::shared_ptr<const std::vector<uint16_t>> wide;  // null if narrow
    size_t wide_begin = 0;
    uint32_t tile = 0, place = 0;
    bool is_wide() const { return wide != nullptr; }
  };
  // Tiles in memory, shared with subsets.
  using Tiles = std::vector<std::vector<uint8_t>>;
  class Builder;

  BinnedData WithoutRows() const;
  void CopyRows(std::span<const uint32_t> rows, const BinnedData& from);

  size_t rows_ = 0;
  std::shared_ptr<const std::vector<std::string>> names_;
  std::shared_ptr<const std::vector<BinMapper>> mappers_;
  std::vector<uint32_t> used_;
  std::vector<Column> columns_;
  std::vector<size_t> first_of_tile_ = {0};
  std::vector<const uint8_t*> tiles_;
  // What keeps the tiles: one of the two.
  std::shared_ptr<const Tiles> made_;
  std::shared_ptr<const BinFile> file_;
};

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_BINNED_DATA_H_
