#include "almanac/source/alpaca_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "almanac/base/json.h"
#include "almanac/source/openapi_check.h"
#include "almanac/source/vendor_test_server.h"

namespace almanac {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const TimeMs kNow = *ParseTime("2024-06-10T12:00:00Z");
const Timeframe kMinute = Timeframe::Parse("1m");
const Timeframe kDay = Timeframe::Parse("1d");

Json Bar(const std::string& time, double close) {
  return {{"t", time},  {"o", close - 1}, {"h", close + 1}, {"l", close - 2},
          {"c", close}, {"v", 500},       {"n", 9},         {"vw", close + 0.25}};
}

TestReply Page(const Json& bars, const Json& token = nullptr) {
  return {.status = 200, .body = Json{{"bars", bars}, {"next_page_token", token}}.dump()};
}

class AlpacaTest : public testing::Test {
 protected:
  AlpacaTest() : server_([](const TestRequest&, size_t) { return TestReply(); }) {}
  void Reply(std::vector<TestReply> replies) {
    const size_t before = server_.requests().size();
    server_.set_handler([replies, before](const TestRequest&, size_t index) {
      return replies[std::min(index - before, replies.size() - 1)];
    });
  }
  std::unique_ptr<CandleSource> Source(const std::string& name = "alpaca") {
    return MakeCandleSource(name, options_);
  }
  void ExpectAllAllowed() {
    ExpectAllowed(ApiDescription::Load("alpaca-market-data-api.json.zst"), server_.requests());
  }

