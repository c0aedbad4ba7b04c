#include "almanac/report/drawing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace almanac {
namespace {

constexpr DurationMs kStep = 30 * kMsPerMinute;
constexpr TimeMs kFirst = 1'700'006'400'000;

CandleSeries MakeBars(size_t count) {
  CandleSeries bars;
  bars.key = {"test", "ABC", Timeframe::Parse("30m")};
  for (size_t i = 0; i < count; ++i) {
    const double base = 100 + static_cast<double>(i);
    bars.Append({kFirst + static_cast<TimeMs>(i) * kStep, base, base + 2, base - 2, base + 1, 10});
  }
  return bars;
}

// One forecast for the close of each of the bars [first, last).
ReportForecast MakeForecast(size_t first, size_t last) {
  ReportForecast forecast;
  forecast.model = "m";
  for (size_t i = first; i < last; ++i) {
    const TimeMs bar = kFirst + static_cast<TimeMs>(i) * kStep;
    forecast.made_at.push_back(bar);
    forecast.target_time.push_back(bar + kStep);
    forecast.price.push_back(static_cast<double>(i));
  }
  return forecast;
}

TEST(DrawingTest, AForecastStandsAtTheBarItIsAbout) {
  const ReportMarket market{MakeBars(10), "", {MakeForecast(4, 10)}};
  const MarketView view = DetailView(market, market.bars);
  ASSERT_EQ(view.forecasts.size(), 1U);
  ASSERT_EQ(view.forecasts[0].points.size(), 6U);
  for (const DrawnPoint& point : view.forecasts[0].points) {
    const double bar = market.forecasts[0].price[point.row];  // its number
    EXPECT_EQ(point.bar_time, kFirst + static_cast<TimeMs>(bar) * kStep);
  }
}

TEST(DrawingTest, NarrowsToTheForecastsWithALead) {
  const ReportMarket market{MakeBars(1000), "", {MakeForecast(700, 900)}};
  const CandleSeries bars = DrawnBars(market);
  EXPECT_EQ(bars.open_time.front(), kFirst + (700 - 48) * kStep);
  EXPECT_EQ(bars.open_time.back(), kFirst + 899 * kStep);
  const ReportMarket early{MakeBars(100), "", {MakeForecast(10, 100)}};
  EXPECT_EQ(DrawnBars(early).size(), 100U) << "no more lead than there are bars";
  EXPECT_EQ(DrawnBars({MakeBars(100), "", {}}).size(), 100U);
  EXPECT_EQ(DrawnBars({MakeBars(0), "", {}}).size(), 0U);
}

TEST(DrawingTest, MergesBars) {
  const CandleSeries merged = MergeBars(MakeBars(7), 3);
  ASSERT_EQ(merged.size(), 3U);
  EXPECT_EQ(merged.open_time,
            (std::vector<TimeMs>{kFirst, kFirst + 3 * kStep, kFirst + 6 * kStep}));
  EXPECT_EQ(merged.open, (std::vector<double>{100, 103, 106}));
  EXPECT_EQ(merged.high, (std::vector<double>{104, 107, 108}));
  EXPECT_EQ(merged.low, (std::vector<double>{98, 101, 104}));
  EXPECT_EQ(merged.close, (std::vector<double>{103, 106, 107}));
  EXPECT_EQ(merged.volume, (std::vector<double>{30, 30, 10}));
}

TEST(DrawingTest, OverviewKeepsTheForecastsOfTheLastBarOfEachGroup) {
  const ReportMarket market{MakeBars(100), "", {MakeForecast(50, 100)}};
  const MarketView view = OverView(market, market.bars, 30);
  EXPECT_EQ(view.merged, 4U);
  EXPECT_EQ(view.bars.size(), 25U);
  ASSERT_EQ(view.forecasts[0].points.size(), 13U);  // groups that end at 51, 55, ..., 99
  for (const DrawnPoint& point : view.forecasts[0].points) {
    const auto group = static_cast<size_t>((point.bar_time - kFirst) / (4 * kStep));
    EXPECT_EQ(market.forecasts[0].price[point.row], static_cast<double>(4 * group + 3));
  }
  EXPECT_EQ(OverView(market, market.bars, 100).merged, 1U);
}

TEST(DrawingTest, OverviewLeavesOutForecastsOfMissingBars) {
  ReportMarket market{MakeBars(4), "", {MakeForecast(0, 4)}};
  CandleSeries holed = market.bars.Slice(0, 1);
  holed.Append(market.bars.At(3));
  market.bars = holed;
  EXPECT_EQ(DetailView(market, market.bars).forecasts[0].points.size(), 4U);
  const MarketView view = OverView(market, market.bars, 1);
  ASSERT_EQ(view.forecasts[0].points.size(), 1U);
  EXPECT_EQ(view.forecasts[0].points[0].row, 3U);
}

TEST(DrawingTest, DrawdownsStartAtTheCapital) {
  const std::vector<double> found = Drawdowns(100, std::array{90.0, 120.0, 60.0, 120.0});
  ASSERT_EQ(found.size(), 4U);
  EXPECT_DOUBLE_EQ(found[0], -0.1);
  EXPECT_DOUBLE_EQ(found[1], 0);
  EXPECT_DOUBLE_EQ(found[2], -0.5);
  EXPECT_DOUBLE_EQ(found[3], 0);
}

TEST(DrawingTest, MergedEquityKeepsTheDeepestDrawdown) {
  ReportEquity equity{100, "", {}, {{"a", CurveRole::kStrategy, {}}}};
  for (int i = 0; i < 100; ++i) {
    equity.time.push_back(i);
    equity.curves[0].equity.push_back(i == 41 ? 50 : 100);
  }
  const EquityView view = ViewEquity(equity, 10);
  EXPECT_EQ(view.merged, 10U);
  EXPECT_EQ(view.time.back(), 99);
  ASSERT_EQ(view.curves[0].equity.size(), 10U);
  EXPECT_DOUBLE_EQ(view.curves[0].equity[4], 100);
  EXPECT_DOUBLE_EQ(view.curves[0].drawdown[4], -0.5);
}

TEST(DrawingTest, HistogramCountsEveryError) {
  const std::array errors = {-2.0, -0.9, -0.1, 0.0, 0.1, 0.9, 1.0, 5.0};
  const Histogram histogram = MakeHistogram(errors, 1.0, 5);
  EXPECT_EQ(histogram.below, 1U);
  EXPECT_EQ(histogram.above, 2U);  // 1.0 is the open end
  const double inside = std::accumulate(histogram.density.begin(), histogram.density.end(), 0.0) *
                        histogram.Width() * static_cast<double>(errors.size());
  EXPECT_NEAR(inside, 5, 1e-12);
  EXPECT_NEAR(histogram.density[2] * histogram.Width(), 3.0 / 8, 1e-12);
}

TEST(DrawingTest, HistogramOfConstantErrors) {
  const std::vector<ReportErrors> errors = {{"a", false, {0, 0, 0}, NumberFormat::kPercent}};
  const double reach = HistogramReach(errors);
  EXPECT_GT(reach, 0);
  const Histogram histogram = MakeHistogram(errors[0].errors, reach, 9);
  EXPECT_NEAR(histogram.density[4] * histogram.Width(), 1.0, 1e-12);
  EXPECT_EQ(HistogramBins(1), 9U);
  EXPECT_EQ(HistogramBins(1'000'000) % 2, 1U);
}

// Against numpy: np.quantile and scipy.stats.skew, kurtosis(fisher=False) of 1..9 and 30.
TEST(DrawingTest, SummarizesErrors) {
  const std::array errors = {3.0, 1.0, 2.0, 5.0, 4.0, 30.0, 9.0, 8.0, 7.0, 6.0};
  const ErrorSummary summary = SummarizeErrors(errors);
  EXPECT_EQ(summary.count, 10U);
  EXPECT_DOUBLE_EQ(summary.mean, 7.5);
  EXPECT_NEAR(summary.deviation, 8.3166499665831, 1e-12);
  EXPECT_NEAR(summary.skewness, 2.198946797000598, 1e-12);
  EXPECT_NEAR(summary.kurtosis, 6.699211303043499, 1e-12);
  EXPECT_DOUBLE_EQ(summary.median, 5.5);
  EXPECT_NEAR(summary.q05, 1.45, 1e-12);
  EXPECT_NEAR(summary.q95, 20.549999999999976, 1e-12);
  EXPECT_TRUE(std::isnan(SummarizeErrors({}).mean));
}

}  // namespace
}  // namespace almanac
