// What a simulated account achieved: return, risk, drawdown, activity.
#ifndef ALMANAC_BACKTEST_PERFORMANCE_H_
#define ALMANAC_BACKTEST_PERFORMANCE_H_

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "almanac/backtest/sharpe.h"
#include "almanac/backtest/simulator.h"
#include "almanac/base/json.h"
#include "almanac/base/time.h"

namespace almanac {

// The deepest fall from a peak. Bars are indices into the simulation; -1 is the start, before the
// first bar.
struct Drawdown {
  double depth = 0;  // 1 - trough / peak, >= 0 (above 1 after ruin)
  std::ptrdiff_t peak_bar = -1;
  std::ptrdiff_t trough_bar = -1;
  // The longest time below a peak, in bars from the peak until it is reached again or the end; not
  // necessarily around the deepest fall.
  size_t longest_bars = 0;
  bool recovered = true;  // whether the end is at a peak
};
Drawdown ComputeDrawdown(double capital, std::span<const double> equity);
// equity / running peak - 1, one per bar, <= 0: for the picture.
std::vector<double> DrawdownCurve(double capital, std::span<const double> equity);

struct Performance {
  size_t bars = 0;
  TimeMs first_time = 0;  // open time of the first and the last bar
  TimeMs last_time = 0;
  double years = 0;  // bars / periods_per_year
  double total_return = 0;
  double annual_return = 0;      // (1 + total)^(1 / years) - 1; -1 after ruin
  double annual_volatility = 0;  // standard deviation (n - 1) * sqrt(periods_per_year)
  SharpeStatistics sharpe;
  // mean / sqrt(mean of min(r, 0)^2), target 0, all n periods in the divisor (Sortino and van der
  // Meer 1991), * sqrt(periods_per_year). NaN without a losing period.
  double sortino = 0;
  double calmar = 0;  // annual_return / max drawdown depth (over the whole time); NaN without one
  // 95 % quantile of the returns / |5 % quantile|: above 1 the gains have the longer tail. NaN
  // where the lower quantile is not negative.
  double tail_ratio = 0;
  Drawdown drawdown;
  size_t trades = 0;
  double hit_rate = 0;           // trades with pnl > 0 / trades; NaN without trades
  double profit_factor = 0;      // sum of gains / sum of losses; NaN without losses
  double mean_trade_return = 0;  // of return_on_entry; NaN without trades
  double mean_trade_bars = 0;    // bars between entry and exit
  double exposure = 0;           // share of the bars during which a position was held
  double annual_turnover = 0;    // traded notional / mean equity / years; NaN after ruin
  double costs = 0;              // quote currency
  double costs_share = 0;        // costs / capital
};
Performance ComputePerformance(const Simulation& simulation, double periods_per_year);

// Ratios that follow from the returns alone, for accounts of any kind; definitions as above.
double SortinoRatio(std::span<const double> returns, double periods_per_year);
double TailRatio(std::span<const double> returns);

// The account's return by calendar month (UTC of the bar's open), in time order.
struct MonthReturn {
  int year = 0;
  int month = 0;
  double value = 0;
};
std::vector<MonthReturn> MonthlyReturns(const Simulation& simulation);

// NaN becomes null.
Json ToJson(const Drawdown& drawdown);
Json ToJson(const Performance& performance);
Json ToJson(const Trade& trade);

}  // namespace almanac

#endif  // ALMANAC_BACKTEST_PERFORMANCE_H_
