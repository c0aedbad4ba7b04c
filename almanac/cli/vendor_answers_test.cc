// What vendors answer when something is wrong, a row each, from a server on this machine: the
// status, what the message must say, and that the lake holds nothing afterwards.
#include <gtest/gtest.h>
#include <httplib.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <nlohmann/json.hpp>
#include <ostream>
#include <thread>

#include "almanac/cli/program_for_test.h"

namespace almanac {
namespace {

using Words = std::vector<std::string>;
using Handler = std::function<void(const httplib::Request&, httplib::Response&)>;

constexpr char kKey[] = "key-that-nobody-may-see";
constexpr char kNoServer[] = "http://127.0.0.1:1";  // nothing listens there
constexpr char kJson[] = "application/json";

class Server {
 public:
  explicit Server(const Handler& handler) {
    server_.set_keep_alive_timeout(1);
    server_.Get(".*", [this, handler](const httplib::Request& request, httplib::Response& answer) {
      ++requests_;
      handler(request, answer);
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~Server() {
    server_.stop();
    thread_.join();
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  int requests() const { return requests_; }

 private:
  httplib::Server server_;
  int port_ = 0;
  std::atomic<int> requests_ = 0;
  std::thread thread_;
};

// A day of hourly bars as Binance answers.
std::string BinanceDay() {
  constexpr int64_t kFirst = 1704067200000;
  constexpr int64_t kHour = 3600000;
  Json bars = Json::array();
  for (int64_t i = 0; i < 24; ++i) {
    bars.push_back({kFirst + i * kHour, "100.5", "101.0", "99.5", "100.0", "12.5",
                    kFirst + (i + 1) * kHour - 1, "1250.0", 7, "6.0", "600.0", "0"});
  }
  return bars.dump();
}

struct Answer {
  std::string name;
  std::string source;
  int http_status;
  std::string body;
  int status;
  Words says;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string content_type = kJson;
  bool breaks_off = false;  // the connection ends after half of the body
  int most_requests = 3;
};

void PrintTo(const Answer& row, std::ostream* out) { *out << row.name; }

void Send(const Answer& row, httplib::Response& answer) {
  answer.status = row.http_status;
  for (const auto& [name, value] : row.headers) answer.set_header(name.c_str(), value);
  if (!row.breaks_off) {
    answer.set_content(row.body, row.content_type.c_str());
    return;
  }
  const std::string half = row.body.substr(0, row.body.size() / 2);
  answer.set_content_provider(row.body.size(), row.content_type.c_str(),
                              [half](size_t offset, size_t, httplib::DataSink& sink) {
                                if (offset == 0) sink.write(half.data(), half.size());
                                return false;
                              });
}

std::string FirstHalf(std::string text) {
  text.resize(text.size() / 2);
  return text;
}

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

std::vector<Answer> Answers() {
  const std::string day = BinanceDay();
  return {
      {"TruncatedJson",
       "binance",
       200,
       FirstHalf(day),
       3,
       {"GET http://127.0.0.1", "the answer is cut off"}},
      {"Html",
       "binance",
       200,
       "<html><body>maintenance</body></html>",
       3,
       {"GET http://127.0.0.1", "JSON"},
       {},
       "text/html"},
      {"Empty", "binance", 200, "", 3, {"GET http://127.0.0.1"}},
      {"AnObjectForAnArray", "binance", 200, "{\"code\": 0}", 3, {"GET http://127.0.0.1"}},
      {"ABarTooShort",
       "binance",
       200,
       "[[1704067200000, \"1\", \"2\"]]",
       3,
       {"bar 1", "3 fields, field 4 is missing"}},
      {"APriceThatIsNone",
       "binance",
       200,
       Replaced(day, "\"99.5\"", "\"low\""),
       3,
       {"bar 1", "field 4", "\"low\""}},
      {"ConnectionBroken",
       "binance",
       200,
       day,
       4,
       {"GET http://127.0.0.1", "2 attempts"},
       {},
       kJson,
       true},
      {"UnknownSymbol",
       "binance",
       400,
       R"({"code": -1121, "msg": "Invalid symbol."})",
       2,
       {"Invalid symbol.", "400"}},
      {"Forbidden",
       "binance",
       451,
       R"({"msg": "Service unavailable from a restricted location"})",
       2,
       {"restricted location"}},
      {"Always500", "binance", 500, "{}", 4, {"500", "2 attempts", "again later"}},
      {"Always429",
       "binance",
       429,
       R"({"code": -1003, "msg": "Too many requests"})",
       4,
       {"429", "Too many requests", "2 attempts"},
       {{"Retry-After", "0"}}},
      {"BannedForAnHour",
       "binance",
       418,
       R"({"code": -1003, "msg": "banned"})",
       4,
       {"418", "banned", "1h", "again after"},
       {{"Retry-After", "3600"}}},
      {"WrongKeyOfPolygon",
       "polygon",
       401,
       R"({"status": "ERROR", "error": "Unknown API Key"})",
       2,
       {"Unknown API Key", "401", "POLYGON_API_KEY"}},
      {"PlanOfPolygon",
       "polygon",
       403,
       R"({"status": "NOT_AUTHORIZED", "message": "Your plan doesn't include this data timeframe."})",
       2,
       {"Your plan doesn't include", "403"}},
      {"PolygonWithoutItsStatus",
       "polygon",
       200,
       R"({"results": [{"t": 1}]})",
       3,
       {"GET http://127.0.0.1"}},
      // Followed on the base URL's host alone: the key must not travel.
      {"PolygonNextElsewhere",
       "polygon",
       200,
       R"({"status": "OK", "results": [], "next_url": "http://elsewhere.example/next"})",
       3,
       {"GET http://127.0.0.1", "'next_url' leads in a circle"}},
      {"WrongKeyOfAlpaca",
       "alpaca",
       401,
       R"({"message": "unauthorized."})",
       2,
       {"unauthorized.", "401", "ALPACA_API_KEY_ID"}},
      {"AlpacaHtml",
       "alpaca",
       200,
       "<!doctype html>",
       3,
       {"GET http://127.0.0.1", "JSON"},
       {},
       "text/html"},
  };
}

Words Backfill(const std::string& source, const std::string& url) {
  return {"data",
          "backfill",
          source,
          source == "binance" ? "BTCUSDT" : "AAPL",
          "--timeframe",
          "1h",
          "--from",
          "2024-01-01",
          "--to",
          "2024-01-02",
          "--attempts",
          "2",
          "--requests-per-minute",
          "60000",
          "--base-url",
          url};
}

template <typename Row>
std::string NameOf(const testing::TestParamInfo<Row>& row) {
  return row.param.name;
}

class VendorAnswerTest : public testing::TestWithParam<Answer> {};

TEST_P(VendorAnswerTest, BecomesAMessageAndAStatusAndNoBars) {
  const Answer& row = GetParam();
  const Server server(
      [&](const httplib::Request&, httplib::Response& answer) { Send(row, answer); });
  ProgramFolder folder;
  for (const char* name : {"POLYGON_API_KEY", "ALPACA_API_KEY_ID", "ALPACA_API_SECRET_KEY"}) {
    folder.SetEnvironment(name, kKey);
  }
  const ProgramEnd end = folder.Run(Backfill(row.source, server.url()));
  EXPECT_EQ(end.status, row.status) << end.err;
  for (const std::string& text : row.says) {
    EXPECT_NE(end.err.find(text), std::string::npos) << "lacks: " << text << "\nin: " << end.err;
  }
  EXPECT_EQ(end.err.find(kKey), std::string::npos) << "a key was printed";
  EXPECT_GE(server.requests(), 1);
  EXPECT_LE(server.requests(), row.most_requests);
  EXPECT_TRUE(folder.Digests({"lake/candles"}).empty());
  EXPECT_EQ(folder.Leftovers(), Words());
}

INSTANTIATE_TEST_SUITE_P(Vendors, VendorAnswerTest, testing::ValuesIn(Answers()), NameOf<Answer>);

struct WrongRequest {
  std::string name;
  Words arguments;
  int status;
  Words says;
};

void PrintTo(const WrongRequest& row, std::ostream* out) { *out << row.name; }

class WrongRequestTest : public testing::TestWithParam<WrongRequest> {};

// Without any key in the environment.
TEST_P(WrongRequestTest, IsRefusedBeforeAnythingIsAsked) {
  const ProgramFolder folder;
  const WrongRequest& row = GetParam();
  const ProgramEnd end = folder.Run(row.arguments);
  EXPECT_EQ(end.status, row.status) << end.err;
  for (const std::string& text : row.says) {
    EXPECT_NE(end.err.find(text), std::string::npos) << "lacks: " << text << "\nin: " << end.err;
  }
  EXPECT_TRUE(folder.Digests({"lake/candles"}).empty());
}

Words With(Words words, const std::string& flag, const std::string& value) {
  const auto found = std::find(words.begin(), words.end(), flag);
  if (found != words.end()) {
    *(found + 1) = value;
  } else {
    words.insert(words.end(), {flag, value});
  }
  return words;
}

INSTANTIATE_TEST_SUITE_P(
    Backfill, WrongRequestTest,
    testing::Values(WrongRequest{"UnknownSource",
                                 Backfill("binanse", kNoServer),
                                 2,
                                 {"'binanse'", "did you mean binance?"}},
                    WrongRequest{
                        "PolygonWithoutAKey",
                        Backfill("polygon", kNoServer),
                        2,
                        {"POLYGON_API_KEY: is not set", "export POLYGON_API_KEY", "chmod 600"}},
                    WrongRequest{"AlpacaWithoutAKey",
                                 Backfill("alpaca", kNoServer),
                                 2,
                                 {"ALPACA_API_KEY_ID: is not set"}},
                    WrongRequest{"NoSuchTimeframe",
                                 With(Backfill("binance", kNoServer), "--timeframe", "7m"),
                                 2,
                                 {"'7m' is not a timeframe", "1m 3m 5m"}},
                    WrongRequest{"FromAfterTo",
                                 With(Backfill("binance", kNoServer), "--from", "2025-01-01"),
                                 2,
                                 {"2025-01-01T00:00:00Z is not before 2024-01-02T00:00:00Z"}},
                    WrongRequest{"FromNoTime",
                                 With(Backfill("binance", kNoServer), "--from", "soon"),
                                 2,
                                 {"--from: \"soon\"", "2024-01-31"}},
                    WrongRequest{"SymbolOfAnotherVendor",
                                 {"data", "backfill", "binance", "BTC/USDT", "--timeframe", "1h",
                                  "--from", "2024-01-01", "--base-url", kNoServer},
                                 2,
                                 {"'BTC/USDT'", "did you mean BTCUSDT?"}},
                    WrongRequest{"FeedOfAnotherVendor",
                                 With(Backfill("binance", kNoServer), "--feed", "sip"),
                                 2,
                                 {"feed", "binance", "no such option"}},
                    WrongRequest{"UrlThatIsNone",
                                 With(Backfill("binance", kNoServer), "--base-url", "binance"),
                                 2,
                                 {"'binance' is no URL", "https://"}},
                    WrongRequest{"NoRequestsAtAll",
                                 With(Backfill("binance", kNoServer), "--requests-per-minute", "0"),
                                 2,
                                 {"--requests-per-minute"}},
                    WrongRequest{"Unreachable",
                                 Backfill("binance", kNoServer),
                                 4,
                                 {"BTCUSDT", "127.0.0.1", "2 attempts", "check the network"}}),
    NameOf<WrongRequest>);

TEST(VendorTimeframeTest, OneThatTheVendorHasNotIsRefusedWithThoseThatItHas) {
  ProgramFolder folder;
  folder.SetEnvironment("ALPACA_API_KEY_ID", kKey);
  folder.SetEnvironment("ALPACA_API_SECRET_KEY", kKey);
  folder.SetEnvironment("POLYGON_API_KEY", kKey);
  for (const char* source : {"alpaca", "polygon"}) {
    const ProgramEnd end = folder.Run(With(Backfill(source, kNoServer), "--timeframe", "8h"));
    EXPECT_EQ(end.status, 2) << end.err;
    EXPECT_NE(end.err.find("timeframe 8h"), std::string::npos) << end.err;
    EXPECT_NE(end.err.find("it has 1m, 3m,"), std::string::npos) << end.err;
  }
}

TEST(VendorFailureTest, OneSymbolsFailureLeavesTheOthersBars) {
  const std::string day = BinanceDay();
  const Server server([&](const httplib::Request& request, httplib::Response& answer) {
    const bool known = request.get_param_value("symbol") == "BTCUSDT";
    answer.status = known ? 200 : 400;
    answer.set_content(known ? day : R"({"code": -1121, "msg": "Invalid symbol."})", kJson);
  });
  const ProgramFolder folder;
  Words arguments = Backfill("binance", server.url());
  arguments.insert(arguments.begin() + 4, "NOPEUSDT");
  const ProgramEnd end = folder.Run(arguments);
  EXPECT_EQ(end.status, 2) << end.err;
  EXPECT_NE(end.err.find("NOPEUSDT 1h: "), std::string::npos) << end.err;
  EXPECT_NE(end.err.find("Invalid symbol."), std::string::npos) << end.err;
  const Json shown = folder.Run({"data", "show", "--json"}).json();
  ASSERT_EQ(shown.size(), 1u);
  EXPECT_EQ(shown[0].at("symbol"), "BTCUSDT");
  EXPECT_EQ(shown[0].at("bars"), 24);
  // What is there is not asked for again.
  const int before = server.requests();
  EXPECT_EQ(folder.Run(Backfill("binance", server.url())).status, 0);
  EXPECT_EQ(server.requests(), before);
}

TEST(VendorFailureTest, ARunWhoseSourceFailsMakesNothing) {
  const Server server([&](const httplib::Request&, httplib::Response& answer) {
    answer.set_content("<html>", "text/html");
  });
  const ProgramFolder folder;
  folder.Write("recipe.yaml", SmallRecipe());
  const ProgramEnd end = folder.Run({"run", "recipe.yaml", "--set", "data.source=binance", "--set",
                                     "data.base_url=" + server.url()});
  EXPECT_EQ(end.status, 3) << end.err;
  EXPECT_NE(end.err.find("AAA 1h: GET " + server.url()), std::string::npos) << end.err;
  EXPECT_TRUE(folder.Digests({"lake/candles", "artifacts", "runs"}).empty());
  EXPECT_EQ(folder.Leftovers(), Words());
}

}  // namespace
}  // namespace almanac
