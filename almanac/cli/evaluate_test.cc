// almanac evaluate on what a run leaves, on tables, and used wrongly.
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

class EvaluateCommandTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_.Write("small.yaml", SmallRecipe());
    const ProgramEnd end = folder_.Run({"run", "small.yaml", "--json"});
    ASSERT_EQ(end.status, 0) << end.err;
    const Json document = end.json();
    run_ = document["run"];
    results_ = document["results"].begin().value();
    for (const Json& stage : document["stages"]) {
      if (stage["stage"] == "train") artifacts_.push_back(stage["artifact"]);
    }
  }

  ProgramFolder folder_;
  std::string run_;
  Json results_;
  std::vector<std::string> artifacts_;
};

TEST_F(EvaluateCommandTest, SaysOfARunWhatTheRunSaid) {
  const ProgramEnd end = folder_.Run({"evaluate", run_, "--json", "--replicates", "20"});
  ASSERT_EQ(end.status, 0) << end.err;
  const Json horizon = end.json()["horizons"][0];
  for (const Json& model : horizon["models"]) {
    for (const Json& before : results_["evaluations"]) {
      if (before["model"] != model["model"]) continue;
      EXPECT_EQ(model["rows"], before["rows"]);
      EXPECT_EQ(model["metrics"][0]["model"]["value"], before["metrics"][0]["model"]["value"]);
      EXPECT_EQ(model["diebold_mariano"], before["diebold_mariano"]);
    }
  }
  EXPECT_EQ(horizon["comparison"]["models"].size(), horizon["models"].size() + 1);
  const ProgramEnd text = folder_.Run({"evaluate", run_, "--report", "judged"});
  EXPECT_THAT(text.out, HasSubstr("Models beside each other"));
  EXPECT_TRUE(fs::exists(folder_.path() / "judged" / "report.html"));
  EXPECT_TRUE(fs::exists(folder_.path() / "judged" / "evaluation.json"));
  EXPECT_TRUE(folder_.Leftovers().empty());
}

TEST_F(EvaluateCommandTest, TheSameSeedGivesTheSameBytesWithAnyThreads) {
  const ProgramEnd one = folder_.Run({"evaluate", run_, "--json", "--threads", "1"});
  const ProgramEnd many = folder_.Run({"evaluate", run_, "--json", "--threads", "3"});
  EXPECT_EQ(one.out, many.out);
}

TEST(EvaluatePanel, RanksTheSymbolsOfAPanelsRun) {
  ProgramFolder folder;
  folder.Write("panel.yaml", R"(name: panel
data:
  source: simulator
  symbols: [A, B, C, D, E, F]
  panel: true
  timeframe: 1h
  from: 2024-01-01
  to: 2024-02-15
features: [{family: log_return, windows: [1, 5]}]
target: {kind: forward_return, horizon: 2}
models: [{kind: ridge, lambda: [1]}]
backtest: {kind: panel, top_k: 2}
report: {pictures: false}
)");
  const ProgramEnd run = folder.Run({"run", "panel.yaml", "--json"});
  ASSERT_EQ(run.status, 0) << run.err;
  const std::string name = run.json()["run"];
  const ProgramEnd text = folder.Run({"evaluate", name});
  ASSERT_EQ(text.status, 0) << text.err;
  EXPECT_THAT(text.out, HasSubstr("Ranking of the symbols"));
  const Json before = run.json()["results"].begin().value()["evaluations"][0];
  const ProgramEnd end = folder.Run({"evaluate", name, "--json"});
  ASSERT_EQ(end.status, 0) << end.err;
  EXPECT_EQ(end.json()["horizons"][0]["models"][0]["rows"], before["rows"]);
}

TEST_F(EvaluateCommandTest, WrongUseSaysWhatWouldBeRight) {
  const auto message = [&](std::vector<std::string> arguments, int status) {
    arguments.insert(arguments.begin(), "evaluate");
    const ProgramEnd end = folder_.Run(arguments);
    EXPECT_EQ(end.status, status) << end.err;
    return end.err;
  };
  EXPECT_THAT(message({run_.substr(0, run_.size() - 1) + "x"}, 2), HasSubstr("did you mean"));
  EXPECT_THAT(message({artifacts_[0]}, 2), HasSubstr("add --market and --timeframe"));
  EXPECT_THAT(message({artifacts_[0], "--market", "nowhere", "--timeframe", "30m"}, 3),
              HasSubstr("nowhere"));
  EXPECT_THAT(message({run_, "--model", "lstm"}, 2), HasSubstr("--model lstm"));
  EXPECT_THAT(message({run_, "--to", "1999-01-01"}, 2), HasSubstr("no forecasts in that time"));
  EXPECT_THAT(message({run_, "--replicates", "-1"}, 2), HasSubstr("bootstrap.replicates"));
  EXPECT_THAT(message({run_, "--target", "{kind: direktion}"}, 2), HasSubstr("direction"));
  folder_.Write("bad.parquet", "no table");
  EXPECT_THAT(message({"bad.parquet", "--market", "m", "--timeframe", "1h"}, 3),
              HasSubstr("bad.parquet"));
}

}  // namespace
}  // namespace almanac
