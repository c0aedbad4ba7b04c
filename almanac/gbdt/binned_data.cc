#include "almanac/gbdt/binned_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "almanac/base/error.h"
#include "almanac/base/parallel.h"
#include "almanac/dataset/lcg.h"

namespace almanac::gbdt {
namespace {

constexpr uint32_t kNarrowBins = 256;
constexpr size_t kMostRows = std::numeric_limits<int>::max();

void CheckSource(const ColumnSource& source) {
  if (source.rows > 0 && source.rows <= kMostRows && !source.names.empty()) return;
  throw Error(ErrorCode::kBadData, "boosted trees",
              fmt::format("{} rows of {} columns", source.rows, source.names.size()),
              fmt::format("give 1 to {} rows and at least one column", kMostRows));
}

void CheckCategorical(const ColumnSource& source, const Params& params) {
  for (const int column : params.categorical_feature) {
    if (static_cast<size_t>(column) < source.names.size()) continue;
    throw Error(ErrorCode::kUsage, "categorical_feature",
                fmt::format("there is no column {}", column),
                fmt::format("columns are 0 to {}", source.names.size() - 1));
  }
}

// Of the sampled rows, so many on both sides of a cut; 0: any cut will do.
int LeastSplitRows(const Params& params, size_t sampled, size_t rows) {
  if (!params.feature_pre_filter) return 0;
  return static_cast<int>(static_cast<double>(params.min_data_in_leaf) *
                          static_cast<double>(sampled) / static_cast<double>(rows));
}

BinOptions OptionsFor(size_t column, const Params& params, size_t sampled, size_t rows) {
  BinOptions options;
  options.max_bin = params.max_bin;
  options.min_data_in_bin = params.min_data_in_bin;
  options.use_missing = params.use_missing;
  options.zero_as_missing = params.zero_as_missing;
  options.is_categorical =
      std::binary_search(params.categorical_feature.begin(), params.categorical_feature.end(),
                         static_cast<int>(column));
  options.min_split_rows = LeastSplitRows(params, sampled, rows);
  return options;
}

// The bins of a file were found with these; any other is refused.
void RequireBinning(const BinningFacts& facts, const Params& params, const std::string& file) {
  const auto require = [&](const char* key, const std::string& asked, const std::string& has) {
    if (asked == has) return;
    throw Error(ErrorCode::kUsage, file,
                fmt::format("{} is {} where its bins were made with {}", key, asked, has),
                "train with the file's own, or make the file again");
  };
  const auto text = [](auto value) { return fmt::format("{}", value); };
  require("max_bin", text(params.max_bin), text(facts.options.max_bin));
  require("min_data_in_bin", text(params.min_data_in_bin), text(facts.options.min_data_in_bin));
  require("use_missing", text(params.use_missing), text(facts.options.use_missing));
  require("zero_as_missing", text(params.zero_as_missing), text(facts.options.zero_as_missing));
  if (params.categorical_feature.empty()) return;
  throw Error(ErrorCode::kUsage, file, "categorical_feature is set", "its columns are numbers");
}

std::vector<double> NonZero(std::span<const double> values, std::span<const uint32_t> rows) {
  std::vector<double> kept;
  kept.reserve(rows.size());
  for (const uint32_t row : rows) {
    const double value = values[row];
    if (std::isnan(value) || std::abs(value) > kZeroThreshold) kept.push_back(value);
  }
  return kept;
}

// Whether all values are float32 numbers (or NaN), which are then in `floats`.
bool AreFloats(std::span<const double> values, std::vector<float>* floats) {
  floats->resize(values.size());
  bool are_floats = true;
  for (size_t i = 0; i < values.size(); ++i) {
    const auto narrowed = static_cast<float>(values[i]);
    (*floats)[i] = narrowed;
    are_floats &= static_cast<double>(narrowed) == values[i] || std::isnan(values[i]);
  }
  return are_floats;
}

// One column in the hands of one thread; the memory is used again for the next.
struct ColumnReader {
  std::vector<double> values;
  std::vector<float> floats, sampled;
  bool are_floats =
      false;  // then the bins are found and looked up in float32, several times faster

  void Read(const ColumnSource& source, size_t c) {
    values.resize(source.rows);
    source.read(c, values);
    are_floats = AreFloats(values, &floats);
  }
  BinMapper Find(std::span<const uint32_t> sample, const BinOptions& options) {
    if (!are_floats || options.is_categorical) {
      return BinMapper::Find(NonZero(values, sample), sample.size(), options);
    }
    if (sample.size() == floats.size()) return BinMapper::Find(floats, options);
    sampled.resize(sample.size());
    for (size_t i = 0; i < sample.size(); ++i) sampled[i] = floats[sample[i]];
    return BinMapper::Find(sampled, options);
  }
  std::vector<uint8_t> NarrowBins(const BinMapper& mapper) const {
    std::vector<uint8_t> bins(values.size());
    if (are_floats && !mapper.is_categorical()) {
      mapper.BinsOf(std::span<const float>(floats), bins.data());
    } else {
      mapper.BinsOf(std::span<const double>(values), bins.data());
    }
    return bins;
  }
};

// So many columns are binned before they are put into tiles: enough for all threads.
constexpr size_t kColumnsAtOnce = 256;

}  // namespace

// Takes binned columns in order and lays them out.
class BinnedData::Builder {
 public:
  explicit Builder(BinnedData* data) : data_(data), tiles_(std::make_shared<Tiles>()) {}

