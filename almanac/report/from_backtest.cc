#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "almanac/backtest/verdict.h"
#include "almanac/base/text.h"
#include "almanac/report/from_results.h"

namespace almanac {
namespace {

using Better = ReportColumn::Better;

constexpr double kTwoSided95 = 1.959963984540054;  // standard deviations

ReportCell CellOf(double value) { return {value, kNotANumber, kNotANumber, {}}; }

ReportRow AccountRow(const BacktestRun& run, bool benchmark) {
  const Performance& p = run.performance;
  const SharpeStatistics& sharpe = p.sharpe;
  const double margin = kTwoSided95 * sharpe.annual_error;
  return {run.name,
          benchmark,
          {CellOf(p.total_return), CellOf(p.annual_return), CellOf(p.annual_volatility),
           ReportCell{sharpe.annual, sharpe.annual - margin, sharpe.annual + margin, {}},
           CellOf(sharpe.p_value), CellOf(p.sortino), CellOf(p.drawdown.depth)}};
}

std::vector<ReportColumn> AccountColumns() {
  return {{"Total return", NumberFormat::kSignedPercent, Better::kLarger, "after costs"},
          {"A year", NumberFormat::kSignedPercent, Better::kLarger, "compound annual return"},
          {"Volatility", NumberFormat::kPercent, Better::kSmaller,
           "standard deviation of the returns, annualised"},
          {"Sharpe", NumberFormat::kRatio, Better::kLarger,
           "mean return divided by its standard deviation, annualised, with its 95% interval"},
          {"p-value", NumberFormat::kProbability, Better::kNeither,
           "how likely a Sharpe ratio this high is if the true one is 0 or less"},
          {"Sortino", NumberFormat::kRatio, Better::kLarger,
           "mean return divided by the spread of the losses alone, annualised"},
          {"Drawdown", NumberFormat::kPercent, Better::kSmaller, "the deepest fall from a peak"}};
}

ReportRow ActivityRow(const BacktestRun& run, bool benchmark) {
  const Performance& p = run.performance;
  return {run.name,
          benchmark,
          {CellOf(static_cast<double>(p.trades)), CellOf(p.hit_rate), CellOf(p.mean_trade_return),
           CellOf(p.mean_trade_bars), CellOf(p.profit_factor), CellOf(p.exposure),
           CellOf(p.annual_turnover), CellOf(p.costs_share)}};
}

std::vector<ReportColumn> ActivityColumns() {
  return {{"Trades", NumberFormat::kCount, Better::kNeither, "from flat, or a flip, to the next"},
          {"Winners", NumberFormat::kPercent, Better::kNeither, "share of the trades with a gain"},
          {"Mean trade", NumberFormat::kSignedPercent, Better::kNeither,
           "mean return of a trade on what was entered, after costs"},
          {"Bars held", NumberFormat::kPlain, Better::kNeither, "mean length of a trade in bars"},
          {"Profit factor", NumberFormat::kRatio, Better::kNeither, "gains divided by losses"},
          {"In the market", NumberFormat::kPercent, Better::kNeither,
           "share of the bars during which a position was held"},
          {"Turnover", NumberFormat::kRatio, Better::kNeither,
           "traded value a year, in multiples of the account"},
          {"Costs", NumberFormat::kPercent, Better::kNeither,
           "fees and slippage as a share of the starting capital"}};
}

std::vector<ReportColumn> TrustColumns() {
  return {{"P(skill)", NumberFormat::kProbability, Better::kNeither,
           "probability that the true Sharpe ratio is above 0 (probabilistic Sharpe ratio)"},
          {"Years needed", NumberFormat::kRatio, Better::kNeither,
           "track record that a ratio this high needs to be above 0 with 95% confidence"},
          {"Years", NumberFormat::kRatio, Better::kNeither, "that there are"},
          {"Skewness", NumberFormat::kRatio, Better::kNeither, "of the returns"},
          {"Kurtosis", NumberFormat::kRatio, Better::kNeither, "Pearson's: 3 for normal returns"},
          {"Calmar", NumberFormat::kRatio, Better::kLarger, "annual return / deepest drawdown"},
          {"Tail ratio", NumberFormat::kRatio, Better::kNeither,
           "95% quantile of the returns / |5% quantile|"},
          {"Alpha", NumberFormat::kSignedPercent, Better::kNeither,
           "annual return that buy and hold does not explain, with its 95% interval (Newey-West)"},
          {"Alpha p", NumberFormat::kProbability, Better::kNeither, "two-sided, H0: 0"},
          {"Beta", NumberFormat::kRatio, Better::kNeither,
           "return per return of buy and hold, with its 95% interval"}};
}

ReportRow TrustRow(const BacktestRun& run, const BenchmarkRegression* on_hold, bool benchmark) {
  const Performance& p = run.performance;
  const double needed = p.sharpe.minimum_track_record / p.sharpe.periods_per_year;
  ReportRow row{run.name,
                benchmark,
                {CellOf(p.sharpe.probabilistic),
                 CellOf(std::isfinite(needed) ? needed : kNotANumber),
                 CellOf(p.years),
                 CellOf(p.sharpe.skewness),
                 CellOf(p.sharpe.kurtosis),
                 CellOf(p.calmar),
                 CellOf(p.tail_ratio),
                 {},
                 {},
                 {}}};
  if (on_hold == nullptr) return row;
  const double margin = kTwoSided95 * on_hold->alpha_error * p.sharpe.periods_per_year;
  const double beta = kTwoSided95 * on_hold->beta_error;
  row.cells[7] = {
      on_hold->annual_alpha, on_hold->annual_alpha - margin, on_hold->annual_alpha + margin, {}};
  row.cells[8] = CellOf(on_hold->alpha_p);
  row.cells[9] = {on_hold->beta, on_hold->beta - beta, on_hold->beta + beta, {}};
  return row;
}

ReportCurve CurveOf(const BacktestRun& run, CurveRole role) {
  return {run.name, role, run.simulation.equity};
}

}  // namespace

ReportVerdict VerdictOf(const BacktestResult& result, double significance) {
  ReportVerdict verdict{Tone::kCaution, result.verdict};
  const Performance& performance = result.strategy.performance;
  const bool convincing = performance.sharpe.p_value < significance &&
                          result.deflated.probability > 1 - significance &&
                          BeatsHolding(result, significance);
  if (performance.total_return < 0) {
    verdict.tone = Tone::kBad;
  } else if (convincing) {
    verdict.tone = Tone::kGood;
  }
  return verdict;
}

std::vector<ReportKeyFigure> KeyFiguresOf(const BacktestResult& result) {
  const Performance& strategy = result.strategy.performance;
  const Performance& hold = result.buy_and_hold.performance;
  const std::string& benchmark = result.buy_and_hold.name;
  constexpr double kSignificant = 0.05;
  const double p_value = strategy.sharpe.p_value, probability = result.deflated.probability;
  const Tone beats_chance = p_value < kSignificant ? Tone::kGood : Tone::kCaution;
  const Tone beats_search = probability > 1 - kSignificant ? Tone::kGood : Tone::kCaution;
  return {{"Total return", strategy.total_return, hold.total_return, benchmark,
           NumberFormat::kSignedPercent, Tone::kNeutral, "of the whole test time, after costs"},
          {"Sharpe ratio", strategy.sharpe.annual, hold.sharpe.annual, benchmark,
           NumberFormat::kRatio, Tone::kNeutral, "annualised"},
          {"Deepest drawdown", strategy.drawdown.depth, hold.drawdown.depth, benchmark,
           NumberFormat::kPercent, Tone::kNeutral, "fall from a peak of the account"},
          {"p-value of the Sharpe ratio", p_value, kNotANumber, "", NumberFormat::kProbability,
           beats_chance, "how likely a ratio this high is by luck alone; below 0.05 is convincing"},
          {"Deflated Sharpe ratio", probability, kNotANumber, "", NumberFormat::kProbability,
           beats_search,
           fmt::format("probability of real skill after {} {}; above 0.95 is convincing",
                       FormatCount(static_cast<int64_t>(result.deflated.trials)),
                       result.deflated.trials == 1 ? "trial" : "trials")}};
}

ReportTable AccountsTable(const BacktestResult& result) {
  ReportTable table;
  table.title = "The accounts beside each other";
  table.note = "The pessimistic account pays twice the costs and fills every order one bar later.";
  table.columns = AccountColumns();
  table.rows = {AccountRow(result.strategy, false), AccountRow(result.pessimistic, false),
                AccountRow(result.buy_and_hold, true)};
  return table;
}

ReportTable ActivityTable(const BacktestResult& result) {
  ReportTable table;
  table.title = "How they traded";
  table.columns = ActivityColumns();
  table.rows = {ActivityRow(result.strategy, false), ActivityRow(result.pessimistic, false),
                ActivityRow(result.buy_and_hold, true)};
  return table;
}

ReportTable TrustTable(const BacktestResult& result) {
  ReportTable table;
  table.title = "How far the ratios can be trusted";
  table.note = fmt::format(
      "After {} {} the best of them is expected to show a Sharpe ratio of {:.2f} by luck alone: "
      "the "
      "luck hurdle.",
      FormatCount(static_cast<int64_t>(result.deflated.trials)),
      result.deflated.trials == 1 ? "trial" : "trials", result.deflated.hurdle_annual);
  table.columns = TrustColumns();
  table.rows = {TrustRow(result.strategy, &result.on_hold, false),
                TrustRow(result.pessimistic, nullptr, false),
                TrustRow(result.buy_and_hold, nullptr, true)};
  return table;
}

ReportTable SelectionTable(const Selection& selection) {
  using Better = ReportColumn::Better;
  constexpr auto kP = NumberFormat::kProbability;
  ReportTable table;
  table.title = "What was chosen from the grid, on the validation part";
  table.note = fmt::format(
      "The best of {} configurations, knowing all of them and the {} trials in all. Taken alone, "
      "{} "
      "have a p-value below {:g}; without skill about {:.0f} would.",
      FormatCount(static_cast<int64_t>(selection.configurations)),
      FormatCount(static_cast<int64_t>(selection.deflated.trials)),
      FormatCount(static_cast<int64_t>(selection.found_alone)), selection.significance,
      selection.expected_by_luck);
  table.columns = {
      {"Sharpe", NumberFormat::kRatio, Better::kNeither, "annual, of the best"},
      {"p alone", kP, Better::kNeither, "one-sided, as if it were the only one"},
      {"Deflated p", kP, Better::kNeither, "1 less the deflated Sharpe ratio"},
      {"SPA p", kP, Better::kNeither, "Hansen's test that none is better than not trading"},
      {"Reality check p", kP, Better::kNeither, "White's, of the same"},
      {"Found", NumberFormat::kCount, Better::kNeither,
       "better than not trading although all were tried (Romano and Wolf)"},
      {"PBO", NumberFormat::kPercent, Better::kNeither,
       "how often the best of one half of the time is below the median on the other"}};
  const auto plain = [](double value) {
    return ReportCell{value, kNotANumber, kNotANumber, Standing::kNotCompared};
  };
  table.rows.push_back(
      {selection.best_name,
       false,
       {plain(selection.sharpe.annual), plain(selection.sharpe.p_value),
        plain(1 - selection.deflated.probability), plain(selection.superior.spa),
        plain(selection.superior.reality_check), plain(static_cast<double>(selection.found.size())),
        plain(selection.overfitting ? selection.overfitting->probability : kNotANumber)}});
  return table;
}

ReportEquity EquityOf(const BacktestResult& result, std::string currency) {
  const Simulation& strategy = result.strategy.simulation;
  return {strategy.capital,
          std::move(currency),
          strategy.time,
          {CurveOf(result.strategy, CurveRole::kStrategy),
           CurveOf(result.pessimistic, CurveRole::kPessimistic),
           CurveOf(result.buy_and_hold, CurveRole::kBenchmark)}};
}

ReportMonthlyReturns MonthlyReturnsOf(const BacktestRun& run) {
  ReportMonthlyReturns returns{run.name, {}};
  for (const MonthReturn& month : MonthlyReturns(run.simulation)) {
    returns.months.push_back({month.year, month.month, month.value});
  }
  return returns;
}

std::vector<ReportTrade> TradesOf(const BacktestRun& run, const std::string& symbol) {
  std::vector<ReportTrade> trades;
  for (const Trade& trade : run.simulation.trades) {
    const std::vector<std::string>& symbols = run.simulation.symbols;
    trades.push_back({symbols.empty() ? symbol : symbols[trade.symbol], trade.side == Side::kShort,
                      trade.entry_time, trade.exit_time, trade.entry_price, trade.exit_price,
                      trade.units, trade.costs, trade.pnl, trade.return_on_entry,
                      trade.closed_at_end});
  }
  return trades;
}

}  // namespace almanac
