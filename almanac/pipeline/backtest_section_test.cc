#include "almanac/pipeline/backtest_section.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/progress.h"
#include "almanac/base/test_folder.h"
#include "almanac/pipeline/backtest_run.h"
#include "almanac/pipeline/pipeline.h"
#include "almanac/pipeline/recipe.h"

namespace almanac {
namespace {

constexpr char kPanel[] = R"(name: small-panel
data:
  source: simulator
  symbols: [AAA, BBB, CCC, DDD]
  panel: true
  timeframe: 1d
  from: 2021-01-01
  to: 2022-01-01
features:
  - {family: log_return, windows: [1, 5, 20]}
target: {kind: forward_return, horizon: 5}
models:
  - {kind: ridge, lambda: 10}
  - {kind: momentum, feature: log_return_20}
evaluate: {replicates: 20}
backtest: {kind: panel, top_k: 2, bottom_k: 1, rebalance: week, k_drop: 1}
report: {pictures: false}
)";

constexpr char kSignal[] = R"(name: small-signal
data: {source: simulator, symbols: [AAA], timeframe: 1h, from: 2021-01-01, to: 2021-05-01}
features:
  - {family: log_return, windows: [1, 4]}
target: {kind: forward_return, horizon: 4}
models:
  - {kind: ridge, lambda: 10}
  - {kind: drift}
evaluate: {replicates: 20}
backtest:
  kind: signal
  models: [ridge, drift]
  ensemble: mean
  sizing: {kind: volatility_target, target_volatility: 0.4, volatility_window: 24}
  exits: {stop_loss: 0.02, take_profit: 0.03}
  costs: {taker_bps: 4, funding_bps: 1}
  grid: {ensemble: [mean, vote], threshold: [0, 0.0001], stop_loss: [0.01, 0.02, 0.03]}
report: {pictures: false}
)";

// Several symbols in one account, with published funding rates.
constexpr char kPortfolio[] = R"(name: small-portfolio
data: {source: simulator, symbols: [AAA, BBB, CCC, DDD, EEE], panel: true, timeframe: 1h,
  from: 2021-01-01, to: 2021-04-01}
features:
  - {family: log_return, windows: [1, 4]}
target: {kind: forward_return, horizon: 4}
models:
  - {kind: ridge, lambda: 10}
  - {kind: drift}
evaluate: {replicates: 20, buckets: 2}
backtest:
  kind: signal
  models: [ridge, drift]
  ensemble: mean
  sizing: {size: 0.4}
  limits: {max_positions: 3, max_gross: 1}
  costs: {taker_bps: 4, funding: {file: FUNDING}}
  grid: {threshold: [0, 0.0001], stop_loss: [0.01, 0.02]}
report: {pictures: false}
)";

class BacktestSectionTest : public testing::Test {
 protected:
  Recipe Load(const char* text, const std::vector<std::string>& sets = {}) const {
    WriteFileAtomic(folder_ / "recipe.yaml", text);
    ConfigOptions options;
    options.sets = sets;
    return LoadRecipe(folder_ / "recipe.yaml", options, home());
  }
  std::string Refusal(const char* text, const std::string& set) const {
    try {
      Load(text, {set});
      return "";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
      return error.what();
    }
  }
  Json Run(const char* text) const {
    const RunResult result = RunRecipe(Load(text), home(), {}, NoProgress());
    EXPECT_EQ(result.results.size(), 1u);
    return Json::parse(result.results.front().second);
  }
  Home home() const { return Home{folder_ / "home"}; }

  TestFolder folder_;
};

TEST_F(BacktestSectionTest, ReadsEveryKind) {
  const BacktestSection panel = Load(kPanel).backtest;
  EXPECT_EQ(panel.kind, BacktestKind::kPanel);
  EXPECT_EQ(panel.panel.strategy.long_weight, 0.5);
  EXPECT_EQ(panel.panel.strategy.rebalance, Rebalance::kWeek);
  const BacktestSection signal = Load(kSignal).backtest;
  EXPECT_EQ(signal.kind, BacktestKind::kSignal);
  EXPECT_EQ(signal.signal.grid->size(), 12u);
  EXPECT_EQ(AccountsOf(signal).size(), 1u);
  EXPECT_EQ(signal.signal.execution.fees.front().taker_bps, 4);
}

TEST_F(BacktestSectionTest, ConfigurationIsWhatMakesATrial) {
  const std::string plain = Load(kSignal).backtest.configuration;
  EXPECT_EQ(plain, Load(kSignal, {"backtest.capital=5"}).backtest.configuration);
  EXPECT_NE(plain, Load(kSignal, {"backtest.exits.stop_loss=0.05"}).backtest.configuration);
  EXPECT_NE(plain, Load(kSignal, {"backtest.models=[ridge]"}).backtest.configuration);
}

