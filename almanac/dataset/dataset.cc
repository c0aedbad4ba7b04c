#include "almanac/dataset/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "almanac/base/error.h"

namespace almanac {
namespace {

constexpr double kNoLabel = std::numeric_limits<double>::quiet_NaN();

void CheckIncreasing(const std::string& symbol, const char* what, std::span<const TimeMs> times) {
  for (size_t i = 1; i < times.size(); ++i) {
    if (times[i] > times[i - 1]) continue;
    throw Error(ErrorCode::kBadData, symbol + " " + FormatTime(times[i]),
                fmt::format("{} row {} does not come after the row before", what, i),
                "row times must increase");
  }
}

}  // namespace

Dataset Dataset::Join(std::string symbol, std::shared_ptr<const Matrix> features,
                      const Labels& labels) {
  Dataset data;
  data.symbol_ = std::move(symbol);
  data.time_ = features->index();
  for (size_t c = 0; c < features->columns(); ++c) {
    data.columns_.push_back(features->column(c));
    data.names_.push_back(features->names()[c].name);
  }
  data.owner_ = std::move(features);
  data.SetLabels(labels);
  return data;
}

Dataset Dataset::Join(std::string symbol, FeatureTable features, const Labels& labels) {
  Dataset data = Unlabelled(std::move(symbol), std::move(features));
  data.SetLabels(labels);
  return data;
}

Dataset Dataset::Unlabelled(std::string symbol, FeatureTable features) {
  Dataset data;
  data.symbol_ = std::move(symbol);
  const auto owned = std::make_shared<const FeatureTable>(std::move(features));
  const FeatureTable& table = *owned;
  data.owner_ = owned;
  data.time_ = table.index;
  CheckIncreasing(data.symbol_, "feature", data.time_);
  for (size_t c = 0; c < table.columns.size(); ++c) {
    if (table.columns[c].size() != table.rows() || table.names.size() != table.columns.size()) {
      throw Error(ErrorCode::kBadData, data.symbol_,
                  fmt::format("feature column {} has {} rows beside {} row times", c,
                              table.columns[c].size(), table.rows()),
                  "every column has a name and one value a row");
    }
    data.columns_.emplace_back(table.columns[c]);
    data.names_.push_back(table.names[c].name);
  }
  data.target_.assign(data.rows(), kNoLabel);
  data.label_end_.assign(data.time_.begin(), data.time_.end());
  return data;
}

void Dataset::SetLabels(const Labels& labels) {
  CheckIncreasing(symbol_, "feature", time_);
  CheckIncreasing(symbol_, "label", labels.t0);
  target_name_ = labels.name;
  target_unit_ = labels.unit;
  target_classes_ = labels.classes;
  target_.assign(rows(), kNoLabel);
  label_end_.assign(time_.begin(), time_.end());
  size_t label = 0, joined = 0;
  for (size_t row = 0; row < rows(); ++row) {
    while (label < labels.rows() && labels.t0[label] < time_[row]) ++label;
    if (label == labels.rows()) break;
    if (labels.t0[label] != time_[row]) continue;
    target_[row] = labels.value[label];
    label_end_[row] = labels.t1[label];
    joined += !std::isnan(target_[row]);
  }
  if (joined > 0) return;
  throw Error(ErrorCode::kBadData, symbol_,
              fmt::format("none of {} feature rows has a label of {}", rows(), labels.name),
              "features and labels must come from the same bars, and there must be more bars than "
              "the horizon");
}

bool Dataset::HasFeatures(size_t row) const {
  return std::all_of(columns_.begin(), columns_.end(),
                     [row](std::span<const float> column) { return std::isfinite(column[row]); });
}

bool Dataset::IsComplete(size_t row) const {
  return std::isfinite(target_[row]) && HasFeatures(row);
}

UsableRows DropIncomplete(const Dataset& data, std::span<const uint32_t> rows) {
  UsableRows usable;
  // Column by column: rows of one column lie together in memory.
  std::vector<char> complete(rows.size(), 1);
  for (size_t c = 0; c < data.features(); ++c) {
    const std::span<const float> column = data.feature(c);
    for (size_t i = 0; i < rows.size(); ++i) {
      if (!std::isfinite(column[rows[i]])) complete[i] = 0;
    }
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    if (complete[i] != 0 && std::isfinite(data.target()[rows[i]])) usable.rows.push_back(rows[i]);
  }
  usable.dropped = rows.size() - usable.rows.size();
  return usable;
}

}  // namespace almanac
