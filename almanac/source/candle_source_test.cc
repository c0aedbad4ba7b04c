#include "almanac/source/candle_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "almanac/market/calendar.h"
#include "almanac/source/candle_source_time.h"
#include "almanac/source/vendor_test_server.h"

namespace almanac {
namespace {

using testing::HasSubstr;

TEST(CandleSource, NamesAreKnownAndOptionsFit) {
  FakeClock clock(0);
  VendorTestServer server([](const TestRequest&, size_t) { return TestReply(); });
  const SourceOptions service = TestOptions(server, clock);
  for (const std::string& name : CandleSourceNames()) {
    SourceOptions options = service;
    if (name == "simulator") options.base_url = std::nullopt;
    EXPECT_EQ(MakeCandleSource(name, options)->name(), name);
  }
  const auto message = [&](const std::string& name, auto change) {
    SourceOptions options = service;
    change(options);
    return MessageOf([&] { MakeCandleSource(name, options); });
  };
  EXPECT_THAT(message("binanse", [](SourceOptions&) {}), HasSubstr("did you mean binance?"));
  EXPECT_THAT(message("binance", [](SourceOptions& o) { o.feed = "sip"; }),
              HasSubstr("the source binance has no such option"));
  EXPECT_THAT(message("binance", [](SourceOptions& o) { o.adjustment = "raw"; }),
              HasSubstr("adjustment"));
  EXPECT_THAT(message("simulator", [](SourceOptions&) {}), HasSubstr("base_url"));
  EXPECT_THAT(message("polygon", [](SourceOptions& o) { o.requests_per_minute = 0; }),
              HasSubstr("at least 1"));
  EXPECT_THAT(message("polygon", [](SourceOptions& o) { o.base_url = "example.com"; }),
              HasSubstr("'example.com' is no URL"));
}

TEST(CandleSource, ABaseUrlMayEndInASlash) {
  FakeClock clock(kMsPerDay);
  VendorTestServer server(
      [](const TestRequest&, size_t) { return TestReply{.status = 200, .body = "[]"}; });
  SourceOptions options = TestOptions(server, clock);
  options.base_url = server.url() + "/";
  AllBars(*MakeCandleSource("binance", options),
          {{"BTCUSDT"}, Timeframe::Parse("1h"), 0, kMsPerDay});
  EXPECT_EQ(server.requests().at(0).path, "/api/v3/klines");
}

TEST(CandleSource, TheSimulatorHasNoPastBeforeItsOriginAndNoFuture) {
  FakeClock clock(kSimulatorOrigin + 10 * kMsPerHour + 1);
  SourceOptions options;
  options.clock = &clock;
  const auto source = MakeCandleSource("simulator", options);
  const Timeframe hour = Timeframe::Parse("1h");
  const CandleSeries bars =
      AllBars(*source, {{"A"}, hour, kSimulatorOrigin - kMsPerDay, kSimulatorOrigin + kMsPerDay});
  EXPECT_EQ(bars.size(), 10u);
  EXPECT_EQ(bars.open_time.front(), kSimulatorOrigin);
  EXPECT_TRUE(AllBars(*source, {{"A"}, hour, 0, kMsPerDay}).empty());
  SourceOptions other = options;
  other.simulator.seed = 2;
  EXPECT_NE(MakeCandleSource("simulator", other)->identity(), source->identity());
}

TEST(SessionOpenTime, EveryDayOfThirtyYearsKeepsItsDate) {
  const Timeframe day = Timeframe::Parse("1d"), week = Timeframe::Parse("1w");
  for (TimeMs date = StartOfDate({1995, 1, 1}); date < StartOfDate({2025, 1, 1});
       date += kMsPerDay) {
    // New York's midnight: 05:00 UTC in standard time, 04:00 in daylight saving time.
    TimeMs midnight = date + 5 * kMsPerHour;
    if (NewYorkOffset(midnight - kMsPerHour) == -4 * kMsPerHour) midnight -= kMsPerHour;
    ASSERT_EQ(SessionOpenTime(midnight, day), date) << FormatTime(date);
    const VendorRange range = SessionVendorRange(date, date + kMsPerDay, day);
    ASSERT_TRUE(range.from <= midnight && midnight < range.to);
    if (Weekday(date) == 0) {
      ASSERT_EQ(SessionOpenTime(midnight, week), date);
      ASSERT_EQ(SessionOpenTime(midnight - 20 * kMsPerHour, week), date) << "stamped on Sunday";
    }
  }
}

}  // namespace
}  // namespace almanac
