#include "almanac/report/from_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "almanac/base/error.h"
#include "almanac/base/random.h"
#include "almanac/report/html_calibration.h"

namespace almanac {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

CandleSeries Bars(const std::string& symbol, uint64_t seed) {
  Random random(seed);
  CandleSeries bars;
  bars.key = {"test", symbol, Timeframe::Parse("1h")};
  double close = 100;
  for (TimeMs i = 0; i < 300; ++i) {
    const double open = close;
    close *= std::exp(0.01 * random.Normal());
    bars.Append({.open_time = i * kMsPerHour,
                 .open = open,
                 .high = std::max(open, close),
                 .low = std::min(open, close),
                 .close = close,
                 .volume = 1});
  }
  return bars;
}

// Two models at two horizons for six symbols; one of them with quantiles and class probabilities.
TableEvaluation Evaluated() {
  std::vector<CandleSeries> series;
  ForecastTable table;
  table.extra = {{"p_down", {}}, {"p_flat", {}}, {"p_up", {}}, {"q10", {}}, {"q90", {}}};
  Random random(5);
  for (const char* symbol : {"A", "B", "C", "D", "E", "F"}) {
    series.push_back(Bars(symbol, static_cast<uint64_t>(symbol[0])));
    const CandleSeries& bars = series.back();
    for (const char* model : {"gbdt", "ridge"}) {
      for (const int64_t horizon : {1, 4}) {
        for (size_t i = 150; i + 4 < bars.size(); ++i) {
          const double actual = bars.close[i + static_cast<size_t>(horizon)] / bars.close[i] - 1;
          const double value = (model[0] == 'g' ? 0.4 : 0) * actual + 0.002 * random.Normal();
          table.Append({model, symbol, bars.KnownAt(i), bars.KnownAt(i) + horizon * kMsPerHour,
                        horizon, bars.close[i], value});
          if (model[0] != 'g') continue;
          const double up = value > 0 ? 0.7 : 0.3;
          const std::vector<double> extra = {1 - up, 0, up, value - 0.012, value + 0.012};
          for (size_t e = 0; e < extra.size(); ++e) table.extra[e].values.back() = extra[e];
        }
      }
    }
  }
  table.Sort();
  TableOptions options;
  options.bootstrap.replicates = 50;
  options.class_target = DirectionSpec{};
  return EvaluateTable(table, series, options);
}

const TableEvaluation& Sample() {
  static const TableEvaluation kSample = Evaluated();
  return kSample;
}

TEST(FromTable, EveryTableHasItsNaiveRowLast) {
  const HorizonEvaluation& first = Sample().horizons[0];
  const ReportTable quantiles = QuantilesTable(first.quantiles);
  EXPECT_EQ(quantiles.rows.back().label, "past returns");
  EXPECT_TRUE(quantiles.rows.back().naive);
  EXPECT_EQ(quantiles.rows[0].cells[0].value, first.quantiles[0].crps.model.value);
  EXPECT_EQ(quantiles.rows[0].cells[0].standing, Standing::kBetter);
  EXPECT_EQ(quantiles.columns[2].title, "80% covers");
  const ReportTable classes = ClassesTable(first.classes);
  EXPECT_EQ(classes.rows.back().label, "frequencies");
  EXPECT_EQ(classes.rows.back().cells[4].value, 0.5);
  const ReportTable rankings = RankingTable(first.rankings);
  EXPECT_EQ(rankings.rows.back().label, "no skill");
  EXPECT_EQ(rankings.rows[0].cells[0].standing, Standing::kBetter);
  const ReportTable buckets = BucketTable(first.rankings);
  EXPECT_EQ(buckets.rows.back().label, "all symbols");
  const CrossSection& ranking = first.rankings[0].ranking;
  const size_t parts = ranking.buckets.size();
  ASSERT_EQ(buckets.columns.size(), parts + 4);
  EXPECT_EQ(buckets.rows[0].cells[parts - 1].value, ranking.buckets.back().mean);
  EXPECT_EQ(buckets.rows[0].cells[parts].value, ranking.spread.mean);
  EXPECT_EQ(buckets.rows[0].cells[parts + 3].value, ranking.top_turnover);
  EXPECT_EQ(buckets.rows.back().cells.size(), parts + 4);
}

TEST(FromTable, ComparesModels) {
  const Comparison& comparison = *Sample().horizons[0].comparison;
  const ReportTable table = ComparisonTable(comparison);
  ASSERT_EQ(table.rows.size(), 3u);
  EXPECT_EQ(table.rows[0].cells[2].standing, Standing::kBetter);
  EXPECT_LT(table.rows[0].cells[3].value, 0.05);
  EXPECT_TRUE(std::isnan(table.rows[2].cells[3].value));
  const ReportTable pairs = PairsTable(comparison);
  EXPECT_EQ(pairs.rows[0].cells[1].standing, Standing::kBetter);
  EXPECT_EQ(pairs.rows[1].cells[0].standing, Standing::kWorse);
  EXPECT_EQ(pairs.rows[1].cells[0].value, pairs.rows[0].cells[1].value);
}

TEST(FromTable, HorizonsAndGroupsHaveNaiveAsBaseline) {
  const ReportHeatTable horizons = HorizonsTable(Sample().horizons, Space::kReturn, Metric::kMae);
  ASSERT_EQ(horizons.rows.size(), 2u);
  EXPECT_EQ(horizons.rows[1].label, "4");
  EXPECT_EQ(horizons.columns[*horizons.baseline], "naive");
  EXPECT_GT(horizons.rows[1].values[2], horizons.rows[0].values[2]);
  const ReportHeatTable regimes = GroupsTable(Sample().horizons[0].models, "volatility",
                                              &Evaluation::regimes, Space::kReturn, Metric::kMae);
  EXPECT_EQ(regimes.rows.size(), 3u);
  EXPECT_EQ(regimes.title, "MAE of the return by volatility");
}

TEST(FromTable, TheReportHoldsEverythingAndIsSound) {
  const ReportData report = ReportOf(Sample(), "Forecasts <of> us");
  const std::string html = RenderHtml(report);
  for (const char* text :
       {"Forecast distributions, 1 bar ahead", "Class forecasts, 4 bars ahead", "Classes of gbdt",
        "Ranking of the symbols", "Models beside each other", "Every pair of models",
        "Do the quantiles mean what they say?", "Do the probabilities mean what they say?",
        "by horizon", "by volatility", "by symbol", "Forecasts &lt;of&gt; us"}) {
    EXPECT_THAT(html, HasSubstr(text));
  }
  EXPECT_EQ(html, RenderHtml(ReportOf(Evaluated(), "Forecasts <of> us")));
  EXPECT_THAT(RenderText(report), HasSubstr("with 95 % confidence"));
}

TEST(Calibration, DrawsWhatItIsGivenAndNothingElse) {
  EXPECT_EQ(PitFigures({}), "");
  EXPECT_EQ(ReliabilityFigures({}), "");
  const std::vector<ReportPit> pit = {{"a<b", {{0, 0.5, 0.7, 0.6, 0.8, 0.5}, {0.5, 1, 0.3}}}};
  const std::string html = PitFigures(pit);
  EXPECT_THAT(html, HasSubstr("a&lt;b"));
  EXPECT_THAT(html, HasSubstr("class=\"whisker\""));
  EXPECT_THAT(html, Not(HasSubstr("class=\"outline\" d")));  // naive is not whole
  EXPECT_THAT(html, Not(HasSubstr("nan")));
  const std::vector<ReportReliability> diagram = {{"m", "up", {{0.25, 0.5, 0.4, 0.6, 10}}}};
  EXPECT_THAT(ReliabilityFigures(diagram), HasSubstr("10 forecasts of 25.0% on average"));
}

TEST(Calibration, CellsWithGapsAreRefused) {
  ReportData report;
  report.pit = {{"m", {{0, 0.4, 1}, {0.5, 1, 0}}}};
  EXPECT_THROW(CheckReport(report), Error);
  report.pit = {{"m", {{0, 0.4, 1}}}};
  EXPECT_THROW(CheckReport(report), Error);
  report.pit.clear();
  report.reliability = {{"m", "up", {{1.5, 0.5}}}};
  EXPECT_THROW(CheckReport(report), Error);
}

}  // namespace
}  // namespace almanac
