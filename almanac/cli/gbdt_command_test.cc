// almanac gbdt explain | screen, run as a user runs them.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "almanac/base/file.h"
#include "almanac/base/text.h"
#include "almanac/cli/program_for_test.h"

namespace almanac {
namespace {

using ::testing::HasSubstr;

class GbdtCommands : public ::testing::Test {
 protected:
  // y rises with alpha, does not know beta.
  void Train() {
    std::string text = "y,alpha,beta\n";
    for (int i = 0; i < 400; ++i) {
      const double a = std::sin(i * 1.7), b = std::cos(i * 2.3);
      text += fmt::format("{},{},{}\n", a + 0.1 * std::sin(i * 9.1), a, b);
    }
    folder_.Write("data.csv", text);
    const ProgramEnd end = folder_.Run({"gbdt", "train", "--data", "data.csv", "--output", "m.txt",
                                        "num_iterations=20", "num_leaves=7"});
    ASSERT_EQ(end.status, 0) << end.err;
  }
  ProgramFolder folder_;
};

TEST_F(GbdtCommands, ExplainShowsImportanceShapAndPartialDependence) {
  Train();
  const ProgramEnd plain = folder_.Run({"gbdt", "explain", "--model", "m.txt"});
  ASSERT_EQ(plain.status, 0) << plain.err;
  EXPECT_THAT(plain.out, HasSubstr("splits"));
  const ProgramEnd end = folder_.Run({"gbdt", "explain", "--model", "m.txt", "--data", "data.csv",
                                      "--shap", "--partial", "alpha", "--partial", "alpha,beta",
                                      "--points", "9", "-o", "p.csv", "--json"});
  ASSERT_EQ(end.status, 0) << end.err;
  const Json json = end.json();
  EXPECT_EQ(json.at("rows"), 400);
  EXPECT_EQ(json.at("importance").at(0).at("column"), "alpha");
  EXPECT_GT(json.at("importance").at(0).at("mean_abs_shap"), 0.3);
  const Json points = json.at("partial_dependence").at(0).at("points");
  ASSERT_EQ(points.size(), 9U);
  EXPECT_GT(points.back().at("values").at(0).get<double>(),
            points.front().at("values").at(0).get<double>() + 1);
  EXPECT_EQ(json.at("partial_dependence").at(1).at("points").size(), 81U);
  const std::string csv = ReadFile(folder_.path() / "p.csv");
  EXPECT_EQ(Split(csv, '\n').size(), 1 + 9 + 81 + 1U);
  EXPECT_THAT(csv, HasSubstr("\nalpha*beta,"));
  const ProgramEnd paths = folder_.Run({"gbdt", "explain", "--model", "m.txt", "--data", "data.csv",
                                        "--partial", "alpha", "--method", "paths"});
  EXPECT_EQ(paths.status, 0) << paths.err;
  EXPECT_THAT(paths.out, HasSubstr("mean"));
}

TEST_F(GbdtCommands, ExplainRefusesWhatItCannotShow) {
  Train();
  const auto complaint = [&](std::vector<std::string> arguments, int status) {
    arguments.insert(arguments.begin(), {"gbdt", "explain", "--model", "m.txt"});
    const ProgramEnd end = folder_.Run(arguments);
    EXPECT_EQ(end.status, status);
    return end.err;
  };
  EXPECT_THAT(complaint({"--partial", "alpha"}, 2), HasSubstr("give --data FILE"));
  EXPECT_THAT(complaint({"--data", "data.csv", "--partial", "alpa"}, 2),
              HasSubstr("did you mean alpha?"));
  EXPECT_THAT(complaint({"--data", "data.csv", "--partial", "alpha,alpha"}, 2),
              HasSubstr("different"));
  EXPECT_THAT(complaint({"--data", "data.csv", "--partial", "alpha", "--method", "x"}, 2),
              HasSubstr("average"));
  EXPECT_THAT(complaint({"--output", "p.csv"}, 2), HasSubstr("is for partial dependence"));
}

// A market whose swings are decided by what one coin's bars show.
std::string Bars(int count, double phase) {
  std::string text = "timestamp_ms,open,high,low,close,volume\n";
  double last = 100;
  for (int i = 0; i < count; ++i) {
    const double close =
        100 + 3 * std::sin(i * 0.21 + phase) + 2 * std::sin(i * 0.057) + std::sin(i * 1.31 + phase);
    const double high = std::max(last, close) + 0.3 + 0.2 * std::sin(i * 2.9);
    const double low = std::min(last, close) - 0.3 - 0.2 * std::cos(i * 3.7);
    text += fmt::format("{},{:.6f},{:.6f},{:.6f},{:.6f},{:.3f}\n", 1704067200000 + i * 300000LL,
                        last, high, low, close, 10 + 5 * std::sin(i * 0.4));
    last = close;
  }
  return text;
}

const char* const kSweep = R"(
name: small-sweep
data: {market: test, timeframe: 5m}
features: {set: gru44}
grid: {symbols: [AAA, BBB], look_backs: [2, 3], sides: [high, low], std_devs: [0.5],
       thresholds: [0.5], horizons: [6, 12], variants: 16, groups: 8}
screen:
  least_rows: 60
  best_columns: 10
  least_chosen: 5
  most_chosen: 20
  parameters: {num_iterations: 8, early_stopping_round: 3, min_data_in_leaf: 5, seed: 1}
)";

TEST_F(GbdtCommands, ScreenChoosesColumnsAndCountsTrials) {
  folder_.Write("sweep.yaml", kSweep);
  for (const auto& [symbol, phase] : {std::pair{"AAA", 0.0}, std::pair{"BBB", 1.0}}) {
    folder_.Write("bars.csv", Bars(3000, phase));
    const ProgramEnd end = folder_.Run({"data", "import", "bars.csv", "--market", "test",
                                        "--symbol", symbol, "--timeframe", "5m"});
    ASSERT_EQ(end.status, 0) << end.err;
  }
  const ProgramEnd some =
      folder_.Run({"gbdt", "screen", "sweep.yaml", "--variants", "4", "--json"});
  ASSERT_EQ(some.status, 0) << some.err;
  EXPECT_EQ(some.json().at("variants_trained"), 4);
  const ProgramEnd all = folder_.Run({"gbdt", "screen", "sweep.yaml", "--json"});
  ASSERT_EQ(all.status, 0) << all.err;
  const Json json = all.json();
  EXPECT_EQ(json.at("variants_trained"), 16);
  EXPECT_EQ(json.at("variants_that_were_there"), 4);
  EXPECT_GE(json.at("columns").size(), 5U);
  const std::filesystem::path folder = json.at("folder").get<std::string>();
  EXPECT_TRUE(std::filesystem::exists(folder / "columns.txt"));
  const std::string selection = ReadFile(folder / "selection.json");
  const ProgramEnd again = folder_.Run({"gbdt", "screen", "sweep.yaml"});
  EXPECT_THAT(again.out, HasSubstr("16 of 16 variants (16 were there)"));
  EXPECT_EQ(ReadFile(folder / "selection.json"), selection);
  folder_.Write("wrong.yaml", std::string(kSweep) + "  best_colums: 7\n");
  const ProgramEnd wrong = folder_.Run({"gbdt", "screen", "wrong.yaml"});
  EXPECT_EQ(wrong.status, 2);
  EXPECT_THAT(wrong.err, HasSubstr("best_columns"));
}

}  // namespace
}  // namespace almanac
