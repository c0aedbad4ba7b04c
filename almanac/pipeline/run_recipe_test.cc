// Whole runs of recipes on a simulated market: every kind of target and split.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/test_folder.h"
#include "almanac/feature/build.h"
#include "almanac/forecast/table.h"
#include "almanac/lake/candle_store.h"
#include "almanac/lake/database.h"
#include "almanac/lake/matrix.h"
#include "almanac/lake/observation.h"
#include "almanac/pipeline/pipeline.h"

namespace almanac {
namespace {

using testing::HasSubstr;

// Top-level keys and what they hold.
const std::map<std::string, std::string> kSections = {
    {"name", "small"},
    {"data",
     "{source: simulator, symbols: [AAA], timeframe: 1h, from: 2023-01-01, to: 2023-03-01}"},
    {"features",
     "[{family: log_return, windows: [1, 4, 24]}, {family: realised_volatility, windows: [12, 48]},"
     " {family: range_position, windows: 24}]"},
    {"target", "{kind: direction, horizon: 4, threshold: 0.002}"},
    {"split", "{validation: 0.15, test: 0.20}"},
    {"models",
     "[{kind: naive}, {kind: gbdt, parameters: {num_iterations: 20, num_leaves: 7,"
     " min_data_in_leaf: 10, learning_rate: 0.1}}]"},
    {"evaluate", "{replicates: 50, seed: 1}"},
    {"leak_audit", "{cuts: 1}"},
    {"report", "{pictures: false}"}};

class RunRecipeTest : public testing::Test {
 protected:
  // "KEY=YAML" replaces a whole section, "KEY.SUBKEY=YAML" a value of one.
  Recipe Load(const std::vector<std::string>& changes) const {
    std::map<std::string, std::string> sections = kSections;
    ConfigOptions options;
    for (const std::string& change : changes) {
      const size_t sign = change.find('=');
      const std::string key = change.substr(0, sign);
      if (key.find('.') == std::string::npos) {
        sections[key] = change.substr(sign + 1);
      } else {
        options.sets.push_back(change);
      }
    }
    std::string text;
    for (const auto& [key, value] : sections) text += key + ": " + value + "\n";
    WriteFileAtomic(folder_ / "recipe.yaml", text);
    return LoadRecipe(folder_ / "recipe.yaml", options, home_);
  }
  RunResult Run(const std::vector<std::string>& sets) const {
    return RunRecipe(Load(sets), home_, {}, NoProgress());
  }
  std::string Refusal(const std::vector<std::string>& sets) const {
    try {
      Load(sets);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
      return error.what();
    }
    return "accepted";
  }
  // All forecasts of the run's models, of all of their folds.
  static ForecastTable Forecasts(const RunResult& result) {
    ForecastTable table;
    for (const StageReport& stage : result.stages) {
      if (stage.stage != "train") continue;
      table.Append(ForecastTable::Load(stage.artifact / "forecasts.parquet"));
    }
    table.Sort();
    table.Validate();
    return table;
  }
  static Json JsonOf(const RunResult& result, const std::string& stage, const char* file) {
    for (const StageReport& report : result.stages) {
      if (report.stage == stage) return Json::parse(ReadFile(report.artifact / file));
    }
    return {};
  }
  CandleSeries Bars(const Recipe& recipe) const {
    return CandleStore(home_).Read(recipe.data.Keys().front());
  }

