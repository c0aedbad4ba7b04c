#include "almanac/feature/expression/expression.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/feature/audit.h"
#include "almanac/feature/build.h"
#include "almanac/feature/every_family_for_test.h"
#include "almanac/feature/expression/function.h"
#include "almanac/feature/expression/syntax.h"
#include "almanac/feature/family.h"
#include "almanac/feature/random_series_for_test.h"

namespace almanac {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string MessageOf(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    return error.what();
  }
  return "no error";
}

std::string Refusal(const std::string& text) {
  return MessageOf([&] { Expression{text}; });
}

FeatureSpec Named(std::string name, std::string text) {
  FeatureSpec spec{"expression", {}};
  spec.text = std::move(text);
  spec.text_name = std::move(name);
  return spec;
}

FeatureSet Read(const std::string& yaml) {
  const ConfigDocument document = ConfigDocument::Parse(yaml, "recipe.yaml");
  FeatureSet set = FeatureSet::FromConfig(document.root());
  document.RefuseUnknownKeys();
  return set;
}

// The column of an expression over random bars.
std::vector<float> Column(const std::string& text, const CandleSeries& series) {
  return BuildFeatures(FeatureSet({Named("x", text)}), series).columns[0];
}

// Of an expression that is the same at every bar but for a term that is always 0.
double Value(const std::string& text) {
  return Column("close * 0 + (" + text + ")", RandomSeries(1, 3))[0];
}

TEST(Expression, BindsAsArithmeticDoes) {
  EXPECT_EQ(Value("1 + 2 * 3"), 7);
  EXPECT_EQ(Value("(1 + 2) * 3"), 9);
  EXPECT_EQ(Value("2 - 3 - 4"), -5);
  EXPECT_EQ(Value("16 / 4 / 2"), 2);
  EXPECT_EQ(Value("-2 * -3"), 6);
  EXPECT_EQ(Value("- -2 - -+3"), 5);
  EXPECT_EQ(Value(".5 + 1e1 + 2.5E-1"), 10.75);
  EXPECT_EQ(Value("1 + 2 < 4 and 2 > 1"), 1);
  EXPECT_EQ(Value("1 == 2 or 3 != 3"), 0);
  EXPECT_EQ(Value("1 or 0 and 0"), 1);
  EXPECT_EQ(Value("not 1 > 2"), 1);
  EXPECT_EQ(Value("not 1 and 0"), 0);
  EXPECT_EQ(Value("!(1 && 0) || 0"), 1);
  EXPECT_EQ(Value("max(1, 5, 3) + min(4, 2, 3, 9)"), 7);
  EXPECT_EQ(Value("clip(7, -1, 3) + sign(-4) + power(2, 10)"), 1026);
  EXPECT_EQ(Value("where(2, 3, 4) + where(0, 3, 4)"), 7);
}

TEST(Expression, EqualsTheFamiliesThatItSpells) {
  const CandleSeries series = RandomSeries(600, 5);
  const FeatureTable table = BuildFeatures(
      FeatureSet({{"simple_return", {{"window", 12}}},
                  Named("a", "(close - lag(close, 12)) / lag(close, 12)"),
                  {"rsi", {{"window", 14}}},
                  Named("b", "rsi(7 * 2)"),
                  {"natr", {{"window", 14}}},
                  Named("c", "100 * atr(14) / close"),
                  {"range_position", {{"window", 30}}},
                  Named("d", "(close - lowest(low, 30)) / (highest(high, 30) - lowest(low, 30))"),
                  {"macd_line", {{"fast", 12}, {"slow", 26}}},
                  Named("e", "macd_line(12, 26)"),
                  {"balance_of_power", {}},
                  Named("f", "(close - open) / (high - low)")}),
      series);
  for (size_t c = 0; c < table.columns.size(); c += 2) {
    for (size_t row = 0; row < table.rows(); ++row) {
      const float family = table.columns[c][row], written = table.columns[c + 1][row];
      ASSERT_EQ(std::isnan(family), std::isnan(written)) << table.names[c].name << " " << row;
      if (std::isnan(family)) continue;
      ASSERT_NEAR(written, family, 1e-6 * std::abs(family) + 1e-12);
    }
  }
}

