#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "almanac/base/text.h"
#include "almanac/report/report.h"
#include "almanac/report/sample_report.h"

namespace almanac {
namespace {

using testing::HasSubstr;
using testing::Not;

size_t WidthOf(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

TEST(TerminalTest, LaysOutAReport) {
  ReportData data;
  data.title = "BTCUSDT 30m";
  data.verdict = {{Tone::kCaution, "ridge is not told apart from the naive forecast"}};
  data.warnings = {"simulated prices"};
  data.key_figures = {
      {"MAE", 0.0018123, 0.0018151, "naive", NumberFormat::kPercent, Tone::kCaution, ""},
      {"Sharpe ratio", 0.31, -12.5, "buy and hold", NumberFormat::kRatio, Tone::kNeutral, ""},
      {"p-value", 0.4, kNotANumber, "", NumberFormat::kProbability, Tone::kNeutral, ""}};
  const auto cell = [](double value, Standing standing = Standing::kNotCompared) {
    return ReportCell{value, kNotANumber, kNotANumber, standing};
  };
  data.forecast_tables = {
      {"Metrics",
       "",
       {{"MAE", NumberFormat::kPercent, {}, ""}, {"IC", NumberFormat::kRatio, {}, ""}},
       {{"ridge", false, {cell(0.0123, Standing::kBetter), cell(0.5)}},
        {"naive", true, {cell(0.0222), cell(kNotANumber)}}}}};
  TextOptions narrow;
  narrow.width = 60;  // no room for words beside the key figures
  EXPECT_EQ(RenderText(data, narrow),
            "BTCUSDT 30m\n"
            "≈ ridge is not told apart from the naive forecast\n"
            "! simulated prices\n"
            "\n"
            "MAE             0.181%  naive        0.182%\n"
            "Sharpe ratio      0.31  buy and hold -12.50\n"
            "p-value          0.400\n"
            "\n"
            "Metrics\n"
            "           MAE      IC\n"
            "  ridge  1.23% ▲  0.50\n"
            "  naive  2.22%       –\n");
  EXPECT_THAT(RenderText(data), HasSubstr("0.182%  ≈ no clear difference from naive\n"));
}

TEST(TerminalTest, KeepsToTheWidth) {
  const ReportData data = MakeSampleReport();
  for (const size_t width : {60, 80, 120}) {
    TextOptions options;
    options.width = width;
    const std::string text = RenderText(data, options);
    for (const std::string_view line : Split(text, '\n')) {
      EXPECT_LE(WidthOf(line), width) << line;
      EXPECT_FALSE(line.ends_with(' ')) << line;
    }
    EXPECT_THAT(text, HasSubstr("Rank IC"));
  }
}

TEST(TerminalTest, ColoursOnlyWhenAsked) {
  const ReportData data = MakeSampleReport(400);
  EXPECT_THAT(RenderText(data), Not(HasSubstr("\x1b")));
  TextOptions options;
  options.color = true;
  std::string text = RenderText(data, options);
  EXPECT_THAT(text, HasSubstr("\x1b["));
  EXPECT_EQ(RenderText(data), RenderText(data));
}

TEST(TerminalTest, PassesNoControlCharactersOn) {
  ReportData data = MakeSampleReport(400);
  data.title = data.verdict[0].text = "a\x1b[2Jb\nc";
  data.key_figures[0].label = data.key_figures[0].benchmark_name = "x\x07y";
  data.forecast_tables[0].title = data.forecast_tables[0].rows[0].label = "r\x1b";
  data.forecast_tables[0].columns[0].title = "c\rd";
  const std::string text = RenderText(data);
  EXPECT_THAT(text, HasSubstr("a [2Jb c\n"));
  for (const char c : text) EXPECT_TRUE(c == '\n' || c < 0 || c >= ' ');
}

}  // namespace
}  // namespace almanac