  TestFolder folder_;
  Home home_{folder_ / "home"};
};

// The rows of a model and the columns of its probabilities.
std::vector<double> Probability(const ForecastTable& table, size_t row,
                                const std::vector<std::string>& classes) {
  std::vector<double> values;
  for (const std::string& name : classes) {
    for (const ForecastTable::Extra& extra : table.extra) {
      if (extra.name == "p_" + name) values.push_back(extra.values[row]);
    }
  }
  return values;
}

TEST_F(RunRecipeTest, AClassTargetIsForecastInProbabilitiesAndJudgedBesideItsFrequencies) {
  const Recipe recipe = Load({});
  const RunResult result = Run({});
  const Json classes = Json::parse(result.results.front().second).at("classes");
  const Json& judged = classes.at("horizons").at(0).at("classes").at("gbdt");

  // The log loss once more, from the table and the labels.
  const Labels labels = BuildLabels(recipe.target, Bars(recipe));
  std::map<TimeMs, double> happened;
  for (size_t i = 0; i < labels.rows(); ++i) happened[labels.t0[i]] = labels.value[i];
  const Json split = JsonOf(result, "dataset", "split.json");
  const TimeMs test_from = *ParseTime(split.at("test_from").get<std::string>());
  const TimeMs validation_from = *ParseTime(split.at("validation_from").get<std::string>());
  const ForecastTable table = Forecasts(result);
  std::vector<double> frequency(3, 0.5);
  double learnt = 1.5;
  for (size_t i = 0; i < labels.rows(); ++i) {
    if (std::isnan(labels.value[i]) || labels.t1[i] >= validation_from) continue;
    frequency[static_cast<size_t>(labels.value[i])] += 1;
    learnt += 1;
  }
  double loss = 0, naive_loss = 0;
  size_t rows = 0, naive_rows = 0;
  for (size_t row = 0; row < table.rows(); ++row) {
    EXPECT_TRUE(std::isnan(table.value[row]));
    const std::vector<double> p = Probability(table, row, labels.classes);
    ASSERT_EQ(p.size(), 3u);
    EXPECT_NEAR(p[0] + p[1] + p[2], 1, 1e-9);
    const double actual = happened.at(table.made_at[row]);
    if (table.made_at[row] < test_from || std::isnan(actual)) continue;
    const bool naive = table.model[row] == "naive";
    if (naive) {
      for (size_t c = 0; c < 3; ++c) EXPECT_NEAR(p[c], frequency[c] / learnt, 1e-12);
    }
    (naive ? naive_rows : rows) += 1;
    (naive ? naive_loss : loss) -= std::log(p[static_cast<size_t>(actual)]);
  }
  ASSERT_GT(rows, 200u);
  EXPECT_EQ(rows, naive_rows);
  EXPECT_EQ(judged.at("rows").get<size_t>(), rows);
  const auto value = [](const Json& estimate) { return estimate.at("value").get<double>(); };
  EXPECT_NEAR(value(judged.at("log_loss").at("model")), loss / static_cast<double>(rows), 1e-12);
  EXPECT_NEAR(value(judged.at("log_loss").at("naive")), naive_loss / static_cast<double>(rows),
              1e-12);
  EXPECT_THAT(ReadFile(result.reports.front()), HasSubstr("Class forecasts"));
  EXPECT_THAT(result.summary, HasSubstr("Log loss"));
}

TEST_F(RunRecipeTest, SwingModelsLearnFromEventsAloneAndForecastThemAlone) {
  const std::vector<std::string> sets = {
      "target={kind: swing, side: low, look_back: 3, std_dev: 0.5, threshold: 0.5, horizon: 12}"};
  const Recipe recipe = Load(sets);
  const RunResult result = Run(sets);
  const CandleSeries bars = Bars(recipe);
  const Labels labels = BuildLabels(recipe.target, bars);
  ASSERT_GT(labels.rows(), 80u);
  const std::set<TimeMs> events(labels.t0.begin(), labels.t0.end());
  const Json split = JsonOf(result, "dataset", "split.json");
  const auto count = [&](const char* part) { return split.at(part).get<size_t>(); };
  EXPECT_EQ(
      count("training_rows") + count("validation_rows") + count("test_rows") + count("purged_rows"),
      labels.rows());
  const ForecastTable table = Forecasts(result);
  EXPECT_EQ(table.rows(), 2 * (count("validation_rows") + count("test_rows")));
  for (size_t row = 0; row < table.rows(); ++row) {
    EXPECT_TRUE(events.contains(table.made_at[row]));
  }
  EXPECT_EQ(table.extra.size(), 3u);
  EXPECT_THAT(ReadFile(result.reports.front()), HasSubstr("low_breakout"));
  // None of the models looks back, so the other rows are not kept.
  for (const StageReport& stage : result.stages) {
    if (stage.stage != "features") continue;
    const Matrix matrix(stage.artifact / "matrix");
    EXPECT_TRUE(std::equal(matrix.index().begin(), matrix.index().end(), labels.t0.begin(),
                           labels.t0.end()));
  }
}

TEST_F(RunRecipeTest, EveryTargetOfClassesRuns) {
  for (const char* target :
       {"target={kind: price_change, up: 0.01, down: 0.01, horizon: 24}",
        "target={kind: triple_barrier, upper: 2, lower: 2, horizon: 24, volatility_span: 50}"}) {
    const RunResult result = Run({target});
    const Json classes = Json::parse(result.results.front().second).at("classes");
    EXPECT_EQ(classes.at("horizons").at(0).at("classes").size(), 1u) << target;
  }
}

TEST_F(RunRecipeTest, AVolatilityIsJudgedAsOneBesideThatOfTheLastEquallyLongTime) {
  const std::vector<std::string> recipe = {"target={kind: forward_volatility, horizon: 24}",
                                           "models=[{kind: ridge, lambda: 1}, {kind: drift}]",
                                           "report={pictures: true}"};
  const RunResult result = Run(recipe);
  const ForecastTable table = Forecasts(result);
  EXPECT_EQ(table.quantity, Quantity::kVolatility);

  // The naive forecasts and their mean absolute error once more, from the bars.
  const CandleSeries bars = Bars(Load(recipe));
  const auto volatility = [&](size_t from) {
    double sum = 0;
    for (size_t k = from + 1; k <= from + 24; ++k) {
      sum += std::pow(std::log(bars.close[k] / bars.close[k - 1]), 2);
    }
    return std::sqrt(sum);
  };
  const Json split = JsonOf(result, "dataset", "split.json");
  const TimeMs test_from = *ParseTime(split.at("test_from").get<std::string>());
  double sum = 0, count = 0;
  for (size_t row = 0; row < table.rows(); ++row) {
    if (table.model[row] != "naive") continue;
    size_t bar = 0;
    while (bars.KnownAt(bar) != table.made_at[row]) ++bar;
    EXPECT_NEAR(table.value[row], volatility(bar - 24), 1e-12);
    if (table.made_at[row] < test_from || bar + 24 >= bars.size()) continue;
    sum += std::abs(volatility(bar) - table.value[row]);
    count += 1;
  }
  const Json results = Json::parse(result.results.front().second);
  EXPECT_TRUE(results.at("backtests").empty());
  const Json& mae = results.at("evaluations").at(0).at("metrics").at(0);
  EXPECT_EQ(mae.at("space"), "volatility");
  EXPECT_EQ(mae.at("metric"), "mae");
  EXPECT_NEAR(mae.at("naive").at("value").get<double>(), sum / count, 1e-12);

  for (const StageReport& stage : result.stages) {
    if (stage.stage != "report") continue;
    const std::string html = ReadFile(stage.artifact / "report.html");
    EXPECT_THAT(html, HasSubstr("Metrics of the forecast volatility"));
    EXPECT_THAT(html, HasSubstr("QLIKE"));
    EXPECT_THAT(html, testing::Not(HasSubstr("of the forecast price")));
    EXPECT_THAT(html, testing::Not(HasSubstr("forecast return")));
  }
}

// What a fold forecasts is what a recipe of that fold alone forecasts.
TEST_F(RunRecipeTest, WalkingForwardTrainsAModelAFoldAndJudgesAllTheirTestRowsTogether) {
  const std::vector<std::string> numbers = {"target={kind: forward_return, horizon: 4}",
                                            "models=[{kind: ridge, lambda: 10}]",
                                            "backtest={threshold: 0.001}"};
  std::vector<std::string> folds = numbers, alone = numbers;
  folds.push_back("split={scheme: expanding, train: 20d, test: 10d, embargo: 1h}");
  const RunResult walked = Run(folds);
  EXPECT_TRUE(Run(folds).did_nothing);
  const Json split = JsonOf(walked, "dataset", "split.json");
  ASSERT_EQ(split.at("folds").size(), 4u);
  const ForecastTable table = Forecasts(walked);
  const Json& second = split.at("folds").at(1);
  const std::string from = second.at("test_from").get<std::string>();
  const TimeMs to = *ParseTime(second.at("test_to").get<std::string>());
  alone.push_back("split={validation_from: \"" + from + "\", test_from: \"" + from +
                  "\", embargo: 1h}");
  const ForecastTable expected = Forecasts(Run(alone));
  size_t compared = 0;
  for (size_t row = 0; row < expected.rows(); ++row) {
    if (expected.model[row] != "ridge" || expected.made_at[row] > to) continue;
    const auto found = std::find(table.made_at.begin(), table.made_at.end(), expected.made_at[row]);
    for (auto it = found; it != table.made_at.end(); ++it) {
      const auto other = static_cast<size_t>(it - table.made_at.begin());
      if (*it != expected.made_at[row] || table.model[other] != "ridge") continue;
      EXPECT_EQ(table.value[other], expected.value[row]);
      ++compared;
    }
  }
  EXPECT_EQ(compared, 240u);
  const Json results = Json::parse(walked.results.front().second);
  EXPECT_EQ(results.at("trials"), 1) << "folds are one configuration";
  // All test rows but the last whose return is not known yet.
  EXPECT_EQ(results.at("evaluations").at(0).at("rows").get<size_t>(), table.rows() / 2 - 4);
}

TEST_F(RunRecipeTest, PurgedFoldsForecastEveryRowOnceAndSayWhatThatMeans) {
  const RunResult result = Run({"split={scheme: purged_k_fold, folds: 4}"});
  const ForecastTable table = Forecasts(result);
  const Recipe recipe = Load({});
  EXPECT_EQ(table.rows(), 2 * Bars(recipe).size());
  EXPECT_THAT(ReadFile(result.reports.front()), HasSubstr("purged k-fold: models learn from rows"));
}

// Four blocks, two of them the test part: six folds, three paths.
TEST_F(RunRecipeTest, CombinatorialFoldsAreJudgedByTheirMeanAndPathByPath) {
  const std::vector<std::string> changes = {
      "target={kind: forward_return, horizon: 4}", "models=[{kind: ridge, lambda: 10}]",
      "split={scheme: combinatorial, groups: 4, test_groups: 2, embargo: 1h}",
      "backtest={threshold: 0.001}"};
  const RunResult result = Run(changes);
  EXPECT_TRUE(Run(changes).did_nothing);
  std::vector<ForecastTable> folds;
  std::filesystem::path evaluated;
  for (const StageReport& stage : result.stages) {
    if (stage.stage == "train" && stage.detail.starts_with("ridge")) {
      folds.push_back(ForecastTable::Load(stage.artifact / "forecasts.parquet"));
    }
    if (stage.stage == "evaluate") evaluated = stage.artifact;
  }
  ASSERT_EQ(folds.size(), 6u);
  // Of each row by hand: its forecasts in the order of the folds.
  std::map<TimeMs, std::vector<double>> expected;
  for (const ForecastTable& fold : folds) {
    for (size_t row = 0; row < fold.rows(); ++row) {
      expected[fold.made_at[row]].push_back(fold.value[row]);
    }
  }
  const ResultTable paths =
      Database().Query("SELECT path, made_at, value FROM " +
                       SqlText((evaluated / "paths.parquet").string()) + " WHERE model = 'ridge'");
  ASSERT_EQ(paths.rows, 3 * expected.size());
  for (size_t row = 0; row < paths.rows; ++row) {
    const int64_t path = paths.Column("path", ColumnType::kInt64).integers[row];
    const TimeMs made_at = paths.Column("made_at", ColumnType::kTimestampMs).integers[row];
    ASSERT_EQ(paths.Column("value", ColumnType::kDouble).doubles[row],
              expected.at(made_at).at(static_cast<size_t>(path - 1)));
  }
  for (const auto& [time, values] : expected) ASSERT_EQ(values.size(), 3u);

  const Json results = Json::parse(result.results.front().second);
  EXPECT_EQ(results.at("trials"), 1) << "paths are one configuration";
  EXPECT_EQ(results.at("evaluations").at(0).at("rows").get<size_t>(), expected.size() - 4);
  const Json& forecasts = results.at("paths").at("forecasts");
  EXPECT_EQ(forecasts.at(0).at("figure"), "mae");
  ASSERT_EQ(forecasts.at(0).at("paths").size(), 3u);
  const CandleSeries bars = Bars(Load(changes));
  double error = 0, naive = 0;
  size_t judged = 0;
  for (size_t i = 0; i + 4 < bars.size(); ++i) {
    const auto found = expected.find(bars.KnownAt(i));
    if (found == expected.end()) continue;
    const double actual = bars.close[i + 4] / bars.close[i] - 1;
    error += std::abs(actual - found->second[1]);
    naive += std::abs(actual);
    ++judged;
  }
  const auto count = static_cast<double>(judged);
  EXPECT_NEAR(forecasts.at(0).at("paths").at(1).get<double>(), error / count, 1e-12);
  EXPECT_NEAR(forecasts.at(0).at("naive").at(1).get<double>(), naive / count, 1e-12);
  const Json& accounts = results.at("paths").at("accounts");
  EXPECT_EQ(accounts.at(0).at("figure"), "annual_sharpe");
  EXPECT_EQ(accounts.at(1).at("paths").size(), 3u);
  EXPECT_THAT(ReadFile(result.reports.front()), HasSubstr("Forecasts on each path"));
}

TEST_F(RunRecipeTest, CombinatorialFoldsForecastClassesToo) {
  const RunResult result = Run({"split={scheme: combinatorial, groups: 3, test_groups: 2}"});
  const Json results = Json::parse(result.results.front().second);
  const Json& forecasts = results.at("paths").at("forecasts");
  EXPECT_EQ(forecasts.at(0).at("figure"), "log_loss");
  EXPECT_EQ(forecasts.at(0).at("paths").size(), 2u);
  EXPECT_GT(forecasts.at(0).at("least").get<double>(), 0);
}

// The artifact of a stage.
std::filesystem::path ArtifactOf(const RunResult& result, const std::string& stage) {
  for (const StageReport& report : result.stages) {
    if (report.stage == stage) return report.artifact;
  }
  return {};
}

TEST_F(RunRecipeTest, ColumnsArePrunedOnEachFoldsTrainingRowsAndByLineage) {
  const std::vector<std::string> sets = {
      "target={kind: forward_return, horizon: 4}",
      "models=[{kind: ridge, lambda: 10}]",
      "backtest={models: []}",
      "prune={max_correlation: 0.99}",
      "split={scheme: expanding, train: 30d, test: 10d}",
      "features=[{family: log_return, windows: [1, 4]},"
      " {expression: \"3 * log(close / lag(close, 4))\", name: again},"
      " {expression: \"0 * close\", name: nothing},"
      " {family: observation, feature: forward_return_4, fields: last, transforms: diff_1}]"};
  // What will have happened, collected beside other observations under a harmless column's name.
  Run({});
  const CandleSeries bars = Bars(Load({}));
  std::vector<Observation> leaked;
  for (size_t i = 0; i + 4 < bars.size(); ++i) {
    const TimeMs known = bars.KnownAt(i);
    leaked.push_back({known, bars.close[i + 4] / bars.close[i] - 1, "float", known, "AAA",
                      "forward_return_4", "event"});
  }
  ObservationStore(home_).Upsert(leaked);
  const RunResult result = Run(sets);
  const Json prune = JsonOf(result, "dataset", "prune.json");
  ASSERT_EQ(prune.size(), 3u) << "one report a fold";
  for (const Json& fold : prune) {
    EXPECT_EQ(fold.at("kept"), Json({"log_return_1", "log_return_4"}));
    std::map<std::string, std::string> reasons;
    for (const Json& column : fold.at("pruned")) reasons[column.at("name")] = column.at("reason");
    EXPECT_EQ(reasons, (std::map<std::string, std::string>{
                           {"again", "correlation"},
                           {"nothing", "one_value"},
                           {"forward_return_4_event_last_diff_1", "lineage"}}));
  }
  EXPECT_LT(prune[0].at("rows"), prune[1].at("rows"));
  Json learnt;
  for (const StageReport& stage : result.stages) {
    if (stage.detail != "ridge fold 1/3 AAA") continue;
    learnt = Json::parse(ReadFile(stage.artifact / "training.json"));
  }
  EXPECT_EQ(learnt.at("rows").get<size_t>() + learnt.at("dropped").get<size_t>(),
            prune[0].at("rows").get<size_t>());
  EXPECT_THAT(ReadFile(result.reports.front()),
              HasSubstr("2 of 5 kept; gone: 1 one_value, 1 correlation, 1 lineage"));
}

TEST_F(RunRecipeTest, OneSymbolIsForecastFromTheBarsOfTwo) {
  const std::vector<std::string> sets = {
      "data.frame=[AAA, BBB]",
      "features=[{family: log_return, windows: 4}, {family: rsi, windows: 14, symbols: BBB},"
      " {family: cross_beta, windows: 24, symbols: AAA, against: BBB}]"};
  const RunResult result = Run(sets);
  const Matrix matrix(ArtifactOf(result, "features") / "matrix");
  std::vector<std::string> names;
  for (const MatrixColumn& column : matrix.names()) names.push_back(column.name);
  EXPECT_EQ(names, (std::vector<std::string>{"AAA_log_return_4", "AAA_cross_beta_24_BBB",
                                             "BBB_log_return_4", "BBB_rsi_14"}));
  const Recipe recipe = Load(sets);
  const CandleSeries other = CandleStore(home_).Read(recipe.data.KeyOf("BBB"));
  const FeatureTable alone = BuildFeatures(FeatureSet({{"rsi", {{"window", 14}}}}), other);
  ASSERT_EQ(alone.rows(), matrix.rows());
  for (size_t row = 14; row < alone.rows(); ++row) {
    EXPECT_EQ(alone.columns[0][row], matrix.column(3)[row]);
  }
  for (const std::string& symbol : Forecasts(result).symbol) EXPECT_EQ(symbol, "AAA");
  EXPECT_EQ(result.reports.size(), 1u);

  EXPECT_THAT(Refusal({"features=[{family: rsi, windows: 14, symbols: BBB}]"}),
              HasSubstr("features read in data.frame"));
  EXPECT_THAT(Refusal({"data.frame=[BBB]"}), HasSubstr("lacks AAA, which is forecast"));
  EXPECT_THAT(Refusal({"data.frame=[AAA, BBB]", "data.panel=true"}),
              HasSubstr("leave out frame or panel"));
  EXPECT_THAT(Refusal({"data.frame=[AAA, AAA]"}), HasSubstr("names AAA twice"));
}

// Of a shipped set a single symbol has the columns that need no other.
TEST_F(RunRecipeTest, AShippedSetFitsOneSymbolAndSeveral) {
  const size_t one = Load({"features=[{set: swing}]"}).features.size();
  EXPECT_EQ(one, FeatureSet::Named("swing", {"AAA"}).size());
  const Recipe two = Load({"features=[{set: swing}]", "data.frame=[AAA, BBB]"});
  EXPECT_EQ(two.features.BoundTo(two.data.frame).size(),
            FeatureSet::Named("swing", two.data.frame).size());
  EXPECT_GT(two.features.BoundTo(two.data.frame).size(), 2 * one);
}

TEST_F(RunRecipeTest, WhatDoesNotGoTogetherIsRefusedWhereItStands) {
  EXPECT_THAT(Refusal({"models=[{kind: ridge}]"}),
              HasSubstr("ridge: forecasts numbers, and the target is of classes: down, flat, up"));
  EXPECT_THAT(Refusal({"models=[{kind: drift}]"}), HasSubstr("no mean"));
  EXPECT_THAT(Refusal({"backtest={models: [gbdt]}"}), HasSubstr("set kind: signal"));
  EXPECT_THAT(Refusal({"backtest={kind: signal, signal: probability, up: upp}"}),
              HasSubstr("its classes are down, flat, up"));
  EXPECT_EQ(Refusal({"backtest={kind: signal, signal: probability}"}), "accepted");
  const std::string number = "target={kind: forward_return, horizon: 4}";
  EXPECT_THAT(Refusal({number, "backtest={kind: signal, signal: probability}"}),
              HasSubstr("gives no probabilities"));
  EXPECT_THAT(Refusal({number, "models=[{kind: gbdt, parameters: {objective: binary}}]"}),
              HasSubstr("binary forecasts classes"));
  EXPECT_THAT(Refusal({"split={scheme: combinatorial, groups: 2, test_groups: 2}"}),
              HasSubstr("2 test groups of 2 groups"));
  EXPECT_THAT(Refusal({"split={scheme: rolling, train: 20d, test: 10d, step: 5d}"}),
              HasSubstr("test windows overlap"));
  EXPECT_THAT(Refusal({"split={scheme: rolling, train: 20d, tset: 10d}"}), HasSubstr("test"));
  EXPECT_THAT(Refusal({"prune={max_correlation: 2}"}), HasSubstr("max_correlation"));
  EXPECT_THAT(Refusal({"prune={max_corelation: 0.9}"}), HasSubstr("max_correlation"));
  EXPECT_THAT(Refusal({"target={kind: swing, lookback: 3}"}), HasSubstr("look_back"));
  const std::string volatility = "target={kind: forward_volatility, horizon: 3}";
  EXPECT_THAT(Refusal({volatility, "backtest={threshold: 0.001}"}),
              testing::AllOf(HasSubstr("backtest"), HasSubstr("not which way")));
  EXPECT_EQ(Refusal({volatility, "backtest={models: []}"}), "accepted");
  EXPECT_THAT(Refusal({number, "split={scheme: expanding, train: 20d, test: 10d}",
                       "backtest={kind: signal, grid: {threshold: [0.001, 0.002]}}"}),
              HasSubstr("a grid is chosen on the validation part"));
}

}  // namespace
}  // namespace almanac
