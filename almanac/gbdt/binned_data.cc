#include "almanac/gbdt/binned_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
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

}  // namespace

BinnedData::Column BinnedData::Apply(const BinMapper& mapper, std::span<const double> values) {
  Column column;
  const auto fill = [&](auto& bins) {
    bins.resize(values.size());
    mapper.BinsOf(values, bins.data());
  };
  if (mapper.bins() <= kNarrowBins) {
    fill(column.narrow);
  } else {
    fill(column.wide);
  }
  return column;
}

BinnedData BinnedData::Make(const ColumnSource& source, const Params& params) {
  CheckSource(source);
  CheckCategorical(source, params);
  Lcg random(static_cast<uint32_t>(params.data_random_seed));
  const auto sample_size = static_cast<size_t>(params.bin_construct_sample_cnt);
  const std::vector<uint32_t> sample =
      random.Sample(static_cast<uint32_t>(source.rows),
                    static_cast<uint32_t>(std::min(source.rows, sample_size)));

  std::vector<BinMapper> mappers(source.names.size());
  std::vector<Column> columns(source.names.size());
  ParallelFor(source.names.size(), [&](size_t c) {
    std::vector<double> values(source.rows);
    source.read(c, values);
    mappers[c] = BinMapper::Find(NonZero(values, sample), sample.size(),
                                 OptionsFor(c, params, sample.size(), source.rows));
    if (!mappers[c].is_useless()) columns[c] = Apply(mappers[c], values);
  });

  BinnedData data;
  data.rows_ = source.rows;
  data.names_ = std::make_shared<const std::vector<std::string>>(source.names);
  for (size_t c = 0; c < mappers.size(); ++c) {
    if (mappers[c].is_useless()) continue;
    data.used_.push_back(static_cast<uint32_t>(c));
    data.columns_.push_back(std::move(columns[c]));
  }
  data.mappers_ = std::make_shared<const std::vector<BinMapper>>(std::move(mappers));
  data.LayOut();
  return data;
}

void BinnedData::LayOut() {
  first_of_tile_ = {0};
  for (size_t feature = 0; feature < columns_.size(); ++feature) {
    columns_[feature].place = static_cast<uint32_t>(feature % kTileColumns);
    if (feature > 0 && feature % kTileColumns == 0) first_of_tile_.push_back(feature);
  }
  if (!columns_.empty()) first_of_tile_.push_back(columns_.size());
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
  data.first_row_ = first_row;
  std::vector<std::string> names;
  std::vector<BinMapper> mappers;
  for (size_t c = 0; c < file->columns(); ++c) {
    names.push_back(file->column(c).name);
    mappers.push_back(file->MapperFor(c, least));
    if (c > 0 && c % kTileColumns == 0) data.first_of_tile_.push_back(data.columns_.size());
    if (mappers.back().is_useless()) continue;
    data.used_.push_back(static_cast<uint32_t>(c));
    Column& column = data.columns_.emplace_back();
    column.place = static_cast<uint32_t>(c % kTileColumns);
    column.mapped.first =
        file->tile(c / kTileColumns).data() + first_row * kTileColumns + column.place;
  }
  data.first_of_tile_.push_back(data.columns_.size());
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
  BinnedData data;
  data.rows_ = source.rows;
  data.names_ = names_;
  data.mappers_ = mappers_;
  data.used_ = used_;
  data.columns_.resize(used_.size());
  ParallelFor(used_.size(), [&](size_t feature) {
    std::vector<double> values(source.rows);
    source.read(used_[feature], values);
    data.columns_[feature] = Apply(mapper(feature), values);
  });
  data.LayOut();
  return data;
}

}  // namespace almanac::gbdt
