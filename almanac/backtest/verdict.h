// The last step of every backtest: how far the result can be told from luck, in numbers and in one
// sentence.
#ifndef ALMANAC_BACKTEST_VERDICT_H_
#define ALMANAC_BACKTEST_VERDICT_H_

#include <cstddef>
#include <vector>

#include "almanac/backtest/backtest.h"

namespace almanac {

// Whether the strategy did better than holding: a Sharpe ratio above that of result.buy_and_hold,
// or an alpha on its returns that is above 0 at the given significance.
bool BeatsHolding(const BacktestResult& result, double significance);

// Fills `deflated`, `on_hold` and `verdict` from the accounts of `result`.
void Conclude(const Judging& judging, BacktestResult& result);

}  // namespace almanac

#endif  // ALMANAC_BACKTEST_VERDICT_H_
