#include "almanac/pipeline/feature_frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <filesystem>
#include <vector>

#include "almanac/base/error_for_test.h"
#include "almanac/base/test_folder.h"
#include "almanac/feature/build.h"
#include "almanac/feature/random_series_for_test.h"
#include "almanac/lake/matrix.h"
#include "almanac/lake/observation.h"

namespace almanac {
namespace {

constexpr TimeMs kBegin = 1'577'836'800'000;  // 2020-01-01

FeatureSet Observing(const std::string& feature) {
  FeatureSpec spec{"observation", {}};
  spec.text = feature + "/event/last";
  spec.text_name = feature + "_event_last";
  return FeatureSet({spec});
}

Observation Surprise(const std::string& symbol, TimeMs about, TimeMs known, double value) {
  return {about, value, "float", known, symbol, "surprise", "event"};
}

CandleSeries Days(size_t count, const std::string& symbol) {
  CandleSeries series;
  series.key = {"us-test", symbol, Timeframe::Parse("1d")};
  for (size_t i = 0; i < count; ++i) {
    Candle bar;
    bar.open_time = kBegin + static_cast<TimeMs>(i) * kMsPerDay;
    bar.open = bar.high = bar.low = bar.close = 100;
    bar.volume = 1;
    series.Append(bar);
  }
  return series;
}

class FeatureFrameTest : public testing::Test {
 protected:
  FeatureFrameTest() : home_{folder_.path()} {
    // About the first day, announced on the third.
    ObservationStore(home_).Upsert({Surprise("AAPL", kBegin, kBegin + 2 * kMsPerDay + 1, 0.25),
                                    Surprise("MSFT", kBegin, kBegin, 0.5)});
  }
  TestFolder folder_;
  Home home_;
};

TEST_F(FeatureFrameTest, ColumnsSeeTheLakesObservationsOnceTheyAreKnown) {
  const FeatureSet set = Observing("surprise");
  const Frame frame =
      FeatureFrame({Days(5, "AAPL")}, nullptr, ObservationsFor(set, {"AAPL"}, home_));
  const FeatureTable table = BuildFeatures(set, frame);
  ASSERT_EQ(table.rows(), 5U);
  EXPECT_TRUE(std::isnan(table.columns[0][0]));
  EXPECT_TRUE(std::isnan(table.columns[0][1]));  // known at the end of the second day: not yet
  EXPECT_EQ(table.columns[0][2], 0.25F);
  EXPECT_EQ(table.columns[0][4], 0.25F);
}

TEST_F(FeatureFrameTest, ASymbolWithoutObservationsHasAnEmptyFeed) {
  const FeatureSet set = Observing("surprise");
  const FeatureTable table = BuildFeatures(
      set, FeatureFrame({Days(3, "XOM")}, nullptr, ObservationsFor(set, {"XOM"}, home_)));
  EXPECT_TRUE(std::isnan(table.columns[0][2]));
}

TEST_F(FeatureFrameTest, RowsAtSomeTimesAreThoseOfAllRows) {
  const CandleSeries bars = RandomSeries(1500, 3, 100, 25);  // of three blocks, with gaps
  const FeatureSet set = FeatureSet::Named("gru44");
  const Frame frame = Frame::Of({&bars});
  for (const char* name : {"all", "some"}) std::filesystem::create_directories(folder_ / name);
  const size_t all = WriteFeatures(set, frame, folder_ / "all", NoProgress());
  ASSERT_EQ(all, bars.size());
  std::vector<TimeMs> times;
  for (size_t i = 5; i < bars.size(); i += 13) times.push_back(bars.KnownAt(i));
  times.push_back(bars.KnownAt(bars.size() - 1) + 1);  // no row
  ASSERT_EQ(WriteFeatures(set, frame, folder_ / "some", NoProgress(), times), times.size() - 1);
  const Matrix whole(folder_ / "all"), part(folder_ / "some");
  ASSERT_EQ(part.columns(), whole.columns());
  for (size_t c = 0; c < part.columns(); ++c) {
    for (size_t row = 0; row < part.rows(); ++row) {
      EXPECT_EQ(part.index()[row], whole.index()[5 + 13 * row]);
      EXPECT_EQ(std::bit_cast<uint32_t>(part.column(c)[row]),
                std::bit_cast<uint32_t>(whole.column(c)[5 + 13 * row]));
    }
  }
}

TEST_F(FeatureFrameTest, AFeatureThatTheLakeLacksIsNamed) {
  EXPECT_THAT(MessageOf([&] { ObservationsFor(Observing("guidance"), {"AAPL"}, home_); }),
              testing::HasSubstr("the lake has no observations of guidance (event)"));
}

TEST_F(FeatureFrameTest, TheHashChangesWithAnyVersion) {
  const FeatureSet set = Observing("surprise");
  const auto hash = [&] { return HashOf(set, {"AAPL"}, ObservationsFor(set, {"AAPL"}, home_)); };
  const std::string before = hash();
  EXPECT_EQ(before, hash());
  ObservationStore(home_).Upsert({Surprise("MSFT", kBegin, kBegin + 5, 0.75)});
  EXPECT_EQ(before, hash());  // another symbol's
  ObservationStore(home_).Upsert({Surprise("AAPL", kBegin, kBegin + 9 * kMsPerDay, 0.3)});
  EXPECT_NE(before, hash());  // restated
  EXPECT_EQ(ObservationsFor(FeatureSet::Named("alpha158"), {"AAPL"}, home_), nullptr);
}

}  // namespace
}  // namespace almanac
