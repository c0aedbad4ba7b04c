// A whole backtest of a panel: the portfolio by rank of the forecasts, beside it all symbols in
// equal parts and a pessimistic twin, the statistics of each, the assumptions and a verdict.
#ifndef ALMANAC_BACKTEST_PANEL_BACKTEST_H_
#define ALMANAC_BACKTEST_PANEL_BACKTEST_H_

#include <string>

#include "almanac/backtest/backtest.h"
#include "almanac/backtest/panel.h"
#include "almanac/backtest/panel_simulator.h"
#include "almanac/backtest/panel_strategy.h"

namespace almanac {

struct PanelBacktestOptions {
  std::string name = "strategy";
  PanelStrategy strategy = {};
  PanelExecution execution = {};  // `from` and `to` are narrowed to the time of the forecasts
  TradingYear year = TradingYear::kUsEquities;
  Judging judging = {};
};

// Throws as DecidePanel and SimulatePanel do.
BacktestResult RunPanelBacktest(const PanelBars& bars, const PanelForecasts& forecasts,
                                const PanelBacktestOptions& options);

}  // namespace almanac

#endif  // ALMANAC_BACKTEST_PANEL_BACKTEST_H_
