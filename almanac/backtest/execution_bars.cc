#include "almanac/backtest/execution_bars.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "almanac/backtest/large_pages.h"
#include "almanac/base/error.h"
#include "almanac/base/parallel.h"

namespace almanac {
namespace {

size_t FirstFrom(const std::vector<TimeMs>& times, TimeMs time) {
  return static_cast<size_t>(std::lower_bound(times.begin(), times.end(), time) - times.begin());
}
// The same, not before `from`, near which it probably is.
size_t FirstFrom(std::span<const TimeMs> times, TimeMs time, size_t from) {
  size_t reach = 1;
  while (from + reach < times.size() && times[from + reach] < time) reach *= 2;
  const auto first = times.begin() + static_cast<std::ptrdiff_t>(from);
  const auto last =
      times.begin() + static_cast<std::ptrdiff_t>(std::min(from + reach + 1, times.size()));
  return static_cast<size_t>(std::lower_bound(first, last, time) - times.begin());
}

// Names the first bar that is not fine.
void RefuseBars(const CandleSeries& bars, size_t first, size_t last) {
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

// How many of the bars are fine, counted without a branch, so that it becomes vector code.
int64_t CountFine(const double* open, const double* high, const double* low, const double* close,
                  const double* volume, size_t count) {
  constexpr double kMost = std::numeric_limits<double>::max();
  int64_t fine = 0;
  for (size_t i = 0; i < count; ++i) {
    int64_t one = low[i] > 0 ? 1 : 0;
    one = high[i] <= kMost ? one : 0;
    one = low[i] <= open[i] ? one : 0;
    one = open[i] <= high[i] ? one : 0;
    one = low[i] <= close[i] ? one : 0;
    one = close[i] <= high[i] ? one : 0;
    one = volume[i] >= 0 ? one : 0;
    fine += one;
  }
  return fine;
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
  const size_t count = last - first;
  time = std::span(bars.open_time).subspan(first, count);
  open = std::span(bars.open).subspan(first, count);
  high = std::span(bars.high).subspan(first, count);
  low = std::span(bars.low).subspan(first, count);
  close = std::span(bars.close).subspan(first, count);
  volume = std::span(bars.volume).subspan(first, count);
  close_before = first > 0 ? bars.close[first - 1] : std::numeric_limits<double>::quiet_NaN();
  PlaceDecisions(bars, made_at, first);
  if (!CheckAndFindExtremes()) RefuseBars(bars, first, last);
  if (how.volatility_slippage > 0) FindDeviations(bars, first);
  FindCharges();
  marks = PlanMarks(time, how.mark_every);
}

size_t ExecutionBars::FirstBarAt(TimeMs instant, size_t from) const {
  return FirstFrom(time, instant, from);
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
    bar = FirstFrom(bars.open_time, made_at[row], bar);
    // A decision from before the simulated time is taken up at its first bar.
    const size_t taken_up = std::max(bar + execution.delay_bars, first) - first;
    row_bar.push_back(taken_up < size() ? static_cast<uint32_t>(taken_up) : kNever);
  }
}

// False if a bar is not fine.
bool ExecutionBars::CheckAndFindExtremes() {
  const size_t blocks = (size() + kBlock - 1) / kBlock;
  block_low.resize(blocks);
  block_high.resize(blocks);
  constexpr size_t kBlocksAPiece = 1024;
  const size_t pieces = (blocks + kBlocksAPiece - 1) / kBlocksAPiece;
  std::vector<int64_t> fine(pieces);
  ParallelFor(pieces, [&](size_t piece) {
    const size_t end = std::min(blocks, (piece + 1) * kBlocksAPiece);
    for (size_t block = piece * kBlocksAPiece; block < end; ++block) {
      const size_t from = block * kBlock, count = std::min(kBlock, size() - from);
      fine[piece] +=
          CountFine(&open[from], &high[from], &low[from], &close[from], &volume[from], count);
      FindExtremes(block, from, count);
    }
  });
  return std::accumulate(fine.begin(), fine.end(), int64_t{0}) == static_cast<int64_t>(size());
}

void ExecutionBars::FindExtremes(size_t block, size_t from, size_t count) {
  constexpr size_t kLanes = 8;
  double lows[kLanes], highs[kLanes];
  std::fill_n(lows, kLanes, low[from]);
  std::fill_n(highs, kLanes, high[from]);
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const double l = low[from + i + lane], h = high[from + i + lane];
      lows[lane] = l < lows[lane] ? l : lows[lane];
      highs[lane] = h > highs[lane] ? h : highs[lane];
    }
  }
  for (; i < count; ++i) {
    lows[0] = std::min(lows[0], low[from + i]);
    highs[0] = std::max(highs[0], high[from + i]);
  }
  block_low[block] = *std::min_element(lows, lows + kLanes);
  block_high[block] = *std::max_element(highs, highs + kLanes);
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

MarkPlan PlanMarks(std::span<const TimeMs> times, DurationMs every) {
  MarkPlan plan;
  if (every == 0) {
    ReserveLarge(plan.time, times.size());
    plan.time.assign(times.begin(), times.end());
    return plan;
  }
  const auto period = [every](TimeMs t) {
    return (t >= 0 ? t / every : -((every - 1 - t) / every)) * every;
  };
  TimeMs now = period(times.front());
  for (size_t bar = 0; bar < times.size(); ++bar) {
    const bool last = bar + 1 == times.size();
    if (!last && times[bar + 1] < now + every) continue;
    plan.bars.push_back(static_cast<uint32_t>(bar));
    plan.time.push_back(now);
    if (!last) now = period(times[bar + 1]);
  }
  return plan;
}

}  // namespace almanac