TEST(Expression, LookBackIsComputedAndRowsBeforeItAreNan) {
  const CandleSeries series = RandomSeries(200, 9);
  const std::vector<std::pair<std::string, int64_t>> cases = {
      {"close", 1},
      {"lag(close, 3)", 4},
      {"mean(close, 3)", 3},
      {"delta(mean(close, 5), 2)", 7},
      {"(close - ema(close, 20)) / atr(14)", 20},
      {"rsi(14)", 15},
      {"highest(rsi(14), 10) - lag(volume, 40)", 41},
      {"macd_signal(12, 26, 9)", 34},
      {"correlation(delta(close, 1), volume, 20)", 21},
      {"where(close > 0, close, mean(close, 30))", 30},
      {"quantile(close, 11, 0.25)", 11},
  };
  for (const auto& [text, look_back] : cases) {
    EXPECT_EQ(Expression(text).look_back(), look_back) << text;
    const std::vector<float> column = Column(text, series);
    for (int64_t row = 0; row < 200; ++row) {
      EXPECT_EQ(std::isnan(column[static_cast<size_t>(row)]), row < look_back - 1)
          << text << " " << row;
    }
  }
  EXPECT_TRUE(Expression("1 + sum(ema(close, 5), 9)").unbounded_memory());
  EXPECT_TRUE(Expression("rsi(5)").unbounded_memory());
  EXPECT_FALSE(Expression("sum(close, 9)").unbounded_memory());
}

TEST(Expression, WhatIsNotKnownIsNan) {
  EXPECT_TRUE(std::isnan(Value("1 / (close - close)")));
  EXPECT_TRUE(std::isnan(Value("log(open - open)")));
  EXPECT_TRUE(std::isnan(Value("sqrt(-close)")));
  EXPECT_TRUE(std::isnan(Value("exp(close * 100)")));
  EXPECT_TRUE(std::isnan(Value("log(-close) > 0 or 1")));
  EXPECT_TRUE(std::isnan(Value("max(log(-close), 1)")));
  EXPECT_TRUE(std::isnan(Value("where(log(-close), 1, 2)")));
  EXPECT_EQ(Value("where(close > close, 1 / (close - close), 2)"), 2);
  const std::vector<float> flat = Column("zscore(volume * 0, 5)", RandomSeries(20, 1));
  EXPECT_TRUE(std::all_of(flat.begin(), flat.end(), [](float x) { return std::isnan(x); }));
}

TEST(Expression, EqualPartsAreOneNode) {
  KernelGraph graph;
  const auto node = [&](const char* text) { return Expression(text).AddTo(graph); };
  const KernelGraph::Node mean = node("mean(close, 6)");
  EXPECT_EQ(node("mean( close,2*3 )"), mean);
  EXPECT_NE(node("mean(close, 7)"), mean);
  EXPECT_NE(node("mean(open, 6)"), mean);
  EXPECT_EQ(node("close - mean(close, 6)"), node("(close) - (mean(close, 1 + 5))"));
  EXPECT_NE(node("close - mean(close, 6)"), node("mean(close, 6) - close"));
  EXPECT_NE(node("power(close, 2)"), node("power(2, close)"));
  EXPECT_NE(node("where(close > 1, mean(close, 6), 0)"), node("where(close > 1, close, 0)"));
  EXPECT_EQ(node("rsi(14)"), AddFeature(graph, {"rsi", {{"window", 14}}}));
  EXPECT_EQ(node("close"), graph.Field(BarField::kClose));
}

TEST(Expression, ErrorsPointAtTheCharacter) {
  EXPECT_EQ(Refusal("(close - emma(close, 20)) / atr(14)"),
            "character 10: no function \"emma\"; did you mean \"ema\"?\n"
            "  (close - emma(close, 20)) / atr(14)\n"
            "           ^");
  EXPECT_EQ(Refusal("lag(close, -1)"),
            "character 12: argument 2 of lag(x, n) is -1; give a whole number from 1 to 1000000; a "
            "feature cannot look ahead\n"
            "  lag(close, -1)\n"
            "             ^");
  EXPECT_EQ(Refusal("close +"),
            "character 8: the expression ends where a value should be; a number, a name or ( is "
            "missing\n"
            "  close +\n"
            "         ^");
  // Characters are counted, not bytes, and long text is cut.
  EXPECT_THAT(Refusal("close +\t\xc3\xa9"), AllOf(HasSubstr("character 9: \"\xc3\xa9\""),
                                                  HasSubstr("\n  close + \xc3\xa9\n          ^")));
  std::string text = "close";
  for (int i = 0; i < 50; ++i) text += " + open";
  EXPECT_THAT(Refusal(text + " + opem"),
              AllOf(HasSubstr("character 359"), HasSubstr("did you mean \"open\"?\n  ...n + open"),
                    HasSubstr("\n" + std::string(2 + 3 + 60, ' ') + "^")));
}

