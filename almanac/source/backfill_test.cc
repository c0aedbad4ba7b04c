#include "almanac/source/backfill.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "almanac/base/cancel.h"
#include "almanac/source/backfill_coverage.h"
#include "almanac/source/vendor_test_server.h"

namespace almanac {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const TimeMs kNow = *ParseTime("2024-06-10T12:00:00Z");
const TimeMs kFrom = *ParseTime("2024-01-01");
const Timeframe kHour = Timeframe::Parse("1h");
const Timeframe kDay = Timeframe::Parse("1d");

double PriceAt(TimeMs time) { return 100 + static_cast<double>(time / kMsPerHour % 701) / 4; }

// Everything that was asked, bar by bar: what nobody may ask for twice.
using Asked = std::multiset<std::pair<std::string, TimeMs>>;

// An exchange of hourly bars from kFrom on, with an outage of 30 hours.
class HourlyExchange {
 public:
  TestReply operator()(const TestRequest& request, size_t) {
    const std::string symbol = request.Query("symbol");
    if (symbol == "NOPE")
      return {.status = 400, .body = R"({"code":-1121,"msg":"Invalid symbol."})"};
    if (symbol == "DOWN") return {.status = 503, .body = ""};
    ++requests;
    Json page = Json::array();
    TimeMs time = std::max(request.Time("startTime"), kFrom);
    time += (kMsPerHour - time % kMsPerHour) % kMsPerHour;
    for (; time <= request.Time("endTime") && page.size() < 1000; time += kMsPerHour) {
      if (time >= outage && time < outage + 30 * kMsPerHour) continue;
      const std::string price = fmt::format("{}", PriceAt(time) * factor);
      page.push_back(
          {time, price, price, price, price, "1", time + kMsPerHour - 1, "1", 5, "1", "1", "0"});
      asked.emplace(symbol, time);
    }
    return {.status = 200, .body = page.dump()};
  }

  TimeMs outage = kFrom + 500 * kMsPerHour;
  double factor = 1;
  int requests = 0;
  Asked asked;
};

class BackfillTest : public testing::Test {
 protected:
  BackfillTest()
      : server_([this](const TestRequest& request, size_t index) {
          return exchange_(request, index);
        }) {}

  BackfillRequest Request(std::vector<std::string> symbols, TimeMs to = kMaxTime) {
    BackfillRequest request;
    request.symbols = std::move(symbols);
    request.timeframe = kHour;
    request.from = kFrom;
    request.to = to;
    request.clock = &clock_;
    request.batch = 1500;
    return request;
  }
  BackfillReport Run(const BackfillRequest& request, const std::filesystem::path& root) {
    const Home home{root};
    CandleStore store(home);
    const auto source = MakeCandleSource("binance", TestOptions(server_, clock_));
    BackfillReport report = Backfill(*source, store, home, request, NoProgress());
    server_.Settle();
    return report;
  }
  BackfillReport Run(const BackfillRequest& request) { return Run(request, folder_.path()); }
  CandleSeries Stored(const std::string& symbol = "BTCUSDT") {
    return CandleStore(Home{folder_.path()}).Read({"binance-spot", symbol, kHour});
  }

