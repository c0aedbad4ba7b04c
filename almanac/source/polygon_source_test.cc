#include "almanac/source/polygon_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <nlohmann/json.hpp>

#include "almanac/base/json.h"
#include "almanac/base/text.h"
#include "almanac/source/openapi_check.h"
#include "almanac/source/vendor_test_server.h"

namespace almanac {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const TimeMs kNow = *ParseTime("2024-06-10T12:00:00Z");
const Timeframe kDay = Timeframe::Parse("1d");
const Timeframe kMinute = Timeframe::Parse("1m");

Json Aggregate(TimeMs time, double close) {
  return {{"v", 1000.5},    {"vw", close - 0.1}, {"o", close - 1}, {"c", close},
          {"h", close + 1}, {"l", close - 2},    {"t", time},      {"n", 17}};
}

TestReply Page(const std::vector<Json>& results, const std::string& next_url = "",
               const std::string& status = "OK") {
  Json page = {{"ticker", "AAPL"}, {"queryCount", results.size()},
               {"adjusted", true}, {"results", Json(results)},
               {"status", status}, {"request_id", "1"}};
  if (!next_url.empty()) page["next_url"] = next_url;
  return {.status = 200, .body = page.dump()};
}

class PolygonTest : public testing::Test {
 protected:
  PolygonTest() : server_([](const TestRequest&, size_t) { return TestReply(); }) {}
  void Reply(std::vector<TestReply> replies) {
    server_.set_handler([replies](const TestRequest&, size_t index) {
      return index < replies.size() ? replies[index] : TestReply{.status = 500, .body = "too many"};
    });
  }
  std::unique_ptr<CandleSource> Source(const std::string& name = "polygon",
                                       const char* adjustment = nullptr) {
    SourceOptions options = TestOptions(server_, clock_);
    if (adjustment != nullptr) options.adjustment = adjustment;
    return MakeCandleSource(name, options);
  }
  CandleSeries Get(TimeMs from, TimeMs to, Timeframe timeframe) {
    return AllBars(*Source(), {{"AAPL"}, timeframe, from, to});
  }
  void ExpectAllAllowed() {
    ExpectAllowed(ApiDescription::Load("massive-polygon-rest.json.zst"), server_.requests(),
                  {"cursor"});
  }

