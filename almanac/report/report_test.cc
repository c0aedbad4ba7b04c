#include "almanac/report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "almanac/base/error.h"
#include "almanac/report/sample_report.h"

namespace almanac {
namespace {

struct WrongUse {
  std::string name;
  std::function<void(ReportData&)> spoil;
  std::string message;  // a part of it
};

class CheckReportTest : public testing::TestWithParam<WrongUse> {};

TEST_P(CheckReportTest, NamesThePart) {
  ReportData data = MakeSampleReport(400);
  GetParam().spoil(data);
  try {
    CheckReport(data);
    FAIL() << "was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadData);
    EXPECT_THAT(error.what(), testing::HasSubstr(GetParam().message));
  }
  EXPECT_THROW(RenderHtml(data), Error);
  EXPECT_THROW(RenderText(data), Error);
}

INSTANTIATE_TEST_SUITE_P(
    All, CheckReportTest,
    testing::Values(
        WrongUse{"CloseTooShort", [](ReportData& d) { d.markets[0].bars.close.pop_back(); },
                 "binance-spot BTCUSDT 30m"},
        WrongUse{
            "BarsOutOfOrder",
            [](ReportData& d) { d.markets[0].bars.open_time[1] = d.markets[0].bars.open_time[0]; },
            "times must increase"},
        WrongUse{"PriceTooShort", [](ReportData& d) { d.markets[0].forecasts[0].price.pop_back(); },
                 "forecasts of ridge: price has 98 entries"},
        WrongUse{
            "LowWithoutHigh",
            [](ReportData& d) { d.markets[0].forecasts[0].low = d.markets[0].forecasts[0].price; },
            "high has 0 entries"},
        WrongUse{"MadeAfterItsTarget",
                 [](ReportData& d) {
                   d.markets[0].forecasts[0].made_at[3] = d.markets[0].forecasts[0].target_time[3];
                 },
                 "not before it"},
        WrongUse{
            "ErrorNotFinite",
            [](ReportData& d) { d.errors[1].errors[0] = std::numeric_limits<double>::quiet_NaN(); },
            "errors of naive"},
        WrongUse{"RowTooLong",
                 [](ReportData& d) { d.forecast_tables[0].rows[0].cells.emplace_back(); },
                 "row ridge"},
        WrongUse{"HeatRowTooShort", [](ReportData& d) { d.by_month[0].rows[0].values.pop_back(); },
                 "by month"},
        WrongUse{"NoSuchBaseline", [](ReportData& d) { d.by_month[0].baseline = 9; },
                 "the baseline is column 9 of 3"},
        WrongUse{"Month13", [](ReportData& d) { d.monthly_returns[0].months[0].month = 13; },
                 "there is no month 13"},
        WrongUse{"EquityTooShort", [](ReportData& d) { d.equity.curves[1].equity.pop_back(); },
                 "equity of ridge, pessimistic"},
        WrongUse{"EquityNotFinite",
                 [](ReportData& d) {
                   d.equity.curves[0].equity[5] = std::numeric_limits<double>::infinity();
                 },
                 "not finite"},
        WrongUse{"NoCapital", [](ReportData& d) { d.equity.capital = 0; }, "must be above 0"}),
    [](const auto& test) { return test.param.name; });

TEST(CheckReportTest, AnEmptyReportIsSound) {
  EXPECT_NO_THROW(CheckReport({}));
  EXPECT_THAT(RenderHtml({}), testing::HasSubstr("</html>"));
  EXPECT_EQ(RenderText({}), "");
}

}  // namespace
}  // namespace almanac