  FakeClock clock_{kNow};
  HourlyExchange exchange_;
  VendorTestServer server_;
  TemporaryFolder folder_;
};

TEST_F(BackfillTest, FetchesEverythingOnceAndNothingTwice) {
  const BackfillReport first = Run(Request({"BTCUSDT", "ETHUSDT", "BTCUSDT"}));
  EXPECT_EQ(first.exit_status(), 0);
  ASSERT_EQ(first.outcomes.size(), 2u);
  const int64_t hours = (kNow - kFrom) / kMsPerHour - 30;
  EXPECT_EQ(first.outcomes[0].received, hours);
  EXPECT_EQ(first.outcomes[0].stats.added, hours);
  EXPECT_EQ(first.received, 2 * hours);
  const CandleSeries bars = Stored();
  ASSERT_EQ(static_cast<int64_t>(bars.size()), hours);
  for (size_t i = 0; i < bars.size(); ++i) EXPECT_EQ(bars.close[i], PriceAt(bars.open_time[i]));

  const int requests = exchange_.requests;
  const BackfillReport second = Run(Request({"BTCUSDT", "ETHUSDT"}));
  // The last hour settles: it may be asked for again only where bars are missing there.
  EXPECT_EQ(exchange_.requests, requests);
  EXPECT_TRUE(second.outcomes[0].up_to_date);
  EXPECT_EQ(second.received, 0);
}

TEST_F(BackfillTest, AsksOnlyForWhatIsNew) {
  Run(Request({"BTCUSDT"}, kFrom + 100 * kMsPerHour));
  Run(Request({"BTCUSDT"}, kFrom + 300 * kMsPerHour));
  BackfillRequest later = Request({"BTCUSDT"}, kFrom + 600 * kMsPerHour);
  later.from = kFrom + 400 * kMsPerHour;
  Run(later);
  Run(Request({"BTCUSDT"}, kFrom + 700 * kMsPerHour));  // fills 300..400 and 600..700
  EXPECT_EQ(Stored().size(), 670u);
  EXPECT_EQ(exchange_.requests, 5);
  for (const auto& [symbol, time] : exchange_.asked) {
    EXPECT_EQ(exchange_.asked.count({symbol, time}), 1u) << FormatTime(time);
  }
}

TEST_F(BackfillTest, AnOutageIsNotAskedForAgain) {
  BackfillRequest request = Request({"BTCUSDT"}, kFrom + 515 * kMsPerHour);  // ends inside it
  Run(request);
  const int requests = exchange_.requests;
  EXPECT_TRUE(Run(request).outcomes[0].up_to_date);
  EXPECT_EQ(exchange_.requests, requests);
}

TEST_F(BackfillTest, WhatMayStillComeIsAskedForAgain) {
  exchange_.outage = kNow - 2 * kMsPerHour;  // the last two hours are missing, perhaps not for ever
  Run(Request({"BTCUSDT"}));
  const size_t bars = Stored().size();
  exchange_.outage = kFrom + 500 * kMsPerHour;
  clock_.Set(kNow + kMsPerMinute);
  EXPECT_FALSE(Run(Request({"BTCUSDT"})).outcomes[0].up_to_date);
  // The older of the two had an hour to come; that one is an outage.
  EXPECT_EQ(Stored().size(), bars + 1);
}

TEST_F(BackfillTest, RefreshAsksAgainAndReplaces) {
  const BackfillRequest request = Request({"BTCUSDT"}, kFrom + 100 * kMsPerHour);
  Run(request);
  exchange_.factor = 2;
  BackfillRequest refresh = request;
  refresh.refresh = true;
  refresh.from = kFrom + 50 * kMsPerHour;
  const BackfillReport report = Run(refresh);
  EXPECT_EQ(report.outcomes[0].stats.replaced, 50);
  EXPECT_EQ(report.outcomes[0].stats.added, 0);
  EXPECT_EQ(Stored().close[49], PriceAt(kFrom + 49 * kMsPerHour));
  EXPECT_EQ(Stored().close[50], 2 * PriceAt(kFrom + 50 * kMsPerHour));
  EXPECT_TRUE(Run(request).outcomes[0].up_to_date);
}

TEST_F(BackfillTest, OneFailureDoesNotSpoilTheOthers) {
  const BackfillReport report = Run(Request({"NOPE", "BTCUSDT", "DOWN"}, kFrom + 10 * kMsPerHour));
  ASSERT_EQ(report.outcomes.size(), 3u);
  EXPECT_EQ(report.outcomes[0].error->code(), ErrorCode::kUsage);
  EXPECT_THAT(report.outcomes[0].error->what(), HasSubstr("binance-spot NOPE 1h"));
  EXPECT_FALSE(report.outcomes[1].error);
  EXPECT_EQ(report.outcomes[2].error->code(), ErrorCode::kUnavailable);
  EXPECT_EQ(report.exit_status(), 2) << "wrong use before unavailable";
  EXPECT_EQ(Stored().size(), 10u);
  const Json json = ToJson(report);
  EXPECT_EQ(json["series"][1]["added"], 10);
  EXPECT_THAT(json["series"][0]["error"].get<std::string>(), HasSubstr("Invalid symbol."));
}

TEST_F(BackfillTest, AFailureHalfWayKeepsWhatCameAndContinues) {
  server_.set_handler([this](const TestRequest& request, size_t index) {
    if (index >= 2) return TestReply{.status = 200, .body = "<html>"};
    return exchange_(request, index);
  });
  EXPECT_EQ(Run(Request({"BTCUSDT"})).exit_status(), 3);
  EXPECT_EQ(Stored().size(), 2000u);
  server_.set_handler(
      [this](const TestRequest& request, size_t index) { return exchange_(request, index); });
  EXPECT_EQ(Run(Request({"BTCUSDT"})).exit_status(), 0);
  for (const auto& [symbol, time] : exchange_.asked) {
    EXPECT_EQ(exchange_.asked.count({symbol, time}), 1u) << FormatTime(time);
  }
  EXPECT_EQ(static_cast<int64_t>(Stored().size()), (kNow - kFrom) / kMsPerHour - 30);
}

TEST_F(BackfillTest, AStopWritesWhatCameAndContinuesLater) {
  server_.set_handler([this](const TestRequest& request, size_t index) {
    if (index == 1) RequestCancel();
    return exchange_(request, index);
  });
  EXPECT_THAT(MessageOf([&] { Run(Request({"BTCUSDT"})); }), HasSubstr("interrupted"));
  ResetCancel();
  EXPECT_GE(Stored().size(), 1000u);
  Run(Request({"BTCUSDT"}));
  EXPECT_EQ(static_cast<int64_t>(Stored().size()), (kNow - kFrom) / kMsPerHour - 30);
}

TEST_F(BackfillTest, DeletedBarsAreFetchedAgain) {
  const BackfillRequest request = Request({"BTCUSDT"}, kFrom + 10 * kMsPerHour);
  Run(request);
  CandleStore(Home{folder_.path()}).Remove({"binance-spot", "BTCUSDT", kHour});
  Run(request);
  EXPECT_EQ(Stored().size(), 10u);
}

TEST_F(BackfillTest, BarsOfTwoOriginsDoNotMix) {
  const BackfillRequest request = Request({"BTCUSDT"}, kFrom + 10 * kMsPerHour);
  Run(request);
  const Home home{folder_.path()};
  CandleStore store(home);
  const auto perp = MakeCandleSource("binance-perp", TestOptions(server_, clock_));
  BackfillRequest mixed = request;
  mixed.market = "binance-spot";
  const BackfillReport report = Backfill(*perp, store, home, mixed, NoProgress());
  EXPECT_THAT(report.outcomes[0].error->what(),
              HasSubstr("its bars come from 'binance-spot', not from 'binance-perp'"));
  EXPECT_EQ(report.exit_status(), 2);
}

TEST_F(BackfillTest, WrongRequestsAreRefused) {
  const auto message = [&](auto change) {
    BackfillRequest request = Request({"BTCUSDT"});
    change(request);
    return MessageOf([&] { Run(request); });
  };
  EXPECT_THAT(message([](BackfillRequest& r) { r.symbols.clear(); }), HasSubstr("at least one"));
  EXPECT_THAT(message([](BackfillRequest& r) { r.symbols = {"btcusdt"}; }),
              HasSubstr("did you mean BTCUSDT?"));
  EXPECT_THAT(message([](BackfillRequest& r) { r.to = r.from; }), HasSubstr("is not before"));
  EXPECT_THAT(message([](BackfillRequest& r) { r.from = kNow + 1; }), HasSubstr("before now"));
  EXPECT_THAT(message([](BackfillRequest& r) { r.market = "../x"; }), HasSubstr("'../x'"));
  EXPECT_EQ(exchange_.requests, 0);
}

// Killed at any instant and run again, the lake ends as after one unbroken run.
TEST_F(BackfillTest, SurvivesBeingKilled) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the thread sanitizer does not follow a child of a process with threads";
#endif
  BackfillRequest request = Request({"BTCUSDT", "ETHUSDT"});
  request.batch = 900;
  TemporaryFolder unbroken;
  Run(request, unbroken.path());
  // The server kills whoever makes its third, second, third request. The writes of the pages before
  // are then done, under way or still to come, as it happens.
  std::atomic<pid_t> child{0};
  std::atomic<int> requests_left{0};
  server_.set_handler([&](const TestRequest& asked, size_t index) {
    if (requests_left-- == 1) {
      while (child == 0) std::this_thread::yield();
      ::kill(child, SIGKILL);
    }
    return exchange_(asked, index);
  });
  for (const int requests : {3, 2, 3}) {
    child = 0;
    requests_left = requests;
    const pid_t pid = fork();
    if (pid == 0) {
      try {
        Run(request);
      } catch (...) {
        _exit(9);
      }
      _exit(0);
    }
    child = pid;
    int status = 0;
    waitpid(pid, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "it ended by itself, status " << status;
  }
  EXPECT_EQ(Run(request).exit_status(), 0);
  for (const char* symbol : {"BTCUSDT", "ETHUSDT"}) {
    const SeriesKey key{"binance-spot", symbol, kHour};
    EXPECT_EQ(CandleStore::ContentHash(Stored(symbol)),
              CandleStore::ContentHash(CandleStore(Home{unbroken.path()}).Read(key)));
    EXPECT_EQ(LoadCoverage(Home{folder_.path()}, key).answered,
              LoadCoverage(Home{unbroken.path()}, key).answered);
  }
  EXPECT_TRUE(Run(request).outcomes[1].up_to_date);
}

// Daily bars of two stocks whose past prices are divided when the stock is split.
class StockVendor {
 public:
  TestReply operator()(const TestRequest& request, size_t) {
    ++requests;
    symbols_asked.push_back(request.Query("symbols"));
    if (request.Query("symbols").find("BAD") != std::string::npos) {
      return {.status = 400, .body = R"({"message":"invalid symbol: BAD"})"};
    }
    Json bars = Json::object();
    for (const char* symbol : {"AAPL", "MSFT"}) {
      if (request.Query("symbols").find(symbol) == std::string::npos) continue;
      Json list = Json::array();
      const TimeMs from = *ParseTime(request.Query("start")), to = *ParseTime(request.Query("end"));
      for (TimeMs time = kFrom + 5 * kMsPerHour; time <= to; time += kMsPerDay) {
        if (time < from) continue;
        const double price = PriceAt(time) / (symbol == std::string("AAPL") ? aapl_split : 1.0);
        list.push_back({{"t", FormatTime(time)},
                        {"o", price},
                        {"h", price},
                        {"l", price},
                        {"c", price},
                        {"v", 1},
                        {"n", 1},
                        {"vw", price}});
      }
      bars[symbol] = list;
    }
    return {.status = 200, .body = Json{{"bars", bars}, {"next_page_token", nullptr}}.dump()};
  }
  double aapl_split = 1;
  int requests = 0;
  std::vector<std::string> symbols_asked;
};

class StockBackfillTest : public BackfillTest {
 protected:
  StockBackfillTest() {
    server_.set_handler(
        [this](const TestRequest& request, size_t index) { return vendor_(request, index); });
  }
  BackfillReport Run(std::vector<std::string> symbols, TimeMs to) {
    BackfillRequest request = Request(std::move(symbols), to);
    request.timeframe = kDay;
    const Home home{folder_.path()};
    CandleStore store(home);
    const auto source = MakeCandleSource("alpaca", TestOptions(server_, clock_));
    BackfillReport report = Backfill(*source, store, home, request, NoProgress());
    server_.Settle();
    return report;
  }
  CandleSeries Stored(const std::string& symbol) {
    return CandleStore(Home{folder_.path()}).Read({"alpaca-stocks-iex", symbol, kDay});
  }
  StockVendor vendor_;
};

TEST_F(StockBackfillTest, ManySymbolsShareARequest) {
  EXPECT_EQ(Run({"AAPL", "MSFT"}, kFrom + 20 * kMsPerDay).exit_status(), 0);
  EXPECT_EQ(vendor_.requests, 1);
  EXPECT_EQ(Stored("AAPL").size(), 20u);
  EXPECT_EQ(Stored("MSFT").size(), 20u);
}

TEST_F(StockBackfillTest, ARefusedSymbolDoesNotSpoilItsRequest) {
  const BackfillReport report = Run({"AAPL", "BAD", "MSFT"}, kFrom + 20 * kMsPerDay);
  EXPECT_FALSE(report.outcomes[0].error);
  EXPECT_THAT(report.outcomes[1].error->what(), HasSubstr("invalid symbol: BAD"));
  EXPECT_FALSE(report.outcomes[2].error);
  EXPECT_EQ(Stored("MSFT").size(), 20u);
}

TEST_F(StockBackfillTest, ASplitIsNoticedAndTheSeriesDownloadedAnew) {
  Run({"AAPL", "MSFT"}, kFrom + 20 * kMsPerDay);
  const BackfillReport plain = Run({"AAPL", "MSFT"}, kFrom + 30 * kMsPerDay);
  EXPECT_FALSE(plain.outcomes[0].readjusted);
  EXPECT_EQ(vendor_.requests, 2) << "looking at the last bar again costs no request";

  vendor_.aapl_split = 4;
  const BackfillReport report = Run({"AAPL", "MSFT"}, kFrom + 40 * kMsPerDay);
  EXPECT_TRUE(report.outcomes[0].readjusted);
  EXPECT_FALSE(report.outcomes[1].readjusted);
  EXPECT_THAT(vendor_.symbols_asked, ElementsAre("AAPL,MSFT", "AAPL,MSFT", "AAPL,MSFT", "AAPL"));
  const CandleSeries apple = Stored("AAPL"), microsoft = Stored("MSFT");
  ASSERT_EQ(apple.size(), 40u);
  ASSERT_EQ(microsoft.size(), 40u);
  for (size_t i = 0; i < apple.size(); ++i) {
    const double price = PriceAt(apple.open_time[i] + 5 * kMsPerHour);
    EXPECT_EQ(apple.close[i], price / 4);
    EXPECT_EQ(microsoft.close[i], price);
  }
  EXPECT_TRUE(Run({"AAPL", "MSFT"}, kFrom + 40 * kMsPerDay).outcomes[0].up_to_date);
}

TEST_F(StockBackfillTest, AWrongKeyEndsEverythingAtOnce) {
  int requests = 0;
  server_.set_handler([&](const TestRequest&, size_t) {
    ++requests;
    return TestReply{.status = 403, .body = R"({"message":"forbidden."})"};
  });
  std::vector<std::string> symbols;
  for (int i = 0; i < 250; ++i) symbols.push_back(fmt::format("S{}", i));
  const BackfillReport report = Run(symbols, kFrom + 20 * kMsPerDay);
  EXPECT_LE(requests, 3) << "three requests of 100 symbols, begun at once at most";
  for (const BackfillOutcome& outcome : report.outcomes) {
    EXPECT_THAT(outcome.error->what(), HasSubstr("ALPACA_API_KEY_ID"));
  }
  EXPECT_EQ(report.exit_status(), 2);
}

}  // namespace
}  // namespace almanac
