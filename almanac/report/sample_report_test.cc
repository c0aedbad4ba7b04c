#include "almanac/report/sample_report.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "almanac/base/random.h"
#include "almanac/report/from_results.h"

namespace almanac {
namespace {

constexpr TimeMs kStart = 1'700'006'400'000;  // 2023-11-15T00:00:00Z
constexpr double kCapital = 10'000;

CandleSeries MakeBars(size_t count, Random& random) {
  CandleSeries bars;
  bars.key = {"binance-spot", "BTCUSDT", Timeframe::Parse("30m")};
  const DurationMs step = bars.key.timeframe.duration();
  double price = 37'000, volatility = 0.003;
  for (size_t i = 0; i < count; ++i) {
    volatility = std::max(0.0008, 0.94 * volatility + 0.06 * 0.003 * random.Gamma(1.0));
    Candle bar;
    bar.open_time = kStart + static_cast<TimeMs>(i) * step;
    bar.open = price;
    bar.close = price * std::exp(volatility * random.StudentT(5) * 0.8);
    bar.high = std::max(bar.open, bar.close) * (1 + volatility * 0.6 * random.Uniform());
    bar.low = std::min(bar.open, bar.close) * (1 - volatility * 0.6 * random.Uniform());
    bar.volume = 100 * random.Gamma(2.0);
    price = bar.close;
    bars.Append(bar);
  }
  return bars;
}

// What the forecasters of one test know, in rows.
struct Test {
  std::vector<TimeMs> made_at, target_time;
  std::vector<double> price, actual, naive, ridge, drift;
};

Test MakeTest(const CandleSeries& bars, size_t first, Random& random) {
  Test test;
  for (size_t i = first; i + 1 < bars.size(); ++i) {
    const double actual = bars.close[i + 1] / bars.close[i] - 1;
    test.made_at.push_back(bars.KnownAt(i));
    test.target_time.push_back(bars.KnownAt(i + 1));
    test.price.push_back(bars.close[i]);
    test.actual.push_back(actual);
    test.naive.push_back(0);
    test.ridge.push_back(0.04 * actual + 0.0004 * random.Normal());
    test.drift.push_back(0.00002);
  }
  return test;
}

ReportForecast ForecastOf(const Test& test, std::string model, const std::vector<double>& returns) {
  ReportForecast forecast{std::move(model), false, test.made_at, test.target_time, {}, {}, {}};
  for (size_t i = 0; i < returns.size(); ++i) {
    forecast.price.push_back(test.price[i] * (1 + returns[i]));
  }
  return forecast;
}

Evaluation EvaluationOf(const Test& test, const std::string& model,
                        const std::vector<double>& returns) {
  ForecastSample sample{.made_at = test.made_at,
                        .forecast = returns,
                        .actual = test.actual,
                        .naive = test.naive,
                        .price = test.price};
  EvaluateOptions options;
  options.model = model;
  options.bootstrap.replicates = 200;
  return Evaluate(sample, options);
}

ReportErrors ErrorsOf(const Test& test, std::string model, const std::vector<double>& returns) {
  ReportErrors errors{std::move(model), false, {}, NumberFormat::kPercent};
  for (size_t i = 0; i < returns.size(); ++i) errors.errors.push_back(test.actual[i] - returns[i]);
  return errors;
}

void AddAccounts(const CandleSeries& bars, const Test& test, ReportData& data) {
  BacktestOptions options;
  options.name = "ridge";
  options.strategy.threshold = 0.0006;
  options.execution.costs = {1.0, 0.5};
  options.execution.capital = kCapital;
  const SignalInput signals{test.made_at, test.target_time, test.ridge};
  const BacktestResult result = RunBacktest(bars, signals, options);
  data.verdict.push_back(VerdictOf(result));
  for (const ReportKeyFigure& figure : KeyFiguresOf(result)) data.key_figures.push_back(figure);
  data.equity = EquityOf(result, "USDT");
  data.strategy_tables = {AccountsTable(result), ActivityTable(result)};
  data.monthly_returns = {MonthlyReturnsOf(result.strategy), MonthlyReturnsOf(result.buy_and_hold)};
  data.trades = TradesOf(result.strategy, "BTCUSDT");
  data.assumptions.insert(data.assumptions.end(), result.assumptions.begin(),
                          result.assumptions.end());
}

void AddOrigin(const CandleSeries& bars, size_t first, ReportData& data) {
  const auto at = [&](size_t i) { return bars.open_time[i]; };
  data.target = "The return from the close known when the forecast is made to the next close.";
  data.models = {{"naive", "tomorrow equals today: the last close", ""},
                 {"drift", "the last close moved by the mean return of the training rows", ""},
                 {"ridge", "linear regression with a penalty on large coefficients",
                  "lambda 0.1, chosen of 5 by RMSE on validation"}};
  data.split = {{"training", at(0), at(first / 2), static_cast<int64_t>(first / 2), 1},
                {"validation", at(first / 2), at(first), static_cast<int64_t>(first / 2), 1},
                {"test", at(first), bars.KnownAt(bars.size() - 1),
                 static_cast<int64_t>(bars.size() - first), 0}};
  for (const int window : {1, 2, 5, 10, 20, 50}) {
    data.features.push_back({fmt::format("return_{}", window),
                             fmt::format("log return over {} bars", window), "log return",
                             fmt::format("{:+.4f}", 0.02 / window)});
    data.features.push_back({fmt::format("volatility_{}", window),
                             fmt::format("standard deviation of {} returns", window), "log return",
                             fmt::format("{:+.4f}", -0.01 / window)});
  }
  SeriesAudit audit;
  audit.key = bars.key;
  audit.bars = static_cast<int64_t>(bars.size());
  audit.from = at(0);
  audit.to = at(bars.size() - 1);
  audit.gaps = {{at(100), at(103), 3}, {at(150), at(151), 1}};
  audit.missing_bars = 4;
  audit.zero_volume.count = 6;
  audit.jumps.count = 2;
  data.audits = {audit};
  data.fill = "none";
}

std::string SampleRecipe() {
  return R"(# The thin path: candles in, a judged forecast out.
name: first-run
source:
  kind: simulator      # needs no account and no network
  symbols: [BTCUSDT]
  timeframe: 30m
features:
  - returns: {windows: [1, 2, 5, 10, 20, 50]}
  - volatility: {windows: [1, 2, 5, 10, 20, 50]}
target: {kind: forward_return, horizon: 1}
models: [naive, drift, ridge]
strategy:
  threshold: 0.0006
  fee_bps: 10
  note: "a quoted # is no comment, and </script> is only text"
)";
}

void AddNames(const CandleSeries& bars, ReportData& data) {
  data.title = "BTCUSDT 30m: the next bar's return";
  data.subtitle =
      "Ridge regression on returns and volatility over several windows, beside the naive forecast.";
  data.recipe_name = "first-run";
  data.recipe_yaml = SampleRecipe();
  data.run_id = "first-run-3f9c2a71";
  data.code_version = "0.1.0+6a609c3";
  data.data_hash = "sha256:9b1f0c4d7e21";
  data.data_from = bars.open_time.front();
  data.data_to = bars.KnownAt(bars.size() - 1);
  data.facts = {{"Seed", "1"}, {"Trials counted", "12"}};
  data.warnings = {
      "Simulated prices: they show that the machinery works, not what a market would do."};
  data.assumptions = {
      "Intervals come from a stationary bootstrap and assume that the test time is typical."};
  data.stages = {{"collect", "collect-41c0d2", "kept", {}},
                 {"features", "features-a02b77", "kept", {}},
                 {"train", "train-5d1e09", "made", {}},
                 {"report", "report-77aa10", "made", {}}};
}

}  // namespace

