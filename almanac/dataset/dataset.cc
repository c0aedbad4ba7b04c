#include "almanac/dataset/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "almanac/base/error.h"
#include "almanac/dataset/intervals.h"

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
  data.label_rows_ = AllRows(data.rows());
  return data;
}

Dataset Dataset::Pool(std::string name, std::span<const Dataset* const> parts,
                      std::vector<Origin>* origin) {
  if (parts.empty()) {
    throw Error(ErrorCode::kUsage, name, "a pool of no symbols", "give at least one");
  }
  const Dataset& first = *parts.front();
  std::vector<Origin> rows;
  for (size_t p = 0; p < parts.size(); ++p) {
    const Dataset& part = *parts[p];
    if (part.names_ != first.names_ || part.target_name_ != first.target_name_ ||
        part.target_classes_ != first.target_classes_ || part.steps_ != first.steps_) {
      throw Error(ErrorCode::kUsage, name,
                  fmt::format("{} and {} have different columns", first.symbol_, part.symbol_),
                  "pool datasets of the same features and target");
    }
    for (size_t row = 0; row < part.rows(); ++row) {
      rows.push_back({static_cast<uint32_t>(p), static_cast<uint32_t>(row)});
    }
  }
  std::sort(rows.begin(), rows.end(), [&](const Origin& a, const Origin& b) {
    const TimeMs x = parts[a.part]->time_[a.row], y = parts[b.part]->time_[b.row];
    return x != y ? x < y : a.part < b.part;
  });
  struct Owned {
    std::vector<TimeMs> time;
    std::vector<std::vector<float>> columns;
  };
  const auto owned = std::make_shared<Owned>();
  Dataset pool;
  pool.symbol_ = std::move(name);
  pool.names_ = first.names_;
  pool.target_name_ = first.target_name_;
  pool.target_unit_ = first.target_unit_;
  pool.target_is_level_ = first.target_is_level_;
  pool.target_classes_ = first.target_classes_;
  pool.steps_ = first.steps_;
  std::vector<std::vector<char>> has_label;
  for (const Dataset* part : parts) {
    has_label.emplace_back(part->rows(), 0);
    for (const uint32_t row : part->label_rows_) has_label.back()[row] = 1;
  }
  for (const Origin& o : rows) {
    if (has_label[o.part][o.row] != 0) {
      pool.label_rows_.push_back(static_cast<uint32_t>(owned->time.size()));
    }
    owned->time.push_back(parts[o.part]->time_[o.row]);
    pool.target_.push_back(parts[o.part]->target_[o.row]);
    if (first.steps_ > 1) {
      const std::span<const double> path = parts[o.part]->target_path(o.row);
      pool.path_.insert(pool.path_.end(), path.begin(), path.end());
    }
    pool.label_end_.push_back(parts[o.part]->label_end_[o.row]);
  }
  owned->columns.resize(first.features());
  for (size_t c = 0; c < first.features(); ++c) {
    owned->columns[c].reserve(rows.size());
    for (const Origin& o : rows) owned->columns[c].push_back(parts[o.part]->columns_[c][o.row]);
    pool.columns_.emplace_back(owned->columns[c]);
  }
  pool.time_ = owned->time;
  pool.owner_ = owned;
  if (origin != nullptr) *origin = std::move(rows);
  return pool;
}

Dataset Dataset::WithColumns(std::span<const size_t> columns) const {
  if (columns.empty()) throw Error(ErrorCode::kUsage, symbol_, "no columns", "take one or more");
  Dataset data = *this;
  data.columns_.clear();
  data.names_.clear();
  for (const size_t c : columns) {
    if (c >= features()) {
      throw Error(ErrorCode::kUsage, symbol_, fmt::format("column {} of {}", c, features()),
                  "take columns that there are");
    }
    data.columns_.push_back(columns_[c]);
    data.names_.push_back(names_[c]);
  }
  return data;
}

void Dataset::SetLabels(const Labels& labels) {
  CheckIncreasing(symbol_, "feature", time_);
  CheckIncreasing(symbol_, "label", labels.t0);
  target_name_ = labels.name;
  target_unit_ = labels.unit;
  target_is_level_ = labels.is_level;
  target_classes_ = labels.classes;
  target_.assign(rows(), kNoLabel);
  steps_ = labels.steps;
  path_.assign(steps_ == 1 ? 0 : rows() * steps_, kNoLabel);
  label_end_.assign(time_.begin(), time_.end());
  label_rows_.clear();
  size_t label = 0, joined = 0;
  for (size_t row = 0; row < rows(); ++row) {
    while (label < labels.rows() && labels.t0[label] < time_[row]) ++label;
    if (label == labels.rows()) break;
    if (labels.t0[label] != time_[row]) continue;
    label_rows_.push_back(static_cast<uint32_t>(row));
    target_[row] = labels.value[label];
    if (steps_ > 1) {
      std::copy_n(labels.vector(label).begin(), steps_,
                  path_.begin() + static_cast<std::ptrdiff_t>(row * steps_));
    }
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