struct Wrong {
  const char* text;
  const char* problem;
  size_t character;
};

TEST(Expression, RefusesWhatIsNotOne) {
  const std::vector<Wrong> cases = {
      {"", "empty", 1},
      {"  ", "empty", 1},
      {"1 + 2", "same at every bar", 3},
      {"close open", "where an operator should be", 7},
      {"(close", "is not closed", 1},
      {"close)", "no ( belongs", 6},
      {"mean(close 5)", "where ) should be", 12},
      {"close * * 2", "where a value should be", 9},
      {"close ^ 2", "no operator for powers", 7},
      {"close ** 2", "no operator for powers", 7},
      {"close = 2", "= is not an operator", 7},
      {"close % 2", "\"%\" has no meaning", 7},
      {"close < open < high", "do not chain", 14},
      {"close + not open", "inside arithmetic", 9},
      {"and", "where a value should be", 1},
      {"1e999 * close", "out of range", 1},
      {"2x * close", "goes on", 2},
      {"1.2.3", "goes on", 4},
      {"clos * 2", "no field \"clos\"", 1},
      {"ema", "ema is a function", 1},
      {"rsi + 1", "rsi is a function", 1},
      {"close(2)", "is a field, not a function", 1},
      {"negate(close)", "no function", 1},
      {"abs(close, 2)", "abs has 2 arguments", 1},
      {"max(close)", "max has 1 argument", 1},
      {"mean(close)", "mean has 1 argument", 1},
      {"atr()", "atr has 0 arguments", 1},
      {"macd_line(12)", "macd_line has 1 argument", 1},
      {"expression()", "no function \"expression\"", 1},
      {"macd_line(26, 12)", "slow 12 of macd_line is not above fast 26", 15},
      {"mean(5, 10)", "argument 1 of mean is the same", 6},
      {"mean(close, close)", "depends on the bars", 13},
      {"mean(close, 2.5)", "is 2.5", 13},
      {"mean(close, 0)", "is 0", 13},
      {"std(close, 1)", "is 1", 12},
      {"rank(close, 10001)", "is 10001", 13},
      {"mean(close, 1e300)", "is 1e+300", 13},
      {"rsi(1000001)", "is 1000001", 5},
      {"quantile(close, 5, 1.5)", "not a share", 20},
      {"quantile(close, 5, close)", "not a share", 20},
      {"close + 1 / 0", "not a finite number", 11},
      {"close + log(-1)", "not a finite number", 9},
      {"sum(close, 600000) + sum(open, 600000)", "hold 1200000 bars together", 22},
  };
  for (const Wrong& wrong : cases) {
    EXPECT_THAT(
        Refusal(wrong.text),
        AllOf(HasSubstr(wrong.problem), HasSubstr(fmt::format("character {}:", wrong.character))))
        << wrong.text;
  }
}

TEST(Expression, HostileTextIsRefusedBeforeItHurts) {
  const std::string opened(kLongestExpression, '(');
  EXPECT_THAT(Refusal(opened), HasSubstr("nested too deeply"));
  EXPECT_THAT(Refusal(std::string(kLongestExpression, '-')), HasSubstr("nested too deeply"));
  EXPECT_THAT(Refusal(opened + "("), HasSubstr("at most 4000"));
  std::string nots, calls;
  for (int i = 0; i < 900; ++i) nots += "not ";
  for (int i = 0; i < 900; ++i) calls += "abs(";
  EXPECT_THAT(Refusal(nots), HasSubstr("nested too deeply"));
  EXPECT_THAT(Refusal(calls), HasSubstr("nested too deeply"));
  EXPECT_THAT(Refusal(std::string("close \0 + 1", 11)), HasSubstr("byte 0 has no meaning"));
  // A long chain is flat, and kernels that name an argument twice do not double the key each level.
  std::string chain = "close";
  while (chain.size() + 2 <= kLongestExpression) chain += "+1";
  EXPECT_EQ(Expression(chain).look_back(), 1);
  std::string deep = "close";
  for (int i = 0; i < 90; ++i) deep = "wma(" + deep + ",2)";
  EXPECT_EQ(Column(deep, RandomSeries(95, 1)).size(), 95U);
}

