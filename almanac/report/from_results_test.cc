#include "almanac/report/from_results.h"

#include <gtest/gtest.h>

#include <cmath>

#include "almanac/base/error.h"

namespace almanac {
namespace {

MetricResult Result(Metric metric, double model, double naive, Interval model_interval,
                    Interval difference) {
  MetricResult result;
  result.space = Space::kReturn;
  result.metric = metric;
  result.model = {model, model_interval};
  result.naive = {naive, {naive, naive}};
  result.difference = {model - naive, difference};
  return result;
}

Evaluation MakeEvaluation(const std::string& model) {
  Evaluation evaluation;
  evaluation.model = model;
  evaluation.rows = 1234;
  evaluation.verdict = "a sentence";
  evaluation.metrics = {
      Result(Metric::kMae, 0.9, 1.0, {0.8, 1.1}, {-0.2, -0.05}),
      Result(Metric::kRmse, 1.1, 1.0, {1.0, 1.2}, {0.01, 0.2}),
      Result(Metric::kDirection, 0.51, 0.5, {0.48, 0.54}, {-0.02, 0.04}),
      Result(Metric::kIc, 0.1, kNotANumber, {0.02, 0.2}, {kNotANumber, kNotANumber}),
      Result(Metric::kRankIc, kNotANumber, kNotANumber, {}, {}),
  };
  GroupResult month{"2024-02", 5, {Result(Metric::kMae, 0.7, 0.8, {}, {})}};
  evaluation.months = {month, month};
  evaluation.months[0].label = "2024-01";
  return evaluation;
}

TEST(FromEvaluationTest, TonesFollowSignificance) {
  Evaluation evaluation = MakeEvaluation("ridge");
  evaluation.squared.p_value = 0.2;
  evaluation.squared.mean_difference = -1;
  EXPECT_EQ(VerdictOf(evaluation).tone, Tone::kCaution);
  EXPECT_EQ(VerdictOf(evaluation).text, "a sentence");
  EXPECT_EQ(VerdictOf(evaluation, 0.3).tone, Tone::kGood);
  evaluation.squared.p_value = 0.01;
  evaluation.squared.mean_difference = 1;
  EXPECT_EQ(VerdictOf(evaluation).tone, Tone::kBad);
  evaluation.squared.p_value = kNotANumber;
  EXPECT_EQ(VerdictOf(evaluation).tone, Tone::kCaution);
}

TEST(FromEvaluationTest, CellsCompareWithNaiveByTheIntervalOfTheDifference) {
  const std::vector<Evaluation> evaluations = {MakeEvaluation("ridge"), MakeEvaluation("drift")};
  const ReportTable table = MetricsTable(evaluations, Space::kReturn);
  ASSERT_EQ(table.columns.size(), 4U) << "a metric that nobody has is left out";
  ASSERT_EQ(table.rows.size(), 3U);
  EXPECT_EQ(table.rows[1].label, "drift");
  EXPECT_TRUE(table.rows[2].naive);
  const std::vector<ReportCell>& cells = table.rows[0].cells;
  EXPECT_EQ(cells[0].standing, Standing::kBetter);
  EXPECT_EQ(cells[0].low, 0.8);
  EXPECT_EQ(cells[1].standing, Standing::kWorse);
  EXPECT_EQ(cells[2].standing, Standing::kSame);
  EXPECT_EQ(cells[3].standing, Standing::kBetter) << "naive has no IC: compared with 0";
  EXPECT_EQ(table.rows[2].cells[0].value, 1.0);
  EXPECT_EQ(table.rows[2].cells[0].standing, Standing::kNotCompared);
  EXPECT_THROW(MetricsTable({}, Space::kReturn), Error);
}

TEST(FromEvaluationTest, MonthsAreSortedAndNaiveIsTheBaseline) {
  std::vector<Evaluation> evaluations = {MakeEvaluation("ridge"), MakeEvaluation("drift")};
  evaluations[1].months.erase(evaluations[1].months.begin());
  evaluations[1].months[0].label = "2023-12";
  const ReportHeatTable table = MonthsTable(evaluations, Space::kReturn, Metric::kMae);
  EXPECT_EQ(table.columns, (std::vector<std::string>{"ridge", "drift", "naive"}));
  EXPECT_EQ(table.baseline, 2U);
  ASSERT_EQ(table.rows.size(), 3U);
  EXPECT_EQ(table.rows[0].label, "2023-12");
  EXPECT_TRUE(std::isnan(table.rows[0].values[0]));
  EXPECT_EQ(table.rows[0].values[1], 0.7);
  EXPECT_EQ(table.rows[1].values[0], 0.7);
  EXPECT_EQ(table.rows[1].values[2], 0.8);
  EXPECT_THROW(MonthsTable({}, Space::kReturn, Metric::kMae), Error);
}

TEST(FromEvaluationTest, KeyFiguresStandBesideNaive) {
  const std::vector<ReportKeyFigure> figures = KeyFiguresOf(MakeEvaluation("ridge"));
  ASSERT_EQ(figures.size(), 4U) << "price space has no metrics here";
  EXPECT_EQ(figures[0].benchmark, 1.0);
  EXPECT_EQ(figures[0].benchmark_name, "naive");
  EXPECT_EQ(figures[0].tone, Tone::kGood);
  EXPECT_EQ(figures[1].tone, Tone::kBad);
  EXPECT_EQ(figures[2].tone, Tone::kCaution);
  EXPECT_EQ(figures[3].benchmark, 0);
  EXPECT_EQ(figures[3].benchmark_name, "no skill");
}

BacktestRun MakeRun(const std::string& name, double end) {
  BacktestRun run;
  run.name = name;
  run.simulation.capital = 100;
  run.simulation.time = {StartOfDate({2024, 1, 31}), StartOfDate({2024, 2, 1})};
  run.simulation.equity = {110, end};
  Trade trade;
  trade.side = Side::kShort;
  trade.pnl = -3;
  trade.closed_at_end = true;
  run.simulation.trades = {trade};
  run.performance.total_return = end / 100 - 1;
  run.performance.trades = 1;
  run.performance.sharpe.annual = 1.0;
  run.performance.sharpe.annual_error = 0.5;
  run.performance.sharpe.p_value = 0.02;
  return run;
}

BacktestResult MakeResult() {
  BacktestResult result;
  result.strategy = MakeRun("ridge", 121);
  result.buy_and_hold = MakeRun("buy and hold", 99);
  result.buy_and_hold.performance.sharpe.annual = 0.4;
  result.pessimistic = MakeRun("ridge, pessimistic", 90);
  result.verdict = "another sentence";
  result.deflated.probability = 0.99;
  result.deflated.trials = 7;
  return result;
}

TEST(FromBacktestTest, AStrategyMustConvinceAfterAllTrials) {
  BacktestResult result = MakeResult();
  EXPECT_EQ(VerdictOf(result).tone, Tone::kGood);
  // Nor is it good if holding was better, unless there is an alpha on it.
  result.buy_and_hold.performance.sharpe.annual = 1.2;
  EXPECT_EQ(VerdictOf(result).tone, Tone::kCaution);
  result.on_hold.alpha = 0.001;
  result.on_hold.alpha_p = 0.01;
  EXPECT_EQ(VerdictOf(result).tone, Tone::kGood);
  result.deflated.probability = 0.5;
  EXPECT_EQ(VerdictOf(result).tone, Tone::kCaution);
  EXPECT_EQ(KeyFiguresOf(result).back().tone, Tone::kCaution);
  result.strategy.performance.total_return = -0.1;
  EXPECT_EQ(VerdictOf(result).tone, Tone::kBad);
  EXPECT_EQ(VerdictOf(result).text, "another sentence");
}

TEST(FromBacktestTest, AccountsStandBesideEachOther) {
  const BacktestResult result = MakeResult();
  const ReportTable table = AccountsTable(result);
  ASSERT_EQ(table.rows.size(), 3U);
  EXPECT_EQ(table.rows[1].label, "ridge, pessimistic");
  EXPECT_TRUE(table.rows[2].naive);
  for (const ReportRow& row : table.rows) EXPECT_EQ(row.cells.size(), table.columns.size());
  EXPECT_EQ(table.columns[3].title, "Sharpe");
  EXPECT_NEAR(table.rows[0].cells[3].low, 1 - 1.96 * 0.5, 1e-4);
  EXPECT_NEAR(table.rows[0].cells[3].high, 1 + 1.96 * 0.5, 1e-4);
  EXPECT_DOUBLE_EQ(table.rows[0].cells[0].value, 0.21);
  const ReportTable activity = ActivityTable(result);
  for (const ReportRow& row : activity.rows) EXPECT_EQ(row.cells.size(), activity.columns.size());
  EXPECT_EQ(activity.columns[0].title, "Trades");
  EXPECT_EQ(activity.rows[0].cells[0].value, 1);
}

TEST(FromBacktestTest, CarriesCurvesMonthsAndTrades) {
  const BacktestResult result = MakeResult();
  const ReportEquity equity = EquityOf(result, "USDT");
  EXPECT_EQ(equity.capital, 100);
  ASSERT_EQ(equity.curves.size(), 3U);
  EXPECT_EQ(equity.curves[1].role, CurveRole::kPessimistic);
  EXPECT_EQ(equity.curves[2].equity.back(), 99);
  const ReportMonthlyReturns months = MonthlyReturnsOf(result.strategy);
  ASSERT_EQ(months.months.size(), 2U);
  EXPECT_EQ(months.months[1].month, 2);
  EXPECT_NEAR(months.months[1].value, 0.1, 1e-12);
  const std::vector<ReportTrade> trades = TradesOf(result.strategy, "BTCUSDT");
  ASSERT_EQ(trades.size(), 1U);
  EXPECT_TRUE(trades[0].is_short);
  EXPECT_TRUE(trades[0].closed_at_end);
  EXPECT_EQ(trades[0].pnl, -3);
}

TEST(FromResults, ShowsWhatTheBestOfAGridIsWorth) {
  Selection selection;
  selection.configurations = 648;
  selection.best_name = "configuration 17";
  selection.sharpe.annual = 2.5;
  selection.sharpe.p_value = 0.01;
  selection.deflated.trials = 649;
  selection.deflated.probability = 0.6;
  selection.superior.spa = 0.3;
  selection.superior.reality_check = 0.4;
  selection.found_alone = 40;
  selection.expected_by_luck = 32.4;
  selection.overfitting.emplace();
  selection.overfitting->probability = 0.52;
  const ReportTable table = SelectionTable(selection);
  EXPECT_NE(table.note.find("648 configurations"), std::string::npos);
  EXPECT_NE(table.note.find("about 32 would"), std::string::npos) << table.note;
  ASSERT_EQ(table.rows.size(), 1u);
  ASSERT_EQ(table.rows[0].cells.size(), table.columns.size());
  EXPECT_NEAR(table.rows[0].cells[2].value, 0.4, 1e-12);
  EXPECT_EQ(table.rows[0].cells[6].value, 0.52);
  selection.overfitting.reset();
  EXPECT_TRUE(std::isnan(SelectionTable(selection).rows[0].cells[6].value));
}

}  // namespace
}  // namespace almanac
