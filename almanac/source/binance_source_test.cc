#include "almanac/source/binance_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "almanac/base/json.h"
#include "almanac/base/text.h"
#include "almanac/source/openapi_check.h"
#include "almanac/source/vendor_test_server.h"

namespace almanac {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const TimeMs kNow = *ParseTime("2025-10-01T00:00:30Z");
const Timeframe kDay = Timeframe::Parse("1d");
const Timeframe kHour = Timeframe::Parse("1h");

Json Kline(TimeMs open_time, DurationMs duration) {
  const double close = 100.0 + static_cast<double>(open_time / duration % 977) / 8;
  const auto text = [](double value) { return std::to_string(value); };
  return Json::array({open_time, text(close - 1), text(close + 2), text(close - 3), text(close),
                      "12.50000000", open_time + duration - 1, "1250.0", 42, "6.0", "600.0", "0"});
}

// All klines of a test's exchange, ascending.
Json GeneratedKlines(TimeMs from, TimeMs to, DurationMs duration) {
  Json rows = Json::array();
  for (TimeMs time = from; time < to; time += duration) rows.push_back(Kline(time, duration));
  return rows;
}

// The real answers where they are, otherwise made ones of the same range.
Json DailyKlines() {
  Json rows = Json::array();
  for (const char* file : {"2016-01-01", "2018-01-01", "2020-01-01", "2022-01-01", "2024-01-01"}) {
    const std::string text =
        SharedData(std::string("crypto/binance_rest/BTCUSDT/1d/") + file + ".json.zst");
    if (text.empty()) continue;
    for (const Json& row : Json::parse(text)) rows.push_back(row);
  }
  if (!rows.empty()) return rows;
  return GeneratedKlines(*ParseTime("2017-08-17"), *ParseTime("2025-09-20"), kMsPerDay);
}

// Answers as GET /klines does.
TestReply Answer(const Json& rows, const TestRequest& request) {
  const size_t limit = static_cast<size_t>(request.Time("limit"));
  Json page = Json::array();
  for (const Json& row : rows) {
    const TimeMs time = row[0].get<TimeMs>();
    if (time < request.Time("startTime") || time > request.Time("endTime")) continue;
    if (page.size() < limit) page.push_back(row);
  }
  return {.status = 200, .body = page.dump()};
}

class BinanceTest : public testing::Test {
 protected:
  BinanceTest() : server_([](const TestRequest&, size_t) { return TestReply(); }) {}
  void Serve(Json rows) {
    server_.set_handler(
        [rows](const TestRequest& request, size_t) { return Answer(rows, request); });
  }
  void ServeBody(const std::string& body, int status = 200) {
    server_.set_handler(
        [=](const TestRequest&, size_t) { return TestReply{.status = status, .body = body}; });
  }
  std::unique_ptr<CandleSource> Source(const std::string& name = "binance") {
    return MakeCandleSource(name, TestOptions(server_, clock_));
  }
  CandleSeries Get(TimeMs from, TimeMs to, Timeframe timeframe) {
    CandleSeries bars = AllBars(*Source(), {{"BTCUSDT"}, timeframe, from, to});
    server_.Settle();
    return bars;
  }
  std::string MessageOfGet() {
    return MessageOf([&] { Get(kNow - kNow % kMsPerDay - 5 * kMsPerDay, kNow, kDay); });
  }