TEST(Expression, IsReadFromConfigurationAndJson) {
  const FeatureSet set = Read(
      "features:\n"
      "  - {family: log_return, windows: [1]}\n"
      "  - {expression: \"(close - ema(close, 20)) / atr(14)\", name: stretch}\n");
  ASSERT_EQ(set.size(), 2U);
  const FeatureInfo info = set.Columns()[1];
  EXPECT_EQ(info.name, "stretch");
  EXPECT_EQ(info.formula, "(close - ema(close, 20)) / atr(14)");
  EXPECT_EQ(info.look_back, 20);
  EXPECT_TRUE(info.unbounded_memory);
  EXPECT_EQ(ToJson(info)["family"], "expression");
  EXPECT_EQ(
      set.ToJson()[1].dump(),
      R"j({"family":"expression","text":"(close - ema(close, 20)) / atr(14)","name":"stretch"})j");
  EXPECT_EQ(FeatureSet::FromJson(set.ToJson()).specs(), set.specs());
}

TEST(Expression, MistakesInConfigurationNameFileLineAndCharacter) {
  EXPECT_EQ(MessageOf([] {
              Read(
                  "features:\n"
                  "  - name: x\n"
                  "    expression: close / opne\n");
            }),
            "recipe.yaml:3 (features[0].expression): character 9: no field \"opne\"; did you mean "
            "\"open\"?\n"
            "  close / opne\n"
            "          ^");
  const auto line = [](const std::string& entry) {
    return MessageOf([&] { Read("features:\n  - {" + entry + "}\n"); });
  };
  EXPECT_THAT(line("expression: close"),
              AllOf(HasSubstr("recipe.yaml:2"), HasSubstr("has no name")));
  EXPECT_THAT(line("expression: close, name: a b"),
              AllOf(HasSubstr("recipe.yaml:2"), HasSubstr("cannot name a feature")));
  EXPECT_THAT(line("expression: close, name: 1st"), HasSubstr("cannot name a feature"));
  EXPECT_THAT(line("expression: close, name: x, windows: [1]"), HasSubstr("windows"));
  EXPECT_THAT(line("expression: '', name: x"), HasSubstr("the expression is empty"));
  EXPECT_THAT(line("expression: close, name: log_return_1}\n"
                   "  - {family: log_return, windows: [1]"),
              HasSubstr("log_return_1 is there twice"));
  const auto from_json = [](const char* json) { FeatureSet::FromJson(Json::parse(json)); };
  EXPECT_THROW(from_json(R"([{"family":"expression","text":"close","name":"x","a":1}])"), Error);
  EXPECT_THROW(from_json(R"([{"family":"expression","text":"clse","name":"x"}])"), Error);
}

// Every function in one set: batch, live, snapshots and blocks give the same bits.
TEST(Expression, PassesTheLeakAudit) {
  std::vector<FeatureSpec> specs;
  for (const ExpressionFunction& function : AllFunctions()) {
    std::string text = std::string(function.name) + "(";
    const char* const values[] = {"close - open", ", volume", ", high - low"};
    for (size_t v = 0; v < function.values; ++v) text += values[v];
    if (function.wire != nullptr) text += function.values == 0 ? "7" : ", 7";
    if (function.parameters == 2) text += ", 0.3";
    specs.push_back(Named("f" + std::to_string(specs.size()), text + ") + lag(close, 2)"));
  }
  specs.push_back(Named("nested", "rank(where(rsi(5) > 50, zscore(volume, 9), ema(close, 4)), 8)"));
  LeakAuditOptions options;
  options.cuts = 3;
  const CandleSeries series = RandomSeries(3000, 77);
  EXPECT_NO_THROW(RequireNoLeak(AuditFeatures(FeatureSet(specs), series, options), series.key));
}