ReportData MakeSampleReport(size_t bars_count, uint64_t seed) {
  Random random(seed);
  const CandleSeries bars = MakeBars(bars_count, random);
  const size_t first = bars_count * 3 / 4;
  const Test test = MakeTest(bars, first, random);
  ReportData data;
  AddNames(bars, data);
  const std::vector<Evaluation> evaluations = {EvaluationOf(test, "ridge", test.ridge),
                                               EvaluationOf(test, "drift", test.drift)};
  for (const Evaluation& evaluation : evaluations) data.verdict.push_back(VerdictOf(evaluation));
  data.key_figures = KeyFiguresOf(evaluations.front());
  ReportMarket market{bars, "USDT", {}};
  market.forecasts = {ForecastOf(test, "ridge", test.ridge), ForecastOf(test, "drift", test.drift),
                      ForecastOf(test, "naive", test.naive)};
  market.forecasts.back().naive = true;
  data.markets = {std::move(market)};
  data.errors = {ErrorsOf(test, "ridge", test.ridge), ErrorsOf(test, "naive", test.naive)};
  data.errors.back().naive = true;
  data.forecast_tables = {MetricsTable(evaluations, Space::kReturn),
                          MetricsTable(evaluations, Space::kPrice)};
  data.by_month = {MonthsTable(evaluations, Space::kReturn, Metric::kRmse)};
  AddAccounts(bars, test, data);
  AddOrigin(bars, first, data);
  return data;
}

TEST(SampleReportTest, IsSound) { EXPECT_NO_THROW(CheckReport(MakeSampleReport())); }

}  // namespace almanac
