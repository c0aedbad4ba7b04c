// The last step of every backtest: how far the result can be told from luck, in numbers and in one
// sentence.
#ifndef ALMANAC_BACKTEST_VERDICT_H_
#define ALMANAC_BACKTEST_VERDICT_H_

#include <cstddef>
#include <vector>

#include "almanac/backtest/backtest.h"

namespace almanac {

// Fills `deflated` and `verdict` from the accounts of `result`.
void Conclude(const Judging& judging, BacktestResult& result);

}  // namespace almanac

#endif  // ALMANAC_BACKTEST_VERDICT_H_
