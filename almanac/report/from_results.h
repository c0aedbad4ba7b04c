// Parts of a report from the results of evaluate and backtest.
#ifndef ALMANAC_REPORT_FROM_RESULTS_H_
#define ALMANAC_REPORT_FROM_RESULTS_H_

#include <span>
#include <string>
#include <vector>

#include "almanac/backtest/backtest.h"
#include "almanac/backtest/selection.h"
#include "almanac/evaluate/metrics.h"
#include "almanac/report/report.h"

namespace almanac {

// The sentence of a result with its tone: good or bad only where chance is an unlikely explanation
// (p below `significance`), else caution. A strategy is good only if its deflated Sharpe ratio
// passes too (probability above 1 - significance).
ReportVerdict VerdictOf(const Evaluation& evaluation, double significance = 0.05);
ReportVerdict VerdictOf(const BacktestResult& result, double significance = 0.05);

// One row per evaluation and one of the naive forecast (taken from the first; all are judged on the
// same rows), one column per metric of `space` that any of them has. A cell differs from naive
// where the interval of the difference excludes 0; where naive has no value (correlations), where
// its own interval does. Throws Error(kUsage) if there is no evaluation.
ReportTable MetricsTable(std::span<const Evaluation> evaluations, Space space);
// One of each space that they have: returns and prices, or volatilities.
std::vector<ReportTable> MetricsTables(std::span<const Evaluation> evaluations);

// `metric` by month of made_at: one column per evaluation and one of the naive forecast, which is
// the baseline. Throws Error(kUsage) if there is no evaluation.
ReportHeatTable MonthsTable(std::span<const Evaluation> evaluations, Space space, Metric metric);

// MAE, RMSE, direction and IC in return space, MAE, RMSE and MAPE in price space; of volatilities
// MAE, RMSE, QLIKE and R²; each beside naive.
std::vector<ReportKeyFigure> KeyFiguresOf(const Evaluation& evaluation);
// Total return, Sharpe ratio and drawdown beside buy and hold; p-value; deflated probability.
std::vector<ReportKeyFigure> KeyFiguresOf(const BacktestResult& result);

// The accounts of the result beside each other: return, risk, Sharpe ratio with its 95% interval,
// p-value, drawdown.
ReportTable AccountsTable(const BacktestResult& result);
// The same accounts: trades, winners, exposure, turnover, costs.
ReportTable ActivityTable(const BacktestResult& result);
// The same accounts: how far their Sharpe ratios can be trusted, tails, and the strategy's alpha
// and beta on buy and hold.
ReportTable TrustTable(const BacktestResult& result);
// One row: what the best of a grid's configurations is worth, knowing all of them.
ReportTable SelectionTable(const Selection& selection);
ReportEquity EquityOf(const BacktestResult& result, std::string currency);
ReportMonthlyReturns MonthlyReturnsOf(const BacktestRun& run);
std::vector<ReportTrade> TradesOf(const BacktestRun& run, const std::string& symbol);

}  // namespace almanac

#endif  // ALMANAC_REPORT_FROM_RESULTS_H_