  FakeClock clock_{kNow};
  VendorTestServer server_;
};

TEST_F(PolygonTest, FollowsNextUrlToTheEndWithTheKey) {
  const TimeMs from = *ParseTime("2024-06-03T13:30:00Z");
  const auto bar = [&](int minute) {
    return Aggregate(from + minute * kMsPerMinute, 190.0 + minute);
  };
  const std::string next = "https://api.massive.com/v2/aggs/ticker/AAPL/range/1/minute/1/2?cursor=";
  Reply(
      {Page({bar(0), bar(1)}, next + "abc%3D"), Page({}, next + "def", "DELAYED"), Page({bar(3)})});
  const CandleSeries bars = Get(from, from + 10 * kMsPerMinute, kMinute);
  EXPECT_THAT(bars.open_time, ElementsAre(from, from + kMsPerMinute, from + 3 * kMsPerMinute));
  EXPECT_THAT(bars.close, ElementsAre(190, 191, 193));
  EXPECT_THAT(bars.open, ElementsAre(189, 190, 192));
  EXPECT_THAT(bars.high, ElementsAre(191, 192, 194));
  EXPECT_THAT(bars.low, ElementsAre(188, 189, 191));
  EXPECT_THAT(bars.volume, ElementsAre(1000.5, 1000.5, 1000.5));
  EXPECT_THAT(bars.vwap, ElementsAre(189.9, 190.9, 192.9));
  EXPECT_THAT(bars.trade_count, ElementsAre(17, 17, 17));
  EXPECT_EQ(ToString(bars.key), "polygon-stocks AAPL 1m");

  const std::vector<TestRequest> requests = server_.requests();
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_EQ(requests[0].path, "/v2/aggs/ticker/AAPL/range/1/minute/1717421400000/1717421999999");
  EXPECT_EQ(requests[0].Query("adjusted"), "true");
  EXPECT_EQ(requests[0].Query("sort"), "asc");
  EXPECT_EQ(requests[0].Query("limit"), "50000");
  EXPECT_EQ(requests[1].Query("cursor"), "abc=");
  EXPECT_EQ(requests[2].Query("cursor"), "def");
  for (const TestRequest& request : requests) EXPECT_EQ(request.Query("apiKey"), kTestKey);
  ExpectAllAllowed();
}

TEST_F(PolygonTest, EveryTimeframeIsOneOfTheVendors) {
  const auto source = Source();
  std::vector<std::string> spans;
  for (const Timeframe timeframe : source->timeframes()) {
    server_.set_handler([](const TestRequest&, size_t) { return Page({}); });
    AllBars(*source, {{"BRK.B"}, timeframe, 0, kMsPerDay * 7});
    const std::string path = server_.requests().back().path;
    const std::vector<std::string_view> parts = Split(path, '/');
    spans.push_back(std::string(parts.at(6)) + "/" + std::string(parts.at(7)));
  }
  EXPECT_THAT(spans, ElementsAre("1/minute", "3/minute", "5/minute", "15/minute", "30/minute",
                                 "1/hour", "1/day", "1/week"));
  ExpectAllAllowed();
  EXPECT_THAT(MessageOf([&] { CheckTimeframe(*source, Timeframe::Parse("4h")); }),
              AllOf(HasSubstr("polygon has no such bars"),
                    HasSubstr("it has 1m, 3m, 5m, 15m, 30m, 1h, 1d, 1w")));
}

TEST_F(PolygonTest, DailyBarsAreKeptAtTheSessionsDate) {
  // Midnight in New York: 05:00 UTC in winter, 04:00 in summer (from 10 March 2024 on).
  Reply({Page({Aggregate(*ParseTime("2024-03-07T05:00:00Z"), 1),  // before the range
               Aggregate(*ParseTime("2024-03-08T05:00:00Z"), 2),
               Aggregate(*ParseTime("2024-03-11T04:00:00Z"), 3),
               Aggregate(*ParseTime("2024-03-12T04:00:00Z"), 4)})});
  const CandleSeries bars = Get(*ParseTime("2024-03-08"), *ParseTime("2024-03-12"), kDay);
  EXPECT_THAT(bars.open_time, ElementsAre(*ParseTime("2024-03-08"), *ParseTime("2024-03-11")));
  // The request reaches New York's midnight of the last day, and not the next day's.
  EXPECT_EQ(server_.requests().at(0).path,
            "/v2/aggs/ticker/AAPL/range/1/day/1709856000000/1710133200000");
}

TEST_F(PolygonTest, WeeklyBarsAreKeptAtTheirMonday) {
  Reply({Page({Aggregate(*ParseTime("2024-03-10T05:00:00Z"), 1),      // Sunday
               Aggregate(*ParseTime("2024-03-17T04:00:00Z"), 2)})});  // Sunday
  const CandleSeries bars =
      Get(*ParseTime("2024-03-11"), *ParseTime("2024-03-25"), Timeframe::Parse("1w"));
  EXPECT_THAT(bars.open_time, ElementsAre(*ParseTime("2024-03-11"), *ParseTime("2024-03-18")));
}

TEST_F(PolygonTest, TheOpenDayIsLeftOut) {
  clock_.Set(*ParseTime("2024-06-11T03:59:00Z"));  // still the 10th in New York
  Reply({Page({Aggregate(*ParseTime("2024-06-07T04:00:00Z"), 1),
               Aggregate(*ParseTime("2024-06-10T04:00:00Z"), 2)})});
  EXPECT_THAT(Get(*ParseTime("2024-06-01"), *ParseTime("2024-06-11"), kDay).open_time,
              ElementsAre(*ParseTime("2024-06-07")));
}

TEST_F(PolygonTest, CryptoKeepsTheVendorsTimes) {
  Reply({Page({Aggregate(*ParseTime("2024-03-08"), 2)})});
  const CandleSeries bars =
      AllBars(*Source("polygon-crypto"),
              {{"X:BTCUSD"}, kDay, *ParseTime("2024-03-08"), *ParseTime("2024-03-09")});
  EXPECT_EQ(ToString(bars.key), "polygon-crypto X:BTCUSD 1d");
  EXPECT_THAT(server_.requests().at(0).path, HasSubstr("/ticker/X:BTCUSD/range/1/day/"));
  EXPECT_EQ(bars.size(), 1u);
  ExpectAllAllowed();
}

TEST_F(PolygonTest, FiveRequestsAMinuteUnlessToldOtherwise) {
  server_.set_handler([](const TestRequest&, size_t) { return Page({}); });
  const auto source = Source();
  for (int i = 0; i < 6; ++i) AllBars(*source, {{"AAPL"}, kDay, 0, kMsPerDay});
  EXPECT_EQ(clock_.Now(), kNow + kMsPerMinute);
}

TEST_F(PolygonTest, RawPricesAreAnotherMarket) {
  Reply({Page({})});
  const auto raw = Source("polygon", "raw");
  AllBars(*raw, {{"AAPL"}, kDay, 0, kMsPerDay});
  EXPECT_EQ(server_.requests().at(0).Query("adjusted"), "false");
  EXPECT_EQ(raw->default_market(), "polygon-stocks-raw");
  EXPECT_FALSE(raw->adjusts_history());
  EXPECT_TRUE(Source()->adjusts_history());
  EXPECT_THAT(MessageOf([&] { Source("polygon", "dividend"); }), HasSubstr("use split or raw"));
}

TEST_F(PolygonTest, AnswersWithoutResultsAreEmpty) {
  Reply({{.status = 200, .body = R"({"status":"OK","resultsCount":0,"ticker":"NOPE"})"}});
  EXPECT_TRUE(Get(0, kMsPerDay, kDay).empty());
}

TEST_F(PolygonTest, BadAnswersSayWhatIsWrongAndNeverShowTheKey) {
  const Json good = Aggregate(kMsPerDay + 5 * kMsPerHour, 10);
  const auto with = [&](const char* field, const Json& value) {
    Json bar = good;
    bar[field] = value;
    return Page({bar});
  };
  Json without = good;
  without.erase("c");
  const std::string circle = "https://api.massive.com/v2/aggs/x?cursor=a";
  const std::vector<std::pair<std::vector<TestReply>, std::string>> cases = {
      {{{.status = 200, .body = "<html>"}}, "not JSON"},
      {{{.status = 200, .body = R"({"status":"OK","results":[{"t":1)"}}, "cut off after 32 bytes"},
      {{{.status = 200, .body = "[]"}}, "not an object"},
      {{{.status = 200, .body = "{}"}}, "no 'status'"},
      {{{.status = 200, .body = R"({"status":"OK","results":5})"}}, "'results' is not a list"},
      {{Page({5})}, "bar 1 of the answer: expected an object, found 5"},
      {{Page({without})}, "field 'c' is missing"},
      {{with("h", "11")}, "field 'h' must be a number, found \"11\""},
      {{with("t", 1.5)}, "field 't' must be a whole number, found 1.5"},
      {{with("n", "many")}, "field 'n' must be a number"},
      {{Page({}, circle), Page({}, circle)}, "leads in a circle"},
      {{Page({}, "nonsense")}, "'next_url' is not a URL"},
      {{{.status = 200, .body = R"({"status":"ERROR","error":"no such range"})"}},
       "Polygon answered ERROR: \"no such range\""},
      {{{.status = 403, .body = R"({"status":"NOT_AUTHORIZED","message":"upgrade your plan"})"}},
       "\"upgrade your plan\"; check POLYGON_API_KEY"},
      {{{.status = 401, .body = R"({"error":"Unknown API Key key-0123456789"})"}},
       "Unknown API Key ***"},
  };
  for (const auto& [replies, says] : cases) {
    // The handler counts from the first request of the server.
    const size_t before = server_.requests().size();
    server_.set_handler([replies = replies, before](const TestRequest&, size_t index) {
      return replies[std::min(index - before, replies.size() - 1)];
    });
    EXPECT_THAT(MessageOf([&] { Get(0, 3 * kMsPerDay, kDay); }),
                AllOf(HasSubstr(says), HasSubstr("/v2/aggs/"), Not(HasSubstr(kTestKey))));
  }
}

TEST_F(PolygonTest, SymbolsAndKeysAreChecked) {
  EXPECT_THAT(MessageOf([&] { Source()->CheckSymbol("X:BTCUSD"); }), HasSubstr("polygon-crypto"));
  EXPECT_THAT(MessageOf([&] { Source()->CheckSymbol("../x"); }), HasSubstr("no ticker of a stock"));
  EXPECT_THAT(MessageOf([&] { Source("polygon-crypto")->CheckSymbol("BTC"); }),
              HasSubstr("X:BTCUSD"));
  const SourceOptions options = TestOptions(server_, clock_);
  unsetenv("POLYGON_API_KEY");
  EXPECT_THAT(MessageOf([&] { MakeCandleSource("polygon", options); }),
              HasSubstr("POLYGON_API_KEY"));
}

}  // namespace
}  // namespace almanac