  FakeClock clock_{kNow};
  VendorTestServer server_;
};

TEST_F(BinanceTest, PagesThroughEverything) {
  const Json rows = DailyKlines();
  Serve(rows);
  const TimeMs from = *ParseTime("2015-01-01"), to = *ParseTime("2025-09-01");
  const CandleSeries bars = Get(from, to, kDay);
  const auto expected = std::count_if(rows.begin(), rows.end(),
                                      [&](const Json& row) { return row[0].get<TimeMs>() < to; });
  ASSERT_EQ(static_cast<long>(bars.size()), expected);
  for (size_t i = 0; i < bars.size(); ++i) {
    EXPECT_EQ(bars.open_time[i], rows[i][0].get<TimeMs>());
    EXPECT_EQ(bars.open[i], std::stod(rows[i][1].get<std::string>()));
    EXPECT_EQ(bars.high[i], std::stod(rows[i][2].get<std::string>()));
    EXPECT_EQ(bars.low[i], std::stod(rows[i][3].get<std::string>()));
    EXPECT_EQ(bars.close[i], std::stod(rows[i][4].get<std::string>()));
    EXPECT_EQ(bars.volume[i], std::stod(rows[i][5].get<std::string>()));
    EXPECT_EQ(bars.trade_count[i], rows[i][8].get<double>());
  }
  EXPECT_TRUE(bars.vwap.empty());
  EXPECT_EQ(ToString(bars.key), "binance-spot BTCUSDT 1d");
  EXPECT_EQ(server_.requests().size(), bars.size() / 1000 + 1);
  ExpectAllowed(ApiDescription::Load("binance-spot_api.yaml.zst", "/api/v3/klines"),
                server_.requests());
}

TEST_F(BinanceTest, EveryTimeframeIsOneOfTheVendors) {
  Serve(Json::array());
  const auto source = Source();
  for (const Timeframe timeframe : source->timeframes()) {
    AllBars(*source, {{"BTCUSDT"}, timeframe, 0, kMsPerDay * 7});
  }
  EXPECT_EQ(server_.requests().size(), Timeframe::All().size());
  const auto api = ApiDescription::Load("binance-spot_api.yaml.zst", "/api/v3/klines");
  if (!api) GTEST_SKIP() << "no description of the API in ../shared/data";
  ExpectAllowed(api, server_.requests());
}

TEST_F(BinanceTest, LeavesOutTheBarThatIsStillOpen) {
  const TimeMs hour = kNow - kNow % kMsPerHour;
  Serve(GeneratedKlines(hour - 3 * kMsPerHour, hour + kMsPerHour, kMsPerHour));
  const CandleSeries bars = Get(hour - 3 * kMsPerHour, hour + kMsPerHour, kHour);
  ASSERT_EQ(bars.size(), 3u);
  EXPECT_EQ(bars.KnownAt(2), hour);
  clock_.Set(hour + kMsPerHour);
  EXPECT_EQ(Get(hour - 3 * kMsPerHour, hour + kMsPerHour, kHour).size(), 4u);
}

TEST_F(BinanceTest, AnEmptyAnswerIsAnAnswer) {
  Serve(Json::array());
  EXPECT_TRUE(Get(0, kMsPerDay, kHour).empty());
  EXPECT_EQ(server_.requests().size(), 1u);
}

TEST_F(BinanceTest, AFullPageThatEndsTheRangeIsTheLast) {
  Serve(GeneratedKlines(0, 1000 * kMsPerHour, kMsPerHour));
  EXPECT_EQ(Get(0, 1000 * kMsPerHour, kHour).size(), 1000u);
  EXPECT_EQ(server_.requests().size(), 1u);
}

TEST_F(BinanceTest, PerpetualFuturesHaveTheirOwnPathAndMarket) {
  Serve(GeneratedKlines(0, 24 * kMsPerHour, kMsPerHour));
  const CandleSeries bars =
      AllBars(*Source("binance-perp"), {{"BTCUSDT"}, kHour, 0, 24 * kMsPerHour});
  EXPECT_EQ(bars.size(), 24u);
  EXPECT_EQ(bars.key.market, "binance-perp");
  EXPECT_EQ(server_.requests().at(0).path, "/fapi/v1/klines");
}

TEST_F(BinanceTest, SortsAndDropsRepeatedBars) {
  Json rows = GeneratedKlines(0, 4 * kMsPerHour, kMsPerHour);
  Json shuffled = Json::array({rows[2], rows[0], rows[2], rows[3], rows[1], rows[0]});
  ServeBody(shuffled.dump());
  const CandleSeries bars = Get(0, 4 * kMsPerHour, kHour);
  EXPECT_THAT(bars.open_time, testing::ElementsAre(0, kMsPerHour, 2 * kMsPerHour, 3 * kMsPerHour));
}

TEST_F(BinanceTest, BadAnswersSayWhatIsWrong) {
  const TimeMs day = kNow - kNow % kMsPerDay - 3 * kMsPerDay;
  const Json good = Kline(day, kMsPerDay);
  const auto changed = [&](size_t place, const Json& value) {
    Json row = good;
    row[place] = value;
    return Json::array({good, row}).dump();
  };
  Json shorter = good;
  shorter.erase(shorter.begin() + 5, shorter.end());
  const std::string whole = Json::array({good, good}).dump();
  const std::vector<std::pair<std::string, std::string>> cases = {
      {whole.substr(0, whole.size() / 2), "the answer is cut off after"},
      {"<html><body>Maintenance</body></html>", "not JSON (byte 1 of 37); it begins \"<html>"},
      {"", "the answer is empty"},
      {R"({"code":0})", "not a list of klines"},
      {"[1]", "bar 1 of the answer: expected a list, found 1"},
      {Json::array({shorter}).dump(), "it has 5 fields, field 6 is missing"},
      {changed(4, "abc"), "bar 2 of the answer: field 5 must be a number, found \"abc\""},
      {changed(4, nullptr), "field 5 must be a number, found null"},
      {changed(1, "1e999"), "field 2 must be a number"},
      {changed(0, "soon"), "field 1 must be a whole number"},
      {changed(8, 1.5), "field 9 must be a whole number"},
      {changed(4, "1.0"), "two different bars at 2025-09-28"},
  };
  for (const auto& [body, says] : cases) {
    ServeBody(body);
    EXPECT_THAT(MessageOfGet(), AllOf(HasSubstr(says), HasSubstr("/api/v3/klines?symbol=BTCUSDT")));
  }
}

TEST_F(BinanceTest, ABarOffTheGridIsRefused) {
  ServeBody(Json::array({Kline(90'000'000, kMsPerHour), Kline(90'000'001, kMsPerHour)}).dump());
  EXPECT_THAT(MessageOf([&] { Get(0, 2 * kMsPerDay, kHour); }), HasSubstr("where no 1h bar opens"));
}

TEST_F(BinanceTest, PagesThatDoNotAdvanceAreRefused) {
  const Json rows = GeneratedKlines(0, 1000 * kMsPerHour, kMsPerHour);
  ServeBody(rows.dump());  // the same page, whatever the start
  EXPECT_THAT(MessageOf([&] { Get(0, 5000 * kMsPerHour, kHour); }),
              HasSubstr("no bar after the page before it"));
}

TEST_F(BinanceTest, AnUnknownSymbolIsWrongUse) {
  ServeBody(R"({"code":-1121,"msg":"Invalid symbol."})", 400);
  EXPECT_THAT(MessageOfGet(), HasSubstr("Binance refused, status 400: \"Invalid symbol.\""));
  EXPECT_THAT(MessageOf([&] { Source()->CheckSymbol("btc/usdt"); }),
              HasSubstr("did you mean BTCUSDT?"));
  EXPECT_NO_THROW(Source()->CheckSymbol("1000SATSUSDT"));
}

TEST_F(BinanceTest, SlowsDownBeforeTheWeightLimit) {
  const Json rows = GeneratedKlines(0, 2500 * kMsPerHour, kMsPerHour);
  server_.set_handler([&](const TestRequest& request, size_t index) {
    TestReply reply = Answer(rows, request);
    reply.headers["X-MBX-USED-WEIGHT-1M"] = index == 0 ? "5399" : "5400";
    // The vendor's clock says 20 s past the minute.
    reply.headers["Date"] = "Wed, 01 Oct 2025 00:00:20 GMT";
    return reply;
  });
  EXPECT_EQ(Get(0, 2500 * kMsPerHour, kHour).size(), 2500u);
  EXPECT_EQ(clock_.Now(), kNow + 41 * kMsPerSecond) << "one pause: to the next minute and a second";
}

TEST_F(BinanceTest, ABanIsWaitedForIfItIsShort) {
  const Json rows = GeneratedKlines(0, 10 * kMsPerHour, kMsPerHour);
  server_.set_handler([&](const TestRequest& request, size_t index) {
    if (index > 0) return Answer(rows, request);
    return TestReply{.status = 418,
                     .body = R"({"msg":"Way too many requests"})",
                     .headers = {{"Retry-After", "120"}}};
  });
  EXPECT_EQ(Get(0, 10 * kMsPerHour, kHour).size(), 10u);
  EXPECT_EQ(clock_.Now(), kNow + 120 * kMsPerSecond);
}

}  // namespace
}  // namespace almanac