TEST_F(BacktestSectionTest, RefusesWhatCannotBe) {
  const auto says = [](const std::string& refusal, const char* part) {
    EXPECT_NE(refusal.find(part), std::string::npos) << refusal;
  };
  says(Refusal(kPanel, "backtest.top_q=2"), "top_k");
  says(Refusal(kPanel, "backtest.weighting=even"), "inverse_volatility");
  says(Refusal(kPanel, "data.panel=false"), "set data.panel: true");
  says(Refusal(kPanel, "backtest.kind=threshold"), "backtest.kind: panel");
  says(Refusal(kPanel, "data.symbols=all"), "use source: lake");
  says(Refusal(kSignal, "backtest.exits.stop_los=0.1"), "stop_loss");
  says(Refusal(kSignal, "backtest.exits.stop_loss=1"), "stop_loss");
  says(Refusal(kSignal, "backtest.costs.taker_bps=-1"), "from 0 to 1000");
  says(Refusal(kSignal, "backtest.execution.intrabar=kind"), "pessimistic");
  says(Refusal(kSignal, "backtest.grid.max_hold=[soon]"), "no duration");
  says(Refusal(kSignal, "backtest.costs.funding_every=7h"), "a divisor of a day");
  says(Refusal(kSignal, "backtest.sizing.kelly_fraction=2"), "kelly_fraction");
  says(Refusal(kSignal, "backtest.limits.max_positions=2"), "set data.panel: true");
  says(Refusal(kSignal, "backtest.costs.funding={}"), "neither a file nor a feature");
  says(Refusal(kSignal, "backtest.costs.funding.file=rates.csv"), "keep one of");
  says(Refusal(kPortfolio, "backtest.limits.max_gross=0"), "max_gross");
  says(Refusal(kPortfolio, "backtest.limits.max_position=2"), "max_positions");
  says(Refusal(kPortfolio, "backtest.costs.funding.feature=x"), "both a file and a feature");
  says(Refusal(kPortfolio, "evaluate.buckets=1"), "buckets");
}

TEST_F(BacktestSectionTest, APanelIsOneRunOfAllSymbols) {
  const Json results = Run(kPanel);
  EXPECT_EQ(results["trials"], 2);  // ridge and momentum
  ASSERT_EQ(results["backtests"].size(), 2u);
  EXPECT_EQ(results["backtests"][0]["buy_and_hold"]["name"], "all symbols in equal parts");
  EXPECT_FALSE(results["backtests"][0]["strategy"]["trades"].empty());
  EXPECT_EQ(results["evaluations"].size(), 2u);
  EXPECT_FALSE(results.contains("cross_section"));  // four symbols are too few to rank
  // Again: nothing is made, and nothing counted.
  const RunResult again = RunRecipe(Load(kPanel), home(), {}, NoProgress());
  EXPECT_TRUE(again.did_nothing);
}

TEST_F(BacktestSectionTest, SeveralSymbolsShareOneSignalAccount) {
  std::string rates = "symbol,time,rate\n";
  for (const char* symbol : {"AAA", "BBB", "CCC", "DDD", "EEE"}) {
    for (TimeMs time = *ParseTime("2021-01-01"); time <= *ParseTime("2021-04-01");
         time += 8 * kMsPerHour) {
      rates += std::string(symbol) + "," + std::to_string(time) + ",0.0001\n";
    }
  }
  const std::filesystem::path file = folder_ / "rates.csv";
  WriteFileAtomic(file, rates);
  std::string text = kPortfolio;
  text.replace(text.find("FUNDING"), 7, file.string());
  const Json results = Run(text.c_str());
  EXPECT_EQ(results["trials"], 4 + 1);
  const Json& account = results["backtests"][0]["strategy"];
  std::set<std::string> symbols;
  double funding = 0;
  for (const Json& trade : account["trades"]) {
    symbols.insert(trade["symbol"].get<std::string>());
    funding += std::abs(trade["funding"].get<double>());
  }
  EXPECT_GT(symbols.size(), 1u);
  EXPECT_GT(funding, 0);
  EXPECT_EQ(results["backtests"][0]["buy_and_hold"]["name"], "all symbols in equal parts");
  // The ranking is of the panel's forecasts, whatever trades them.
  EXPECT_EQ(results["cross_section"]["ridge"]["buckets"].size(), 2u);
  EXPECT_FALSE(results["cross_section"].contains("naive"));
  // Other rates, another backtest.
  const RunResult again = RunRecipe(Load(text.c_str()), home(), {}, NoProgress());
  EXPECT_TRUE(again.did_nothing);
  WriteFileAtomic(file, rates + "AAA," + std::to_string(*ParseTime("2021-04-02")) + ",0.5\n");
  const RunResult other = RunRecipe(Load(text.c_str()), home(), {}, NoProgress());
  EXPECT_FALSE(other.did_nothing);
  // Rates that end before what is traded.
  WriteFileAtomic(file, rates.substr(0, rates.size() / 2));
  EXPECT_THROW(RunRecipe(Load(text.c_str()), home(), {}, NoProgress()), Error);
}

TEST_F(BacktestSectionTest, EveryConfigurationOfAGridIsATrial) {
  const Json results = Run(kSignal);
  EXPECT_EQ(results["trials"], 12 + 1);
  EXPECT_EQ(results["backtests"][0]["strategy"]["name"], "ensemble");
  EXPECT_EQ(results["backtests"][0]["deflated_sharpe"]["trials"], 13);
  // Every test for the best of many, over all of them.
  const Json& selection = results["selections"][0];
  EXPECT_EQ(selection["configurations"], 12);
  EXPECT_EQ(selection["deflated_sharpe"]["trials"], 13);
  EXPECT_TRUE(selection["overfitting"]["probability"].is_number());
  EXPECT_TRUE(selection["superior_ability"].is_object());
  bool listed = false;
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder_ / "home")) {
    listed = listed || file.path().filename() == "grid-ensemble.csv";
  }
  EXPECT_TRUE(listed);
}

}  // namespace
}  // namespace almanac
