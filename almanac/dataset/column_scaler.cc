#include "almanac/dataset/column_scaler.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/json_file.h"

namespace almanac {
namespace {

constexpr ScalerKind kKinds[] = {ScalerKind::kMinMax, ScalerKind::kRobust, ScalerKind::kQuantile};
constexpr size_t kMostQuantiles = 100'000;

// At `share` in [0, 1] of sorted values, linear between neighbours.
double QuantileOf(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = std::min(static_cast<size_t>(place), sorted.size() - 2);
  const double low = sorted[below], high = sorted[below + 1];
  // std::lerp is exact at the ends and never decreases.
  return std::lerp(low, high, place - static_cast<double>(below));
}

std::vector<double> SortedTraining(const Dataset& data, size_t column,
                                   const TrainingRows& training) {
  std::vector<double> values;
  for (const uint32_t row : training.rows()) {
    if (std::isfinite(data.feature(column)[row])) values.push_back(data.feature(column)[row]);
  }
  std::sort(values.begin(), values.end());
  if (values.size() >= 2) return values;
  throw Error(ErrorCode::kBadData, data.symbol(),
              fmt::format("feature {} has {} finite training values", data.feature_names()[column],
                          values.size()),
              "a scaler needs two; leave the column out or give more data");
}

// The share of [0, 1] at which `value` lies among the knots; the middle of equal knots.
double ShareOf(const std::vector<double>& knots, double value) {
  if (value < knots.front()) return 0;
  if (value > knots.back()) return 1;
  const auto first = std::lower_bound(knots.begin(), knots.end(), value);
  const auto last = std::upper_bound(first, knots.end(), value);
  const auto steps = static_cast<double>(knots.size() - 1);
  const auto place = static_cast<double>(first - knots.begin());
  if (first != last) return (place + static_cast<double>(last - knots.begin() - 1)) / 2 / steps;
  const double low = *(first - 1), high = *first;
  return (place - 1 + (value - low) / (high - low)) / steps;
}

}  // namespace

std::string_view Name(ScalerKind kind) {
  switch (kind) {
    case ScalerKind::kMinMax:
      return "min_max";
    case ScalerKind::kRobust:
      return "robust";
    case ScalerKind::kQuantile:
      return "quantile";
  }
  return "";
}

ColumnScaler ColumnScaler::Fit(ScalerKind kind, const Dataset& data, const TrainingRows& training,
                               size_t quantiles) {
  if (quantiles < 2 || quantiles > kMostQuantiles) {
    throw Error(ErrorCode::kUsage, "scaler", fmt::format("{} quantiles", quantiles),
                fmt::format("give 2 to {}", kMostQuantiles));
  }
  ColumnScaler scaler;
  scaler.kind_ = kind;
  for (size_t c = 0; c < data.features(); ++c) {
    const std::vector<double> sorted = SortedTraining(data, c, training);
    Column column;
    column.name = data.feature_names()[c];
    const double range = sorted.back() - sorted.front();
    if (kind == ScalerKind::kQuantile) {
      for (size_t k = 0; k < quantiles; ++k) {
        const double share = static_cast<double>(k) / static_cast<double>(quantiles - 1);
        column.knots.push_back(QuantileOf(sorted, share));
      }
    } else if (kind == ScalerKind::kMinMax) {
      column.center = sorted.front();
      column.scale = range > 0 ? range : 1;
    } else {
      const double quartiles = QuantileOf(sorted, 0.75) - QuantileOf(sorted, 0.25);
      column.center = QuantileOf(sorted, 0.5);
      column.scale = quartiles > 0 ? quartiles : range > 0 ? range : 1;
    }
    scaler.columns_.push_back(std::move(column));
  }
  return scaler;
}

double ColumnScaler::Transform(size_t column, double value) const {
  const Column& fitted = columns_[column];
  if (kind_ != ScalerKind::kQuantile) return (value - fitted.center) / fitted.scale;
  return std::isnan(value) ? value : ShareOf(fitted.knots, value);
}

double ColumnScaler::Inverse(size_t column, double value) const {
  const Column& fitted = columns_[column];
  if (kind_ != ScalerKind::kQuantile) return value * fitted.scale + fitted.center;
  return std::isnan(value) ? value : QuantileOf(fitted.knots, std::clamp(value, 0.0, 1.0));
}

Json ColumnScaler::ToJson() const {
  Json columns = Json::array();
  for (const Column& column : columns_) {
    Json json = {{"name", column.name}};
    if (kind_ == ScalerKind::kQuantile) {
      json["knots"] = column.knots;
    } else {
      json["center"] = column.center;
      json["scale"] = column.scale;
    }
    columns.push_back(std::move(json));
  }
  return {{"kind", almanac::Name(kind_)}, {"columns", columns}};
}

ColumnScaler ColumnScaler::FromJson(const Json& json) {
  try {
    ColumnScaler scaler;
    const auto kind = json.at("kind").get<std::string>();
    const auto* found = std::find_if(std::begin(kKinds), std::end(kKinds),
                                     [&](ScalerKind k) { return almanac::Name(k) == kind; });
    if (found == std::end(kKinds)) {
      throw Error(ErrorCode::kBadData, "scaler", fmt::format("its kind is \"{}\"", kind),
                  "known are min_max, robust and quantile");
    }
    scaler.kind_ = *found;
    for (const Json& item : json.at("columns")) {
      Column column;
      column.name = item.at("name").get<std::string>();
      bool sound = true;
      if (scaler.kind_ == ScalerKind::kQuantile) {
        column.knots = item.at("knots").get<std::vector<double>>();
        sound =
            column.knots.size() >= 2 && std::is_sorted(column.knots.begin(), column.knots.end());
      } else {
        column.center = item.at("center").get<double>();
        column.scale = item.at("scale").get<double>();
        sound = std::isfinite(column.center) && std::isfinite(column.scale) && column.scale > 0;
      }
      if (!sound) {
        throw Error(ErrorCode::kBadData, "scaler column " + column.name,
                    "its numbers are not what a fit gives",
                    "a scale must be positive, knots must not decrease");
      }
      scaler.columns_.push_back(std::move(column));
    }
    return scaler;
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::kBadData, "scaler", error.what(), "expected what a scaler saved");
  }
}

void ColumnScaler::Save(const std::filesystem::path& file) const { WriteJsonFile(file, ToJson()); }

ColumnScaler ColumnScaler::Load(const std::filesystem::path& file) {
  const Json json = ReadJsonFile(file, "expected what a scaler saved");
  try {
    return FromJson(json);
  } catch (const Error& error) {
    throw error.Within(file.string());
  }
}

}  // namespace almanac
