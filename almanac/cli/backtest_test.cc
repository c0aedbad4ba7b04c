// almanac backtest over what a run left, over foreign tables, and used wrongly.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "almanac/base/file.h"
#include "almanac/cli/program_for_test.h"

namespace almanac {
namespace fs = std::filesystem;
namespace {

using ::testing::HasSubstr;

constexpr char kRecipe[] = R"(name: traded
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
  exits: {stop_loss: 0.02}
  grid: {threshold: [0, 0.0001], stop_loss: [0.01, 0.02]}
report: {pictures: false}
)";

class BacktestCommandTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_.Write("traded.yaml", kRecipe);
    const ProgramEnd end = folder_.Run({"run", "traded.yaml", "--json"});
    ASSERT_EQ(end.status, 0) << end.err;
    const Json document = end.json();
    run_ = document["run"];
    result_ = document["results"].begin().value()["backtests"][0];
    for (const Json& stage : document["stages"]) {
      if (stage["stage"] == "train") artifacts_.push_back(stage["artifact"]);
    }
  }
  ProgramEnd Backtest(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"backtest", "traded.yaml", "--forecasts"});
    return folder_.Run(arguments);
  }

  ProgramFolder folder_;
  std::string run_;
  Json result_;
  std::vector<std::string> artifacts_;
};

TEST_F(BacktestCommandTest, OfARunIsTheRunsBacktest) {
  const ProgramEnd end = Backtest({"traded", "--json"});
  ASSERT_EQ(end.status, 0) << end.err;
  const Json account = end.json()[0];
  // The grid's best, on the test part, with every trial counted: the run's own and these.
  EXPECT_EQ(account["strategy"]["performance"], result_["strategy"]["performance"]);
  EXPECT_EQ(account["strategy"]["trades"], result_["strategy"]["trades"]);
  EXPECT_EQ(account["deflated_sharpe"]["trials"], 10);
  const ProgramEnd text = Backtest({"traded"});
  EXPECT_THAT(text.out, HasSubstr("traded: the run " + run_));
  EXPECT_THAT(text.out, HasSubstr("judged: the test part"));
  EXPECT_THAT(text.out, HasSubstr("of 4 configurations"));
  // The same again is the same trials.
  EXPECT_EQ(Backtest({run_.substr(0, run_.size() - 2), "--json"}).json()[0]["deflated_sharpe"],
            account["deflated_sharpe"]);
}

TEST_F(BacktestCommandTest, OtherPartsAreJudgedWhereItIsSaid) {
  const auto bars = [&](const std::string& part) {
    folder_.Write(
        "plain.yaml",
        std::string(kRecipe).replace(
            std::string(kRecipe).find("  grid:"),
            std::string(kRecipe).find("report:") - std::string(kRecipe).find("  grid:"), ""));
    const ProgramEnd end =
        folder_.Run({"backtest", "plain.yaml", "--forecasts", run_, "--part", part, "--json"});
    EXPECT_EQ(end.status, 0) << end.err;
    return end.json()[0]["strategy"]["performance"];
  };
  const Json test = bars("test"), validation = bars("validation"), all = bars("all");
  EXPECT_LT(validation["last_time"].get<std::string>(), test["first_time"].get<std::string>());
  EXPECT_EQ(all["first_time"], validation["first_time"]);
  EXPECT_EQ(all["last_time"], test["last_time"]);
}

TEST_F(BacktestCommandTest, AnArtifactKnowsItsSplitAndAForeignTableHasToBeToldIt) {
  ASSERT_GE(artifacts_.size(), 2u);
  const std::string ridge = artifacts_[1];
  const std::vector<std::string> alone = {"--set", "backtest.models=[ridge]"};
  const auto with = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), alone.begin(), alone.end());
    return Backtest(arguments);
  };
  const ProgramEnd known = with({ridge, "--json"});
  ASSERT_EQ(known.status, 0) << known.err;
  fs::copy_file(fs::path(ridge) / "forecasts.parquet", folder_.path() / "table.parquet");
  const ProgramEnd refused = with({"table.parquet"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr("which of its forecasts are of a test part is not known"));
  const std::string from = known.json()[0]["strategy"]["performance"]["first_time"];
  const std::string split = "split={validation_from: 2021-04-01, test_from: \"" + from + "\"}";
  const ProgramEnd told = with({"table.parquet", "--json", "--set", split});
  ASSERT_EQ(told.status, 0) << told.err;
  EXPECT_EQ(told.json()[0]["strategy"]["performance"], known.json()[0]["strategy"]["performance"]);
  // A grid needs rows before what is judged.
  const ProgramEnd grid = with({"table.parquet", "--from", from});
  EXPECT_EQ(grid.status, 2);
  EXPECT_THAT(grid.err, HasSubstr("a grid is chosen on the validation part"));
}

TEST_F(BacktestCommandTest, WrongUseSaysWhatWouldBeRight) {
  const auto message = [&](const std::vector<std::string>& arguments, int status) {
    const ProgramEnd end = Backtest(arguments);
    EXPECT_EQ(end.status, status) << end.err;
    return end.err;
  };
  EXPECT_THAT(message({"tradet"}, 2), HasSubstr("the runs are " + run_));
  EXPECT_THAT(message({run_, "--part", "tset"}, 2), HasSubstr("test"));
  EXPECT_THAT(message({run_, "--from", "soon"}, 2), HasSubstr("--from"));
  EXPECT_THAT(message({run_, "--from", "2031-01-01"}, 2),
              HasSubstr("no forecasts of the test part"));
  EXPECT_THAT(message({run_, "--set", "backtest.signal=probability"}, 2),
              HasSubstr("gives no probabilities"));
  EXPECT_THAT(message({artifacts_[0]}, 2), HasSubstr("none of the models"));
  folder_.Write("bad.parquet", "no table");
  EXPECT_THAT(message({"bad.parquet"}, 3), HasSubstr("bad.parquet"));
}

}  // namespace
}  // namespace almanac
