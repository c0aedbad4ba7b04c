#include "almanac/pipeline/backtest_section.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

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
}

TEST_F(BacktestSectionTest, APanelIsOneRunOfAllSymbols) {
  const Json results = Run(kPanel);
  EXPECT_EQ(results["trials"], 2);  // ridge and momentum
  ASSERT_EQ(results["backtests"].size(), 2u);
  EXPECT_EQ(results["backtests"][0]["buy_and_hold"]["name"], "all symbols in equal parts");
  EXPECT_FALSE(results["backtests"][0]["strategy"]["trades"].empty());
  EXPECT_EQ(results["evaluations"].size(), 2u);
  // Again: nothing is made, and nothing counted.
  const RunResult again = RunRecipe(Load(kPanel), home(), {}, NoProgress());
  EXPECT_TRUE(again.did_nothing);
}

TEST_F(BacktestSectionTest, EveryConfigurationOfAGridIsATrial) {
  const Json results = Run(kSignal);
  EXPECT_EQ(results["trials"], 12 + 1);
  EXPECT_EQ(results["backtests"][0]["strategy"]["name"], "ensemble");
  EXPECT_EQ(results["backtests"][0]["deflated_sharpe"]["trials"], 13);
  bool listed = false;
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder_ / "home")) {
    listed = listed || file.path().filename() == "grid-ensemble.csv";
  }
  EXPECT_TRUE(listed);
}

}  // namespace
}  // namespace almanac