  FakeClock clock_{kNow};
  VendorTestServer server_;
  SourceOptions options_ = TestOptions(server_, clock_);
};

TEST_F(AlpacaTest, PagesThroughManySymbols) {
  const TimeMs from = *ParseTime("2024-06-03T13:30:00Z"), to = from + 10 * kMsPerMinute;
  Reply({Page({{"AAPL", {Bar("2024-06-03T13:30:00Z", 190), Bar("2024-06-03T13:31:00Z", 191)}}},
              "QUFQTA=="),
         Page({{"AAPL", {Bar("2024-06-03T13:35:00Z", 192)}},
               {"MSFT", {Bar("2024-06-03T13:30:00Z", 410)}}},
              "TVNGVA=="),
         Page({{"MSFT", {Bar("2024-06-03T13:31:00Z", 411)}}})});
  const auto source = Source();
  const auto pages = source->Open({{"MSFT", "AAPL", "NVDA"}, kMinute, from, to});

  const auto first = pages->Next();
  ASSERT_EQ(first->symbols.size(), 1u);
  EXPECT_EQ(ToString(first->symbols[0].bars.key), "alpaca-stocks-iex AAPL 1m");
  EXPECT_THAT(first->symbols[0].bars.close, ElementsAre(190, 191));
  EXPECT_THAT(first->symbols[0].bars.vwap, ElementsAre(190.25, 191.25));
  EXPECT_THAT(first->symbols[0].bars.trade_count, ElementsAre(9, 9));
  EXPECT_EQ(first->symbols[0].covered_to, from + 2 * kMsPerMinute);

  const auto second = pages->Next();
  ASSERT_EQ(second->symbols.size(), 2u);
  EXPECT_EQ(second->symbols[0].bars.key.symbol, "MSFT");
  EXPECT_EQ(second->symbols[0].covered_to, from + kMsPerMinute);
  EXPECT_EQ(second->symbols[1].covered_to, from + 6 * kMsPerMinute);

  const auto last = pages->Next();
  ASSERT_EQ(last->symbols.size(), 3u) << "the last page completes every symbol";
  for (const SymbolPage& part : last->symbols) EXPECT_EQ(part.covered_to, to);
  EXPECT_TRUE(last->symbols[2].bars.empty()) << "NVDA had no bars";
  EXPECT_FALSE(pages->Next());

  const std::vector<TestRequest> requests = server_.requests();
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_EQ(requests[0].path, "/v2/stocks/bars");
  EXPECT_EQ(requests[0].Query("symbols"), "MSFT,AAPL,NVDA");
  EXPECT_EQ(requests[0].Query("timeframe"), "1Min");
  EXPECT_EQ(requests[0].Query("start"), "2024-06-03T13:30:00Z");
  EXPECT_EQ(requests[0].Query("end"), "2024-06-03T13:39:59.999Z");
  EXPECT_EQ(requests[0].Query("feed"), "iex");
  EXPECT_EQ(requests[0].Query("adjustment"), "split");
  EXPECT_EQ(requests[0].query.count("page_token"), 0u);
  EXPECT_EQ(requests[1].Query("page_token"), "QUFQTA==");
  EXPECT_EQ(requests[2].Query("page_token"), "TVNGVA==");
  EXPECT_EQ(requests[2].headers.at("apca-api-key-id"), kTestKey);
  EXPECT_EQ(requests[2].headers.at("apca-api-secret-key"), kTestSecret);
  ExpectAllAllowed();
}

TEST_F(AlpacaTest, CryptoHasItsOwnPath) {
  Reply({Page({{"BTC/USD", {Bar("2024-06-03T00:00:00Z", 69000)}}})});
  const CandleSeries bars = AllBars(
      *Source("alpaca-crypto"),
      {{"BTC/USD"}, Timeframe::Parse("1h"), *ParseTime("2024-06-03"), *ParseTime("2024-06-04")});
  EXPECT_EQ(ToString(bars.key), "alpaca-crypto BTC/USD 1h");
  EXPECT_EQ(bars.size(), 1u);
  EXPECT_EQ(server_.requests().at(0).path, "/v1beta3/crypto/us/bars");
  ExpectAllAllowed();
}

TEST_F(AlpacaTest, EveryTimeframeIsOneOfTheVendors) {
  Reply({Page(Json::object())});
  const auto source = Source();
  std::vector<std::string> names;
  for (const Timeframe timeframe : source->timeframes()) {
    AllBars(*source, {{"AAPL"}, timeframe, 0, 7 * kMsPerDay});
    names.push_back(server_.requests().back().Query("timeframe"));
  }
  EXPECT_THAT(names,
              ElementsAre("1Min", "3Min", "5Min", "15Min", "30Min", "1Hour", "1Day", "1Week"));
  ExpectAllAllowed();
}

TEST_F(AlpacaTest, DailyBarsAreKeptAtTheSessionsDate) {
  Reply({Page({{"AAPL", {Bar("2024-03-08T05:00:00Z", 1), Bar("2024-03-11T04:00:00Z", 2)}}})});
  const CandleSeries bars =
      AllBars(*Source(), {{"AAPL"}, kDay, *ParseTime("2024-03-08"), *ParseTime("2024-03-12")});
  EXPECT_THAT(bars.open_time, ElementsAre(*ParseTime("2024-03-08"), *ParseTime("2024-03-11")));
  EXPECT_EQ(server_.requests().at(0).Query("end"), "2024-03-11T05:00:00Z");
}

TEST_F(AlpacaTest, TheConsolidatedTapeIsAskedWithADelay) {
  Reply({Page(Json::object())});
  options_.feed = "sip";
  const auto source = Source();
  AllBars(*source, {{"AAPL"}, kMinute, kNow - kMsPerHour, kNow});
  EXPECT_EQ(server_.requests().at(0).Query("end"), "2024-06-10T11:43:59.999Z");
  EXPECT_EQ(source->default_market(), "alpaca-stocks-sip");
  EXPECT_EQ(source->Open({{"AAPL"}, kMinute, kNow - kMsPerMinute, kNow})->Next(), std::nullopt);
}

TEST_F(AlpacaTest, WaitsWhenTheVendorsCountIsSpent) {
  TestReply spent = Page({{"AAPL", {Bar("2024-06-03T13:30:00Z", 190)}}}, "more");
  spent.headers = {{"X-RateLimit-Limit", "200"},
                   {"X-RateLimit-Remaining", "0"},
                   {"X-RateLimit-Reset", std::to_string(kNow / kMsPerSecond + 25)}};
  Reply({spent, Page(Json::object())});
  AllBars(*Source(), {{"AAPL"}, kMinute, *ParseTime("2024-06-03"), *ParseTime("2024-06-04")});
  EXPECT_EQ(clock_.Now(), kNow + 25 * kMsPerSecond);
}

TEST_F(AlpacaTest, NoBarsAreAnAnswer) {
  Reply({Page(nullptr), Page(Json::object())});
  EXPECT_TRUE(AllBars(*Source(), {{"AAPL"}, kMinute, 0, kMsPerHour}).empty());
  EXPECT_TRUE(AllBars(*Source(), {{"AAPL"}, kMinute, 0, kMsPerHour}).empty());
}

TEST_F(AlpacaTest, BadAnswersSayWhatIsWrongAndNeverShowTheKeys) {
  const Json good = Bar("1970-01-01T00:10:00Z", 10);
  const auto with = [&](const char* field, const Json& value) {
    Json bar = good;
    bar[field] = value;
    return Page({{"AAPL", {bar}}});
  };
  Json without = good;
  without.erase("v");
  const std::vector<std::pair<std::vector<TestReply>, std::string>> cases = {
      {{{.status = 200, .body = "<!doctype html>"}}, "not JSON"},
      {{{.status = 200, .body = R"({"bars":{"AAPL":[)"}}, "cut off"},
      {{{.status = 200, .body = "[]"}}, "not an object"},
      {{{.status = 200, .body = R"({"next_page_token":null})"}}, "no 'bars'"},
      {{{.status = 200, .body = R"({"bars":{}})"}}, "no 'next_page_token'"},
      {{Page(Json::object(), 5)}, "'next_page_token' is not text"},
      {{Page(Json::object(), "a")}, "leads in a circle"},
      {{Page(Json::array())}, "'bars' is not an object"},
      {{Page({{"AAPL", 1}})}, "the bars of AAPL are no list"},
      {{Page({{"TSLA", Json::array()}})}, "bars of 'TSLA', which was not asked for"},
      {{Page({{"AAPL", {without}}})}, "bar 1 of the answer: field 'v' is missing"},
      {{with("t", 5)}, "field 't' must be text"},
      {{with("t", "noon")}, "not an RFC 3339 time: 'noon'"},
      {{with("t", "1970-01-01T00:10:30Z")}, "where no 1m bar opens"},
      {{with("c", "ten")}, "field 'c' must be a number, found \"ten\""},
      {{{.status = 403, .body = R"({"message":"forbidden."})"}},
       "\"forbidden.\"; check ALPACA_API_KEY_ID"},
      {{{.status = 400, .body = R"({"message":"invalid symbol: A!"})"}}, "invalid symbol: A!"},
      {{{.status = 401, .body = std::string("no ") + kTestSecret}}, "\"no ***\""},
  };
  for (const auto& [replies, says] : cases) {
    Reply(replies);
    EXPECT_THAT(MessageOf([&] {
                  AllBars(*Source(), {{"AAPL"}, kMinute, 0, kMsPerHour});
                }),
                AllOf(HasSubstr(says), HasSubstr("/v2/stocks/bars?symbols=AAPL"),
                      Not(HasSubstr(kTestKey)), Not(HasSubstr(kTestSecret))));
  }
}

TEST_F(AlpacaTest, OptionsAndSymbolsAreChecked) {
  options_.feed = "nasdaq";
  EXPECT_THAT(MessageOf([&] { Source(); }), HasSubstr("use one of iex, sip"));
  options_.feed = std::nullopt;
  options_.adjustment = "all";
  EXPECT_EQ(Source()->default_market(), "alpaca-stocks-iex-all");
  options_.adjustment = "none";
  EXPECT_THAT(MessageOf([&] { Source(); }), HasSubstr("split, raw, dividend, all"));
  options_.adjustment = std::nullopt;
  EXPECT_THAT(MessageOf([&] { Source()->CheckSymbol("BTC/USD"); }), HasSubstr("alpaca-crypto"));
  EXPECT_THAT(MessageOf([&] { Source("alpaca-crypto")->CheckSymbol("BTCUSD"); }),
              HasSubstr("BTC/USD"));
}

}  // namespace
}  // namespace almanac
