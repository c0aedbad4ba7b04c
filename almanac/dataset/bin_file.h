// Feature columns as 8-bit bins in one file: written once, mapped read-only and shared by every
// process that trains on them.
//
// Bins lie in tiles of 16 columns, row-major inside a tile: one row's bins of a tile are 16 bytes
// side by side. Beside them are the row times, each column's bins (bounds, sampled rows) and a
// description as JSON. docs/datasets.md specifies every byte.
//
// Opening checks everything but the tiles; Verify checks those too. What is damaged is refused with
// Error(kBadData) that names the file and the byte, the column or the tile.
#ifndef ALMANAC_DATASET_BIN_FILE_H_
#define ALMANAC_DATASET_BIN_FILE_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/base/file.h"
#include "almanac/base/json.h"
#include "almanac/base/time.h"
#include "almanac/dataset/bin_mapper.h"

namespace almanac {

// A column without its bins: what they mean. Numerical, at most 256 bins.
struct BinColumn {
  std::string name, unit;
  BinMapper mapper;
};

// As it stands in the file.
std::string EncodeBinColumn(const BinColumn& column);
// The first column of `bytes`, which is shortened by it. `min_split_rows` as in BinOptions. Throws
// std::invalid_argument with what is wrong.
BinColumn DecodeBinColumn(std::string_view* bytes, int min_split_rows = 0);

class BinFile;

// How a file's bins were found: the member "binning" of its description.
struct BinningFacts {
  BinOptions options;       // without min_split_rows: files have every column with a cut
  size_t rows = 0;          // that could be sampled
  size_t sampled_rows = 0;  // that were

  Json ToJson() const;
  // Throws Error(kBadData) if the description does not say.
  static BinningFacts Of(const BinFile& file);
};

class BinFile {
 public:
  static constexpr size_t kTileColumns = 16;

  explicit BinFile(const std::filesystem::path& path);

  // Reads all tiles and compares them with their hashes.
  void Verify() const;

  const std::filesystem::path& path() const { return path_; }
  size_t rows() const { return rows_; }
  size_t columns() const { return columns_.size(); }
  size_t tiles() const { return (columns() + kTileColumns - 1) / kTileColumns; }
  std::span<const TimeMs> times() const { return times_; }  // strictly increasing
  const BinColumn& column(size_t c) const { return columns_[c]; }
  // The column's mapper for training that asks for so many rows on both sides of a cut.
  BinMapper MapperFor(size_t c, int min_split_rows) const;
  // 16 bytes a row; places without a column are 0.
  std::span<const uint8_t> tile(size_t t) const;
  uint8_t bin(size_t c, size_t row) const {
    return tile(c / kTileColumns)[row * kTileColumns + c % kTileColumns];
  }
  Json description() const;

 private:
  std::filesystem::path path_;
  MappedFile file_;
  size_t rows_ = 0;
  size_t tile_bytes_ = 0;
  std::span<const TimeMs> times_;
  std::vector<BinColumn> columns_;
  std::string_view digests_;
  std::string_view description_;
};

// Writes a file beside `path` that takes its place in Finish; destruction without Finish leaves
// what was there. Memory: one tile, in AddAll two a thread.
class BinFileWriter {
 public:
  // Throws Error(kBadData) for row times that do not increase.
  BinFileWriter(std::filesystem::path path, std::vector<TimeMs> times);
  ~BinFileWriter();
  BinFileWriter(const BinFileWriter&) = delete;
  BinFileWriter& operator=(const BinFileWriter&) = delete;

  // The next column; `bins` has one a row. Throws Error(kUsage) for a column that cannot be in such
  // a file, Error(kFailed) if the disk is full.
  void Add(const BinColumn& column, std::span<const uint8_t> bins);

  // All columns of a file, whose tiles all threads make. `read` gives the bins of `count` columns
  // from `first` on, column after column; threads call it at the same time. Throws as Add, and
  // Error(kUsage) if there are columns already or more are added.
  using ReadBins = std::function<void(size_t first, size_t count, std::span<uint8_t> bins)>;
  void AddAll(std::span<const BinColumn> columns, const ReadBins& read);
  void Finish(const Json& description);

 private:
  void RequireMore(const std::string& name) const;
  void WriteTile();
  void Write(std::string_view bytes);

  std::filesystem::path path_, staged_;
  std::ofstream file_;
  std::vector<TimeMs> times_;
  std::vector<uint8_t> tile_;
  std::string digests_, records_;
  size_t columns_ = 0;
  size_t in_tile_ = 0;  // columns that are in tile_ and not in the file
  bool has_all_ = false;
};

}  // namespace almanac

#endif  // ALMANAC_DATASET_BIN_FILE_H_