TEST(Expression, ReadsFieldsOfOtherSymbolsOfTheFrame) {
  CandleSeries a = RandomSeries(80, 1), b = RandomSeries(80, 2);
  b.key.symbol = "BRK.B";
  CandleSeries thin = b.Slice(0, 40);  // without bar 40
  for (size_t i = 41; i < 80; ++i) thin.Append(b.At(i));
  const Frame frame({a, thin});
  FeatureSpec ratio = Named("ratio", "close / BRK.B.close");
  FeatureSpec mean = Named("mean", "mean(BRK.B.close, 3) - lag(BRK.B.close, 1)");
  ratio.symbol = mean.symbol = "X";
  const FeatureSet set({ratio, mean});
  const FeatureTable table = BuildFeatures(set, frame);
  for (size_t row = 0; row < 80; ++row) {
    const auto expected = static_cast<float>(a.close[row] / b.close[row]);
    const float found = table.columns[0][row];
    EXPECT_TRUE(row == 40 ? std::isnan(found) : found == expected) << row;
    const bool near_gap = row >= 40 && row <= 42;
    EXPECT_EQ(std::isnan(table.columns[1][row]), row < 2 || near_gap) << row;
  }
  LiveFrame live(set, frame.key());
  for (size_t row = 0; row < 80; ++row) {
    const Candle bar = a.At(row), other = b.At(row);
    const std::array<const Candle*, 2> bars = {&bar, row == 40 ? nullptr : &other};
    const std::span<const float> values = live.Step(bars);
    for (size_t c = 0; c < 2; ++c) {
      const float whole = table.columns[c][row];
      EXPECT_TRUE(values[c] == whole || (std::isnan(values[c]) && std::isnan(whole)));
    }
  }
  EXPECT_THAT(MessageOf([&] { BuildFeatures(FeatureSet({Named("x", "Z.close")}), a); }),
              HasSubstr("Z"));
  EXPECT_THAT(Refusal("close / ETHUSDT.price"),
              AllOf(HasSubstr("character 17: no field \"price\" of ETHUSDT"), HasSubstr("^")));
  EXPECT_THAT(Refusal("ETHUSDT.rsi(14)"), HasSubstr("ETHUSDT.close"));
}

// Lags, transforms and timeframes apply to expressions as to families.
TEST(Expression, IsComposedLikeAFamily) {
  const FeatureSet set = Read(
      "features:\n"
      "  - {expression: close / open - 1, name: body, transforms: [none, zscore_20], lags: [0, "
      "2]}\n"
      "  - {expression: rsi(14), name: r, timeframes: 1h}\n");
  std::vector<std::string> names;
  for (const FeatureInfo& info : set.Columns()) names.push_back(info.name);
  EXPECT_THAT(names, testing::ElementsAre("body", "body_lag_2", "body_zscore_20",
                                          "body_zscore_20_lag_2", "r_1h"));
  EXPECT_EQ(set.Columns()[3].look_back, 22);
  EXPECT_EQ(FeatureSet::FromJson(set.ToJson()).specs(), set.specs());
  const CandleSeries series = RandomSeries(300, 4);
  EXPECT_NO_THROW(RequireNoLeak(AuditFeatures(set, series), series.key));
}

// With its parameters in order; a name that is a function's too would be the function.
TEST(Expression, EveryFamilyCanBeCalled) {
  KernelGraph graph;
  for (const FamilyInfo& family : Catalogue()) {
    if (FindFunction(family.name) != nullptr || family.reads_text || family.two_symbols) {
      continue;
    }
    const FeatureSpec spec = SpecOf(family, 5);
    std::vector<int64_t> values;
    for (const auto& parameter : spec.parameters) values.push_back(parameter.second);
    const Expression called(fmt::format("{}({})", family.name, fmt::join(values, ", ")));
    EXPECT_EQ(called.AddTo(graph), AddFeature(graph, spec)) << family.name;
    EXPECT_EQ(called.look_back(), FeatureSet({spec}).LookBack()) << family.name;
  }
}

}  // namespace
}  // namespace almanac
