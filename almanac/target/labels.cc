#include "almanac/target/labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "almanac/base/error.h"

namespace almanac {
namespace {

void RequirePositive(const CandleSeries& series, const std::vector<double>& prices,
                     const char* field) {
  for (size_t i = 0; i < series.size(); ++i) {
    if (std::isfinite(prices[i]) && prices[i] > 0) continue;
    throw Error(ErrorCode::kBadData, ToString(series.key) + " " + FormatTime(series.open_time[i]),
                fmt::format("{} is {}", field, prices[i]),
                fmt::format("targets need positive, finite prices; this {} is not", field));
  }
}

}  // namespace

Labels UnlabelledBars(std::string name, std::string unit, const CandleSeries& series) {
  Labels labels;
  labels.name = std::move(name);
  labels.unit = std::move(unit);
  labels.value.assign(series.size(), std::numeric_limits<double>::quiet_NaN());
  labels.t0.reserve(series.size());
  for (size_t i = 0; i < series.size(); ++i) labels.t0.push_back(series.KnownAt(i));
  labels.t1 = labels.t0;
  return labels;
}

std::vector<double> LastEnded(std::span<const TimeMs> t0, std::span<const TimeMs> t1,
                              std::span<const double> value) {
  std::vector<std::pair<TimeMs, double>> ended;
  for (size_t i = 0; i < value.size(); ++i) {
    if (!std::isnan(value[i])) ended.emplace_back(t1[i], value[i]);
  }
  std::sort(ended.begin(), ended.end());
  std::vector<double> last(t0.size(), std::numeric_limits<double>::quiet_NaN());
  for (size_t i = 0; i < t0.size(); ++i) {
    const auto found = std::lower_bound(
        ended.begin(), ended.end(), t0[i],
        [](const std::pair<TimeMs, double>& label, TimeMs time) { return label.first < time; });
    if (found != ended.end() && found->first == t0[i]) last[i] = found->second;
  }
  return last;
}

bool HasHorizon(const CandleSeries& series, size_t i, int64_t horizon, bool drop_gaps,
                Labels* labels) {
  const auto bars = static_cast<size_t>(horizon);
  if (bars >= series.size() - i) {
    ++labels->past_end;
    return false;
  }
  const DurationMs whole = horizon * series.key.timeframe.duration();
  if (drop_gaps && series.open_time[i + bars] - series.open_time[i] != whole) {
    ++labels->dropped_gap;
    return false;
  }
  return true;
}

void RequireCloses(const CandleSeries& series) { RequirePositive(series, series.close, "close"); }

void RequirePrices(const CandleSeries& series) {
  RequirePositive(series, series.open, "open");
  RequirePositive(series, series.high, "high");
  RequirePositive(series, series.low, "low");
  RequirePositive(series, series.close, "close");
  for (size_t i = 0; i < series.size(); ++i) {
    if (series.high[i] >= series.low[i]) continue;
    throw Error(ErrorCode::kBadData, ToString(series.key) + " " + FormatTime(series.open_time[i]),
                fmt::format("high {} is below low {}", series.high[i], series.low[i]),
                "targets need sound bars; `almanac data audit` lists the others");
  }
}

}  // namespace almanac
