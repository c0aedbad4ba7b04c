#include "almanac/target/target.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/target/fields.h"

namespace almanac {
namespace {

constexpr TargetKind kKinds[] = {TargetKind::kForwardReturn, TargetKind::kForwardLogReturn,
                                 TargetKind::kForwardClose};
constexpr int64_t kMostSteps = 10'000;  // a row holds as many numbers

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
  const int64_t longest = spec.every_step ? kMostSteps : kLongestHorizon;
  if (spec.horizon >= 1 && spec.horizon <= longest) return;
  throw Error(ErrorCode::kUsage, "target", fmt::format("horizon of {} bars", spec.horizon),
              fmt::format("it must be in 1 to {}{}", longest,
                          spec.every_step ? " where every step is asked for" : ""));
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
  spec.every_step = node.Bool("every_step", false);
  try {
    CheckSpec(spec);
  } catch (const Error& error) {
    throw Error(error.code(), node.Place("horizon"), error.problem(), error.remedy());
  }
  return spec;
}

TargetSpec TargetSpec::FromJson(const Json& json) {
  try {
    TargetSpec spec;
    spec.kind = KindOf(json.at("kind").get<std::string>());
    spec.horizon = json.at("horizon").get<int64_t>();
    spec.drop_gaps = json.at("drop_gaps").get<bool>();
    spec.every_step = json.value("every_step", false);
    CheckSpec(spec);
    return spec;
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::kBadData, "target", error.what(),
                "expected {\"kind\", \"horizon\", \"drop_gaps\"}");
  }
}

Json TargetSpec::ToJson() const {
  Json json = {{"kind", Name(kind)}, {"horizon", horizon}, {"drop_gaps", drop_gaps}};
  if (every_step) json["every_step"] = true;
  return json;
}

std::string TargetSpec::ColumnName() const {
  return fmt::format("{}_{}{}", Name(kind), every_step ? "1_to_" : "", horizon);
}

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
  RequireCloses(series);
  const auto horizon = static_cast<size_t>(spec.horizon);
  Labels labels = UnlabelledBars(spec.ColumnName(), spec.Unit(), series);
  labels.is_level = spec.kind == TargetKind::kForwardClose;
  if (spec.every_step) labels.steps = horizon;
  if (labels.steps > 1) {
    labels.path.assign(series.size() * horizon, std::numeric_limits<double>::quiet_NaN());
  }
  for (size_t i = 0; i < series.size(); ++i) {
    if (!HasHorizon(series, i, spec.horizon, spec.drop_gaps, &labels)) continue;
    labels.value[i] = LabelValue(spec.kind, series.close[i], series.close[i + horizon]);
    labels.t1[i] = series.KnownAt(i + horizon);
    if (labels.steps == 1) continue;
    for (size_t k = 1; k <= horizon; ++k) {
      labels.path[i * horizon + k - 1] =
          LabelValue(spec.kind, series.close[i], series.close[i + k]);
    }
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
