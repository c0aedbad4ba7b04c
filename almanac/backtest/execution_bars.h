// The bars, decisions and payments of one simulated time, laid out so that many accounts can walk
// through them: prices as plain arrays, extremes of blocks, and for everything that happens at an
// open the index of its bar. Inside this room.
#ifndef ALMANAC_BACKTEST_EXECUTION_BARS_H_
#define ALMANAC_BACKTEST_EXECUTION_BARS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "almanac/backtest/execution.h"
#include "almanac/market/candle.h"

namespace almanac {

// What falls due at the open of `bar`: the sum of funding rates, and how many midnights' interest.
struct DueCharge {
  size_t bar = 0;
  double paid_by_long = 0;   // sum of rates, as a long meets them (the twin's factor included)
  double paid_by_short = 0;  // likewise for a short: negative where a short receives
  int midnights = 0;
};

// At the closes of which bars an account is marked, and what each mark is called: the open time of
// its bar or the start of its period.
struct MarkPlan {
  std::vector<uint32_t> bars;  // the last of each period; empty where every bar is marked
  std::vector<TimeMs> time;
  size_t size() const { return time.size(); }
  size_t BarOf(size_t mark) const { return bars.empty() ? mark : bars[mark]; }
};
// `times` increase; `every` 0: every bar.
MarkPlan PlanMarks(std::span<const TimeMs> times, DurationMs every);

// Borrows `bars` and `execution`. Indices count from the first simulated bar.
class ExecutionBars {
 public:
  static constexpr size_t kBlock = 64;
  static constexpr uint32_t kNever = static_cast<uint32_t>(-1);

  // `made_at` strictly increasing. Throws Error(kUsage) for options out of range, Error(kBadData)
  // for bars whose prices are not positive and finite or contradict each other, for decisions out
  // of order and where no bar lies in the simulated time.
  ExecutionBars(const CandleSeries& bars, std::span<const TimeMs> made_at,
                const SignalExecution& execution);

  size_t size() const { return time.size(); }
  TimeMs KnownAt(size_t bar) const { return time[bar] + duration; }
  // The first bar from `from` on that opens at or after `instant`, size() if none does; found
  // quickly where it is near.
  size_t FirstBarAt(TimeMs instant, size_t from) const;

  const SignalExecution& execution;
  DurationMs duration;
  std::span<const TimeMs> time;
  std::span<const double> open, high, low, close, volume;
  double close_before;  // of the bar before the first; NaN if there is none
  std::vector<double> block_low, block_high;
  std::vector<double> deviation;   // s_b of the volatility model; empty where it costs nothing
  std::vector<uint32_t> row_bar;   // the bar of each decision; kNever: no bar left
  std::vector<DueCharge> charges;  // by bar
  MarkPlan marks;

 private:
  void PlaceDecisions(const CandleSeries& bars, std::span<const TimeMs> made_at, size_t first);
  bool CheckAndFindExtremes();
  void FindExtremes(size_t block, size_t from, size_t count);
  void FindDeviations(const CandleSeries& bars, size_t first);
  void FindCharges();
};

}  // namespace almanac

#endif  // ALMANAC_BACKTEST_EXECUTION_BARS_H_
