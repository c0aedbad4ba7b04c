#include "almanac/report/html_networks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "almanac/base/error_for_test.h"
#include "almanac/report/from_table.h"
#include "almanac/report/pictures.h"

namespace almanac {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

size_t CountOf(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

// Ten bars, an origin at each but the last two, three steps.
ReportFan MakeFan(bool interval) {
  ReportFan fan;
  fan.model = "lstm <1>";
  fan.symbol = "ETHUSDT";
  fan.currency = "USDT";
  for (TimeMs t = 1; t <= 10; ++t) {
    fan.time.push_back(t * kMsPerMinute);
    fan.close.push_back(100 + static_cast<double>(t % 3));
  }
  for (size_t i = 0; i < 8; ++i) {
    ReportFan::Origin origin;
    origin.made_at = fan.time[i];
    origin.price = fan.close[i];
    for (TimeMs k = 1; k <= 3; ++k) {
      origin.target_time.push_back(fan.time[i] + k * kMsPerMinute);
      origin.forecast.push_back(fan.close[i] + static_cast<double>(k));
      if (!interval) continue;
      origin.low.push_back(fan.close[i] - 2);
      origin.high.push_back(fan.close[i] + 4);
    }
    fan.origins.push_back(origin);
  }
  return fan;
}

ReportSteps MakeSteps() {
  ReportSteps steps;
  steps.model = "lstm <1>";
  steps.currency = "USDT";
  steps.nominal = 0.8;
  for (int64_t h = 1; h <= 3; ++h) {
    const auto scale = static_cast<double>(h);
    steps.steps.push_back({h, 1.25 * scale, 2 * scale, 0.01 * scale, 1.5 * scale, 2.5 * scale,
                           0.02 * scale, 0.7 + 0.05 * scale});
  }
  return steps;
}

TEST(HtmlNetworks, EveryOriginOfTheLastBarsIsDrawn) {
  const ReportFan fans[] = {MakeFan(true)};
  const std::string html = FanFigures(fans);
  EXPECT_EQ(CountOf(html, "class=\"path\""), 8U);
  // Bands at origins 0, 3 and 6: where the one before is over.
  EXPECT_EQ(CountOf(html, "class=\"band\""), 3U);
  EXPECT_EQ(CountOf(html, "class=\"close\""), 1U);
  EXPECT_THAT(html, AllOf(HasSubstr("lstm &lt;1&gt;"), HasSubstr("8 origins"),
                          HasSubstr("the last 10 bars"), Not(HasSubstr("nan"))));
  const std::string few = FanFigures(fans, 5);
  EXPECT_EQ(CountOf(few, "class=\"path\""), 3U) << "those made at the last five bars";
  const ReportFan bare[] = {MakeFan(false)};
  EXPECT_EQ(CountOf(FanFigures(bare), "class=\"band\""), 0U);
  EXPECT_EQ(FanFigures({}), "");
}

TEST(HtmlNetworks, StepsHaveErrorsAndCoverage) {
  const ReportSteps steps[] = {MakeSteps()};
  const std::string html = StepFigures(steps);
  EXPECT_EQ(CountOf(html, "<figure>"), 2U);
  EXPECT_THAT(html, HasSubstr("bars ahead"));
  const ReportTable table = StepsTable(steps[0]);
  ASSERT_EQ(table.rows.size(), 3U);
  EXPECT_EQ(table.columns.back().title, "80% covers");
  EXPECT_EQ(table.rows[2].cells[0].value, 3.75);
  EXPECT_EQ(table.rows[2].cells[1].value, 4.5);
  EXPECT_NEAR(table.rows[2].cells.back().value, 0.85, 1e-12);
  ReportSteps without[] = {MakeSteps()};
  without[0].nominal = kNotANumber;
  EXPECT_EQ(CountOf(StepFigures(without), "<figure>"), 1U);
  EXPECT_EQ(StepsTable(without[0]).columns.size(), 6U);
}

TEST(HtmlNetworks, SharesAreInOrderAndAttentionEndsAtItsHorizon) {
  ReportAttention attention;
  attention.model = "tft";
  attention.past = {{"small", 0.1}, {"large & wide", 0.9}};
  attention.future = {{"week_sine", 1}};
  attention.attention = {{0.5, 0.3, 0.2, 0}, {0.4, 0.3, 0.2, 0.1}};
  const ReportAttention models[] = {attention};
  const std::string html = AttentionFigures(models);
  EXPECT_LT(html.find("large &amp; wide"), html.find(">small<"));
  EXPECT_THAT(html, AllOf(HasSubstr("90.0%"), HasSubstr("the strong line is the last horizon")));
  EXPECT_EQ(CountOf(html, "<figure>"), 3U);
  // The first horizon sees three steps, the last four: as many points.
  const size_t path = html.find("class=\"path\""), close = html.find("class=\"close\"");
  const auto points = [&](size_t at) {
    const std::string drawn = html.substr(at, html.find("/>", at) - at);
    return CountOf(drawn, "L") + 1;
  };
  EXPECT_EQ(points(path), 3U);
  EXPECT_EQ(points(close), 4U);
}

TEST(HtmlNetworks, PartsWhoseSizesDoNotFitAreRefused) {
  ReportData data;
  data.fans = {MakeFan(true)};
  data.fans[0].origins[2].low.pop_back();
  EXPECT_THAT(MessageOf([&] { CheckReport(data); }),
              AllOf(HasSubstr("fan of lstm <1>, ETHUSDT"), HasSubstr("low has 2 entries")));
  data.fans.clear();
  data.attention.resize(1);
  data.attention[0].attention = {{0.5, 0.5}, {1}};
  EXPECT_THAT(MessageOf([&] { CheckReport(data); }), HasSubstr("attention of"));
}

TEST(HtmlNetworks, ThePictureIsDrawnWithAndWithoutSteps) {
  if (!HasGnuplot()) GTEST_SKIP() << "gnuplot is not installed";
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / "almanac-steps-picture";
  ReportData data;
  data.fans = {MakeFan(true)};
  for (const bool with_steps : {false, true}) {
    if (with_steps) data.steps = {MakeSteps()};
    const auto paths = WritePictures(data, folder);
    ASSERT_EQ(paths.size(), 1U);
    EXPECT_EQ(paths[0].filename(), "forecast_steps.png");
    EXPECT_GT(std::filesystem::file_size(paths[0]), 10'000U);
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace almanac
