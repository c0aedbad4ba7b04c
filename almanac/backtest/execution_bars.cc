#include "almanac/backtest/execution_bars.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "almanac/base/error.h"

namespace almanac {
namespace {

size_t FirstFrom(const std::vector<TimeMs>& times, TimeMs time) {
  return static_cast<size_t>(std::lower_bound(times.begin(), times.end(), time) - times.begin());
}

void CheckBars(const CandleSeries& bars, size_t first, size_t last) {
  for (size_t i = first; i < last; ++i) {
    const double low = bars.low[i], high = bars.high[i];
    const bool fine = low > 0 && std::isfinite(high) && low <= bars.open[i] &&
                      bars.open[i] <= high && low <= bars.close[i] && bars.close[i] <= high &&
                      bars.volume[i] >= 0;
    if (fine) continue;
    throw Error(ErrorCode::kBadData,
                fmt::format("{} {}", ToString(bars.key), FormatTime(bars.open_time[i])),
                fmt::format("open {}, high {}, low {}, close {}, volume {}", bars.open[i], high,
                            low, bars.close[i], bars.volume[i]),
                "low <= open, close <= high, all above 0; audit the series");
  }
}

// The number of midnights (UTC) in (from, to].
int MidnightsBetween(TimeMs from, TimeMs to) {
  const auto day = [](TimeMs time) {
    return time >= 0 ? time / kMsPerDay : -((kMsPerDay - 1 - time) / kMsPerDay);
  };
  return static_cast<int>(day(to) - day(from));
}

}  // namespace

ExecutionBars::ExecutionBars(const CandleSeries& bars, std::span<const TimeMs> made_at,
                             const SignalExecution& how)
    : execution(how), duration(bars.key.timeframe.duration()) {
  CheckExecution(how);
  const size_t first = FirstFrom(bars.open_time, how.from);
  const size_t last = FirstFrom(bars.open_time, how.to);
  if (first >= last) {
    throw Error(ErrorCode::kBadData, ToString(bars.key), "no bar in the simulated time",
                "the bars must cover the forecasts");
  }
  CheckBars(bars, first, last);
  const size_t count = last - first;
  time = std::span(bars.open_time).subspan(first, count);
  open = std::span(bars.open).subspan(first, count);
  high = std::span(bars.high).subspan(first, count);
  low = std::span(bars.low).subspan(first, count);
  close = std::span(bars.close).subspan(first, count);
  volume = std::span(bars.volume).subspan(first, count);
  close_before = first > 0 ? bars.close[first - 1] : std::numeric_limits<double>::quiet_NaN();
  PlaceDecisions(bars, made_at, first);
  FindExtremes();
  if (how.volatility_slippage > 0) FindDeviations(bars, first);
  FindCharges();
  FindMarks();
}

size_t ExecutionBars::FirstBarAt(TimeMs instant) const {
  return static_cast<size_t>(std::lower_bound(time.begin(), time.end(), instant) - time.begin());
}

void ExecutionBars::PlaceDecisions(const CandleSeries& bars, std::span<const TimeMs> made_at,
                                   size_t first) {
  row_bar.reserve(made_at.size());
  size_t bar = 0;  // both are in order: one walk finds all
  for (size_t row = 0; row < made_at.size(); ++row) {
    if (row > 0 && made_at[row] <= made_at[row - 1]) {
      throw Error(ErrorCode::kBadData,
                  fmt::format("decision {}, {}", row, FormatTime(made_at[row])),
                  "not made after the one above it", "sort the forecasts, one an instant");
    }
    while (bar < bars.size() && bars.open_time[bar] < made_at[row]) ++bar;
    // A decision from before the simulated time is taken up at its first bar.
    const size_t taken_up = std::max(bar + execution.delay_bars, first) - first;
    row_bar.push_back(taken_up < size() ? static_cast<uint32_t>(taken_up) : kNever);
  }
}

void ExecutionBars::FindExtremes() {
  for (size_t from = 0; from < size(); from += kBlock) {
    const size_t count = std::min(kBlock, size() - from);
    const auto lows = low.subspan(from, count), highs = high.subspan(from, count);
    block_low.push_back(*std::min_element(lows.begin(), lows.end()));
    block_high.push_back(*std::max_element(highs.begin(), highs.end()));
  }
}

void ExecutionBars::FindDeviations(const CandleSeries& bars, size_t first) {
  deviation.resize(size());
  std::vector<double> returns;
  for (size_t i = 0; i < size(); ++i) {
    const size_t bar = first + i;  // the returns end at the close of bar - 1
    const size_t wanted = std::min(execution.slippage_window, bar > 0 ? bar - 1 : 0);
    returns.clear();
    double mean = 0;
    for (size_t k = bar - wanted; k < bar; ++k) {
      returns.push_back(std::log(bars.close[k] / bars.close[k - 1]));
      mean += returns.back();
    }
    if (wanted < 2) continue;
    mean /= static_cast<double>(wanted);
    double squares = 0;
    for (const double r : returns) squares += (r - mean) * (r - mean);
    deviation[i] = std::sqrt(squares / static_cast<double>(wanted - 1));
  }
}

void ExecutionBars::FindCharges() {
  const std::vector<FundingRate>& funding = execution.funding;
  if (funding.empty() && execution.borrow_bps_per_year == 0) return;
  size_t next = 0;
  while (next < funding.size() && funding[next].time <= time[0]) ++next;
  for (size_t bar = 1; bar < size(); ++bar) {
    DueCharge due;
    due.bar = bar;
    due.midnights = MidnightsBetween(time[bar - 1], time[bar]);
    bool any = execution.borrow_bps_per_year > 0 && due.midnights > 0;
    for (; next < funding.size() && funding[next].time <= time[bar]; ++next) {
      const double rate = funding[next].rate;
      due.paid_by_long += rate * (rate > 0 ? execution.funding_paid_factor : 1);
      due.paid_by_short -= rate * (rate < 0 ? execution.funding_paid_factor : 1);
      any = true;
    }
    if (any) charges.push_back(due);
  }
}

void ExecutionBars::FindMarks() {
  if (execution.mark_every == 0) {
    marks.resize(size());
    std::iota(marks.begin(), marks.end(), 0U);
    mark_time.assign(time.begin(), time.end());
    return;
  }
  const DurationMs every = execution.mark_every;
  const auto period = [&](size_t bar) {
    const TimeMs t = time[bar];
    return (t >= 0 ? t / every : -((every - 1 - t) / every)) * every;
  };
  TimeMs now = period(0);
  for (size_t bar = 0; bar < size(); ++bar) {
    const TimeMs next = bar + 1 < size() ? period(bar + 1) : kMaxTime;
    if (next == now) continue;
    marks.push_back(static_cast<uint32_t>(bar));
    mark_time.push_back(now);
    now = next;
  }
}

}  // namespace almanac
