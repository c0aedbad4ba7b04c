// almanac features list | build | bins | audit for shipped sets, run as a user runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "almanac/base/text.h"
#include "almanac/cli/program_for_test.h"
#include "almanac/dataset/bin_file.h"
#include "almanac/lake/matrix.h"

namespace almanac {
namespace {

using ::testing::HasSubstr;

class FeatureCommands : public ::testing::Test {
 protected:
  void ImportTwoSymbols() {
    folder_.Write("bars.csv", GoodCsv(400));
    for (const char* symbol : {"BTCUSDT", "ETHUSDT"}) {
      const ProgramEnd end = folder_.Run({"data", "import", "bars.csv", "--market", "test",
                                          "--symbol", symbol, "--timeframe", "30m"});
      ASSERT_EQ(end.status, 0) << end.err;
    }
  }
  ProgramFolder folder_;
};

TEST_F(FeatureCommands, ListTellsEveryColumnOfASet) {
  const ProgramEnd end = folder_.Run({"features", "list", "--set", "gru44", "--json"});
  ASSERT_EQ(end.status, 0) << end.err;
  const Json columns = end.json();
  ASSERT_EQ(columns.size(), 44U);
  for (const char* key :
       {"name", "formula", "parameters", "unit", "range", "look_back", "known_at", "source"}) {
    EXPECT_TRUE(columns[0].contains(key)) << key;
  }
}

TEST_F(FeatureCommands, ListsFitOneHundredColumnsAndLeaveNothingOut) {
  for (const std::vector<std::string>& of :
       {std::vector<std::string>{}, {"--set", "alpha158"}, {"--set", "gru44"}}) {
    std::vector<std::string> arguments = {"features", "list"};
    arguments.insert(arguments.end(), of.begin(), of.end());
    const ProgramEnd end = folder_.Run(arguments);
    ASSERT_EQ(end.status, 0) << end.err;
    for (const std::string_view line : Split(end.out, '\n')) EXPECT_LE(line.size(), 100U) << line;
    arguments.push_back("--json");
    const Json json = folder_.Run(arguments).json();
    // Line ends and indents are where spaces were.
    std::string text;
    for (const char c : end.out) {
      if (c != '\n' && c != ' ') text += c;
    }
    for (const Json& entry : json) {
      std::string formula;
      for (const char c : entry.at("formula").get<std::string>()) {
        if (c != ' ') formula += c;
      }
      EXPECT_THAT(text, HasSubstr(formula));
      EXPECT_THAT(end.out, HasSubstr(entry.at("name").get<std::string>() + ": "));
    }
  }
}

TEST_F(FeatureCommands, SwingHasFiveThousandColumnsACoin) {
  const auto count = [&](const std::string& symbols) {
    return folder_.Run({"features", "list", "--set", "swing", "--symbols", symbols, "--json"})
        .json()
        .size();
  };
  EXPECT_GE(count("BTCUSDT,ETHUSDT,SOLUSDT"), 15000U);
  EXPECT_NEAR(static_cast<double>(count("BTCUSDT")), 5000, 250);
}

TEST_F(FeatureCommands, BuildAndAuditOfASetTakeTheFrameOfItsSymbols) {
  ImportTwoSymbols();
  const std::vector<std::string> set = {"--set",     "gru44",           "--timeframe", "30m",
                                        "--symbols", "BTCUSDT,ETHUSDT", "--json"};
  std::vector<std::string> build = {"features", "build", "--out", "matrix"};
  build.insert(build.end(), set.begin(), set.end());
  const ProgramEnd built = folder_.Run(build);
  ASSERT_EQ(built.status, 0) << built.err;
  EXPECT_EQ(built.json().at("columns"), 88);
  const Matrix matrix(folder_.path() / "matrix");
  VerifyMatrix(folder_.path() / "matrix");
  EXPECT_EQ(matrix.rows(), 400U);
  EXPECT_EQ(matrix.names()[0].name, "BTCUSDT_log_return_1");
  EXPECT_EQ(matrix.names()[44].name, "ETHUSDT_log_return_1");

  std::vector<std::string> audit = {"features", "audit", "--cuts", "2"};
  audit.insert(audit.end(), set.begin(), set.end());
  const ProgramEnd audited = folder_.Run(audit);
  ASSERT_EQ(audited.status, 0) << audited.err;
  EXPECT_EQ(audited.json()[0].at("columns"), 88);
  EXPECT_EQ(audited.json()[0].at("passed"), true);
}

TEST_F(FeatureCommands, BinsOfASetArePrunedAndOnceMade) {
  ImportTwoSymbols();
  const auto bins = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"features",    "bins", "--set",     "gru44",
                                          "--timeframe", "30m",  "--symbols", "BTCUSDT,ETHUSDT",
                                          "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return folder_.Run(arguments);
  };
  const ProgramEnd every = bins({"--out", "every"});
  ASSERT_EQ(every.status, 0) << every.err;
  Json report = every.json();
  EXPECT_GT(report.at("peak_memory").get<int64_t>(), 0);
  report.erase("peak_memory");
  EXPECT_EQ(report.at("columns"), 88);
  EXPECT_EQ(report.at("rows"), 400);
  EXPECT_EQ(report.at("training_rows"), 280);
  // The second symbol's bars are the first's: its columns repeat them.
  EXPECT_GE(report.at("reasons").at("correlation").get<int>(), 30);
  const BinFile file(folder_.path() / "every" / "columns.bins");
  file.Verify();
  EXPECT_EQ(file.columns(), report.at("kept").size());
  Json again = bins({"--out", "every"}).json();
  again.erase("peak_memory");
  EXPECT_EQ(again, report);

