#include "almanac/market/fill.h"

#include <fmt/format.h>

#include <cmath>

#include "almanac/base/error.h"

namespace almanac {
namespace {

Error BadBar(const CandleSeries& series, size_t i, std::string what, std::string remedy) {
  return Error(ErrorCode::kBadData,
               fmt::format("{} at {}", ToString(series.key), FormatTime(series.open_time[i])),
               std::move(what), std::move(remedy));
}

// Appends the bars missing between bar i and the one after it.
void FillAfter(const CandleSeries& series, size_t i, const Calendar& calendar, FillResult& result) {
  const Timeframe timeframe = series.key.timeframe;
  const TimeMs slot = timeframe.Floor(series.open_time[i]);
  const TimeMs next = timeframe.Floor(series.open_time[i + 1]);
  if (next - slot <= timeframe.duration()) return;
  const DurationMs stamp = series.open_time[i] - slot;  // time of day of daily bars
  for (const TimeMs open : calendar.ExpectedOpens(timeframe, slot + timeframe.duration(), next)) {
    const double close = series.close[i];
    if (!std::isfinite(close)) {
      throw BadBar(series, i, "bars are missing after a bar whose close is not finite",
                   "repair or remove that bar before filling");
    }
    Candle bar{open + stamp, close, close, close, close, 0.0};
    if (!series.trade_count.empty()) bar.trade_count = 0.0;
    result.series.Append(bar);
    result.filled.push_back(bar.open_time);
  }
}

}  // namespace

FillPolicy ParseFillPolicy(std::string_view name) {
  if (name == "none") return FillPolicy::kNone;
  if (name == "forward") return FillPolicy::kForward;
  throw Error(ErrorCode::kUsage, "fill", fmt::format("'{}' is not a way to fill gaps", name),
              "use 'none' or 'forward'");
}

std::string ToString(FillPolicy policy) {
  return policy == FillPolicy::kForward ? "forward" : "none";
}

FillResult Fill(const CandleSeries& series, FillPolicy policy, const Calendar& calendar) {
  FillResult result;
  if (policy == FillPolicy::kNone) {
    result.series = series;
    return result;
  }
  result.series.key = series.key;
  result.series.Reserve(series.size());
  for (size_t i = 0; i < series.size(); ++i) {
    if (i > 0 && series.open_time[i] <= series.open_time[i - 1]) {
      throw BadBar(series, i, "open times do not ascend",
                   "sort the bars and drop duplicates before filling");
    }
    result.series.Append(series.At(i));
    if (i + 1 < series.size()) FillAfter(series, i, calendar, result);
  }
  return result;
}

}  // namespace almanac