  struct Binned {
    std::vector<uint8_t> narrow;  // of the two, one is used
    std::vector<uint16_t> wide;
  };
  static Binned Apply(const BinMapper& mapper, const ColumnReader& reader) {
    Binned binned;
    if (mapper.bins() <= kNarrowBins) {
      binned.narrow = reader.NarrowBins(mapper);
    } else {
      binned.wide.resize(reader.values.size());
      mapper.BinsOf(std::span<const double>(reader.values), binned.wide.data());
    }
    return binned;
  }

  void Add(uint32_t column, Binned binned) {
    const size_t feature = data_->columns_.size();
    data_->used_.push_back(column);
    Column& added = data_->columns_.emplace_back();
    added.tile = static_cast<uint32_t>(feature / kTileColumns);
    added.place = static_cast<uint32_t>(feature % kTileColumns);
    if (!binned.wide.empty()) {
      added.wide = std::make_shared<const std::vector<uint16_t>>(std::move(binned.wide));
    }
    pending_.push_back(std::move(binned.narrow));
  }

  // Makes tiles of the columns that fill them; of all, at the end.
  void Flush(bool is_end) {
    const size_t first = tiles_->size();
    const size_t count = (pending_.size() + (is_end ? kTileColumns - 1 : 0)) / kTileColumns;
    tiles_->resize(first + count);
    ParallelFor(count, [&](size_t t) { (*tiles_)[first + t] = TileOf(t * kTileColumns); });
    const size_t done = std::min(pending_.size(), count * kTileColumns);
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(done));
    if (!is_end) return;
    for (size_t t = 0; t < tiles_->size(); ++t) {
      data_->tiles_.push_back((*tiles_)[t].data());
      data_->first_of_tile_.push_back(std::min(data_->columns_.size(), (t + 1) * kTileColumns));
    }
    data_->made_ = tiles_;
  }

 private:
  // Row by row what the pending columns from `first` on have; where there is none, 0.
  std::vector<uint8_t> TileOf(size_t first) const {
    const size_t rows = data_->rows_;
    const std::vector<uint8_t> nothing(rows, 0);
    std::array<const uint8_t*, kTileColumns> columns{};
    for (size_t c = 0; c < kTileColumns; ++c) {
      const bool is_there = first + c < pending_.size() && !pending_[first + c].empty();
      columns[c] = is_there ? pending_[first + c].data() : nothing.data();
    }
    std::vector<uint8_t> tile(rows * kTileColumns);
    uint8_t* out = tile.data();
    for (size_t row = 0; row < rows; ++row) {
      for (size_t c = 0; c < kTileColumns; ++c) *out++ = columns[c][row];
    }
    return tile;
  }

  BinnedData* data_;
  std::shared_ptr<Tiles> tiles_;
  std::vector<std::vector<uint8_t>> pending_;  // by feature; empty if wide
};

BinnedData BinnedData::Make(const ColumnSource& source, const Params& params) {
  CheckSource(source);
  CheckCategorical(source, params);
  Lcg random(static_cast<uint32_t>(params.data_random_seed));
  const auto sample_size = static_cast<size_t>(params.bin_construct_sample_cnt);
  const std::vector<uint32_t> sample =
      random.Sample(static_cast<uint32_t>(source.rows),
                    static_cast<uint32_t>(std::min(source.rows, sample_size)));

  BinnedData data;
  data.rows_ = source.rows;
  Builder builder(&data);
  std::vector<BinMapper> mappers(source.names.size());
  for (size_t begin = 0; begin < mappers.size(); begin += kColumnsAtOnce) {
    const size_t count = std::min(kColumnsAtOnce, mappers.size() - begin);
    std::vector<Builder::Binned> binned(count);
    ParallelFor(count, [&](size_t i) {
      thread_local ColumnReader reader;
      reader.Read(source, begin + i);
      BinMapper& mapper = mappers[begin + i];
      mapper = reader.Find(sample, OptionsFor(begin + i, params, sample.size(), source.rows));
      if (!mapper.is_useless()) binned[i] = Builder::Apply(mapper, reader);
    });
    for (size_t i = 0; i < count; ++i) {
      if (mappers[begin + i].is_useless()) continue;
      builder.Add(static_cast<uint32_t>(begin + i), std::move(binned[i]));
    }
    builder.Flush(begin + count == mappers.size());
  }
  data.names_ = std::make_shared<const std::vector<std::string>>(source.names);
  data.mappers_ = std::make_shared<const std::vector<BinMapper>>(std::move(mappers));
  return data;
}

