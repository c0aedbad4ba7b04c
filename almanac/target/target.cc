#include "almanac/target/target.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"

namespace almanac {
namespace {

constexpr TargetKind kKinds[] = {TargetKind::kForwardReturn, TargetKind::kForwardLogReturn,
                                 TargetKind::kForwardClose};
constexpr int64_t kLongestHorizon = 1'000'000;

std::vector<std::string> KindNames() {
  std::vector<std::string> names;
  for (const TargetKind kind : kKinds) names.emplace_back(Name(kind));
  return names;
}

TargetKind KindOf(std::string_view name) {
  for (const TargetKind kind : kKinds) {
    if (Name(kind) == name) return kind;
  }
  throw Error(ErrorCode::kBadData, "target", fmt::format("unknown kind \"{}\"", name),
              fmt::format("known are {}", fmt::join(KindNames(), ", ")));
}

void CheckSpec(const TargetSpec& spec) {
  if (spec.horizon >= 1 && spec.horizon <= kLongestHorizon) return;
  throw Error(ErrorCode::kUsage, "target", fmt::format("horizon of {} bars", spec.horizon),
              fmt::format("it must be in 1 to {}", kLongestHorizon));
}

void CheckCloses(const CandleSeries& series) {
  for (size_t i = 0; i < series.size(); ++i) {
    if (std::isfinite(series.close[i]) && series.close[i] > 0) continue;
    throw Error(ErrorCode::kBadData, ToString(series.key) + " " + FormatTime(series.open_time[i]),
                fmt::format("close is {}", series.close[i]),
                "targets need positive, finite closes");
  }
}

double LabelValue(TargetKind kind, double now, double then) {
  switch (kind) {
    case TargetKind::kForwardReturn:
      return (then - now) / now;
    case TargetKind::kForwardLogReturn:
      return std::log1p((then - now) / now);
    case TargetKind::kForwardClose:
      return then;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

std::string_view Name(TargetKind kind) {
  switch (kind) {
    case TargetKind::kForwardReturn:
      return "forward_return";
    case TargetKind::kForwardLogReturn:
      return "forward_log_return";
    case TargetKind::kForwardClose:
      return "forward_close";
  }
  return "";
}

TargetSpec TargetSpec::FromConfig(const ConfigNode& node) {
  TargetSpec spec;
  spec.kind = KindOf(node.Choice("kind", KindNames()));
  spec.horizon = node.Int("horizon", 1, Range<int64_t>::Between(1, kLongestHorizon));
  spec.drop_gaps = node.Bool("drop_gaps", false);
  return spec;
}

TargetSpec TargetSpec::FromJson(const Json& json) {
  try {
    TargetSpec spec;
    spec.kind = KindOf(json.at("kind").get<std::string>());
    spec.horizon = json.at("horizon").get<int64_t>();
    spec.drop_gaps = json.at("drop_gaps").get<bool>();
    CheckSpec(spec);
    return spec;
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::kBadData, "target", error.what(),
                "expected {\"kind\", \"horizon\", \"drop_gaps\"}");
  }
}

Json TargetSpec::ToJson() const {
  return {{"kind", Name(kind)}, {"horizon", horizon}, {"drop_gaps", drop_gaps}};
}

std::string TargetSpec::ColumnName() const { return fmt::format("{}_{}", Name(kind), horizon); }

std::string TargetSpec::Unit() const {
  switch (kind) {
    case TargetKind::kForwardReturn:
      return "ratio";
    case TargetKind::kForwardLogReturn:
      return "log ratio";
    case TargetKind::kForwardClose:
      return "price";
  }
  return "";
}

Labels BuildLabels(const TargetSpec& spec, const CandleSeries& series) {
  CheckSpec(spec);
  CheckCloses(series);
  const size_t rows = series.size();
  const auto horizon = static_cast<size_t>(spec.horizon);
  const DurationMs length = spec.horizon * series.key.timeframe.duration();
  Labels labels;
  labels.name = spec.ColumnName();
  labels.unit = spec.Unit();
  labels.value.assign(rows, std::numeric_limits<double>::quiet_NaN());
  for (size_t i = 0; i < rows; ++i) labels.t0.push_back(series.KnownAt(i));
  labels.t1 = labels.t0;
  labels.past_end = std::min(horizon, rows);
  for (size_t i = 0; i + horizon < rows; ++i) {
    const TimeMs end = series.KnownAt(i + horizon);
    if (spec.drop_gaps && end - labels.t0[i] != length) {
      ++labels.dropped_gap;
      continue;
    }
    labels.value[i] = LabelValue(spec.kind, series.close[i], series.close[i + horizon]);
    labels.t1[i] = end;
  }
  return labels;
}

double ToReturn(TargetKind kind, double value, double price_at_t0) {
  switch (kind) {
    case TargetKind::kForwardReturn:
      return value;
    case TargetKind::kForwardLogReturn:
      return std::expm1(value);
    case TargetKind::kForwardClose:
      return (value - price_at_t0) / price_at_t0;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

double ToPrice(TargetKind kind, double value, double price_at_t0) {
  return kind == TargetKind::kForwardClose ? value
                                           : price_at_t0 * (1 + ToReturn(kind, value, price_at_t0));
}

}  // namespace almanac
