// What a signal account adds up over its time.
#ifndef ALMANAC_BACKTEST_SIGNAL_TOTALS_H_
#define ALMANAC_BACKTEST_SIGNAL_TOTALS_H_

#include <cstdint>

namespace almanac {

// What a sweep keeps of every configuration.
struct SignalTotals {
  double costs = 0, funding = 0, traded = 0;
  double gains = 0, losses = 0;  // sums over trades, both >= 0
  uint32_t trades = 0, winners = 0;
  uint32_t liquidations = 0;
  uint32_t entries_too_small = 0;  // below min_notional or one unit_step
  uint32_t entries_refused = 0;    // by the limits of a portfolio
  uint32_t executed = 0, missed = 0;
  SignalTotals& operator+=(const SignalTotals& other);
  bool operator==(const SignalTotals&) const = default;
};

}  // namespace almanac

#endif  // ALMANAC_BACKTEST_SIGNAL_TOTALS_H_