  const ProgramEnd events =
      bins({"--out", "events", "--target", "{kind: swing, side: high, look_back: 2, horizon: 4}"});
  ASSERT_EQ(events.status, 0) << events.err;
  EXPECT_LT(events.json().at("rows").get<int>(), 200);
  EXPECT_EQ(bins({"--out", "x", "--memory", "4"}).status, 2);
  EXPECT_EQ(bins({"--out", "x", "--target", "{kind: none}"}).status, 2);
  EXPECT_EQ(bins({"--out", "x", "--target", "{kind: swing}", "--target-symbol", "A"}).status, 2);
  const ProgramEnd little = bins({"--out", "x", "--memory", "10MB"});
  EXPECT_EQ(little.status, 1);
  EXPECT_THAT(little.err, HasSubstr("10 MiB are allowed and at least"));
}

TEST_F(FeatureCommands, WrongUseSaysWhatWouldBeRight) {
  const auto message = [&](std::vector<std::string> arguments, int status) {
    arguments.insert(arguments.begin(), "features");
    const ProgramEnd end = folder_.Run(arguments);
    EXPECT_EQ(end.status, status) << end.err;
    return end.err;
  };
  EXPECT_THAT(message({"list", "--set", "swng"}, 2), HasSubstr("did you mean \"swing\"?"));
  EXPECT_THAT(message({"build", "--out", "m"}, 2), HasSubstr("neither a recipe nor a set"));
  EXPECT_THAT(message({"build", "--out", "m", "--set", "swing"}, 2),
              HasSubstr("--symbols BTCUSDT,ETHUSDT"));
  EXPECT_THAT(message({"audit", "r.yaml", "--set", "swing", "--symbols", "A"}, 2),
              HasSubstr("a recipe is given too"));
  EXPECT_THAT(message({"bins", "--out", "m", "r.yaml"}, 2), HasSubstr("name it with --set"));
  EXPECT_THAT(message({"audit", "--set", "gru44", "--symbols", "DOGE"}, 3),
              HasSubstr("the lake has no such bars"));
}

}  // namespace
}  // namespace almanac