BinnedData BinnedData::FromFile(std::shared_ptr<const BinFile> file, const Params& params,
                                size_t first_row, size_t rows) {
  if (rows == 0 || rows > file->rows() || first_row > file->rows() - rows) {
    throw Error(ErrorCode::kUsage, file->path().string(),
                fmt::format("rows {} to {} are asked for", first_row, first_row + rows),
                fmt::format("it has {}", file->rows()));
  }
  const BinningFacts facts = BinningFacts::Of(*file);
  RequireBinning(facts, params, file->path().string());
  const int least = LeastSplitRows(params, facts.sampled_rows, facts.rows);
  BinnedData data;
  data.rows_ = rows;
  std::vector<std::string> names;
  std::vector<BinMapper> mappers;
  for (size_t c = 0; c < file->columns(); ++c) {
    names.push_back(file->column(c).name);
    mappers.push_back(file->MapperFor(c, least));
    if (c > 0 && c % kTileColumns == 0) data.first_of_tile_.push_back(data.columns_.size());
    if (mappers.back().is_useless()) continue;
    data.used_.push_back(static_cast<uint32_t>(c));
    Column& column = data.columns_.emplace_back();
    column.tile = static_cast<uint32_t>(c / kTileColumns);
    column.place = static_cast<uint32_t>(c % kTileColumns);
  }
  data.first_of_tile_.push_back(data.columns_.size());
  for (size_t t = 0; t < file->tiles(); ++t) {
    data.tiles_.push_back(file->tile(t).data() + first_row * kTileColumns);
  }
  data.names_ = std::make_shared<const std::vector<std::string>>(std::move(names));
  data.mappers_ = std::make_shared<const std::vector<BinMapper>>(std::move(mappers));
  data.file_ = std::move(file);
  return data;
}

BinnedData BinnedData::WithSameBins(const ColumnSource& source) const {
  CheckSource(source);
  if (source.names != *names_) {
    throw Error(ErrorCode::kBadData, "boosted trees",
                "the columns are not those that the bins were made of",
                "give the same columns in the same order");
  }
  BinnedData data = WithoutRows();
  data.rows_ = source.rows;
  Builder builder(&data);
  for (size_t begin = 0; begin < used_.size(); begin += kColumnsAtOnce) {
    const size_t count = std::min(kColumnsAtOnce, used_.size() - begin);
    std::vector<Builder::Binned> binned(count);
    ParallelFor(count, [&](size_t i) {
      thread_local ColumnReader reader;
      reader.Read(source, used_[begin + i]);
      binned[i] = Builder::Apply(mapper(begin + i), reader);
    });
    for (size_t i = 0; i < count; ++i) builder.Add(used_[begin + i], std::move(binned[i]));
    builder.Flush(begin + count == used_.size());
  }
  return data;
}

BinnedData BinnedData::WithoutRows() const {
  BinnedData data;
  data.names_ = names_;
  data.mappers_ = mappers_;
  return data;
}

namespace {

bool FollowOneAnother(std::span<const uint32_t> rows) {
  for (size_t i = 1; i < rows.size(); ++i) {
    if (rows[i] != rows[i - 1] + 1) return false;
  }
  return true;
}

}  // namespace

size_t BinnedData::SubsetBytes(std::span<const uint32_t> rows) const {
  if (FollowOneAnother(rows)) return 0;
  size_t bytes = tiles() * kTileColumns * rows.size();
  for (const Column& column : columns_) {
    if (column.is_wide()) bytes += rows.size() * sizeof(uint16_t);
  }
  return bytes;
}

BinnedData BinnedData::Subset(std::span<const uint32_t> rows) const {
  if (rows.empty() || *std::max_element(rows.begin(), rows.end()) >= rows_) {
    throw Error(ErrorCode::kUsage, "rows",
                rows.empty() ? "there is none" : "there is one behind the last",
                fmt::format("give some of the rows 0 to {}", rows_ - 1));
  }
  BinnedData data = *this;
  data.rows_ = rows.size();
  if (!FollowOneAnother(rows)) {
    data.CopyRows(rows, *this);
    return data;
  }
  for (const uint8_t*& tile : data.tiles_) tile += rows[0] * kTileColumns;
  for (Column& column : data.columns_) column.wide_begin += rows[0];
  return data;
}

void BinnedData::CopyRows(std::span<const uint32_t> rows, const BinnedData& from) {
  const auto copies = std::make_shared<Tiles>(from.tiles());
  ParallelFor(from.tiles(), [&](size_t t) {
    std::vector<uint8_t>& copy = (*copies)[t];
    copy.resize(rows.size() * kTileColumns);
    for (size_t i = 0; i < rows.size(); ++i) {
      std::memcpy(&copy[i * kTileColumns], from.tiles_[t] + rows[i] * kTileColumns, kTileColumns);
    }
    tiles_[t] = copy.data();
  });
  for (Column& column : columns_) {
    if (!column.is_wide()) continue;
    const auto copy = std::make_shared<std::vector<uint16_t>>();
    for (const uint32_t row : rows) copy->push_back((*column.wide)[column.wide_begin + row]);
    column.wide = copy;
    column.wide_begin = 0;
  }
  made_ = copies;
  file_.reset();
}

}  // namespace almanac::gbdt
