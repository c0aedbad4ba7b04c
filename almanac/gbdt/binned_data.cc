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

BinOptions OptionsFor(size_t column, const Params& params, size_t sampled, size_t rows) {
  BinOptions options;
  options.max_bin = params.max_bin;
  options.min_data_in_bin = params.min_data_in_bin;
  options.use_missing = params.use_missing;
  options.zero_as_missing = params.zero_as_missing;
  options.is_categorical =
      std::binary_search(params.categorical_feature.begin(), params.categorical_feature.end(),
                         static_cast<int>(column));
  if (params.feature_pre_filter) {
    options.min_split_rows =
        static_cast<int>(static_cast<double>(params.min_data_in_leaf) *
                         static_cast<double>(sampled) / static_cast<double>(rows));
  }
  return options;
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
  return data;
}

}  // namespace almanac::gbdt
