#include "almanac/source/alpaca_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "almanac/base/text.h"
#include "almanac/source/candle_source_json.h"
#include "almanac/source/candle_source_time.h"

namespace almanac {
namespace {

constexpr int kRequestsPerMinute = 200;
constexpr int kPageLimit = 10'000;  // bars of all symbols together
constexpr size_t kMostSymbols = 100;
constexpr DurationMs kSettlingTime = 2 * kMsPerDay;
// Accounts without a subscription may not ask for the consolidated tape's last 15 minutes.
constexpr DurationMs kSipDelay = 16 * kMsPerMinute;
// A pause that the vendor's headers ask for; a longer one is a misread clock.
constexpr DurationMs kLongestPause = 2 * kMsPerMinute;

struct Span {
  const char* timeframe;
  const char* name;
};
// Like Polygon's: hours are counted from midnight in New York.
constexpr std::array<Span, 8> kSpans = {{{"1m", "1Min"},
                                         {"3m", "3Min"},
                                         {"5m", "5Min"},
                                         {"15m", "15Min"},
                                         {"30m", "30Min"},
                                         {"1h", "1Hour"},
                                         {"1d", "1Day"},
                                         {"1w", "1Week"}}};

std::optional<TimeMs> PauseWhenSpent(const HttpResponse& response, TimeMs now) {
  const auto remaining = ParseInt64(response.Header("x-ratelimit-remaining"));
  const auto reset = ParseInt64(response.Header("x-ratelimit-reset"));
  if (!remaining || *remaining > 0 || !reset) return std::nullopt;
  return std::clamp(*reset * kMsPerSecond, now, now + kLongestPause);
}

class AlpacaSource : public CandleSource {
 public:
  AlpacaSource(AlpacaAsset asset, const SourceOptions& options, std::string feed,
               std::string adjustment, WaitClock& clock)
      : stocks_(asset == AlpacaAsset::kStocks),
        feed_(std::move(feed)),
        adjustment_(std::move(adjustment)),
        base_url_(options.base_url.value_or("https://data.alpaca.markets")),
        key_id_(RequireSecret("ALPACA_API_KEY_ID", options.home, "Alpaca")),
        key_(RequireSecret("ALPACA_API_SECRET_KEY", options.home, "Alpaca")),
        http_(Traits(options), options.http, options.retry, clock) {}

  std::string name() const override { return stocks_ ? "alpaca" : "alpaca-crypto"; }
  std::string default_market() const override {
    if (!stocks_) return "alpaca-crypto";
    return "alpaca-stocks-" + feed_ + (adjustment_ == "split" ? "" : "-" + adjustment_);
  }
  std::vector<Timeframe> timeframes() const override { return TimeframesOf(kSpans); }
  size_t max_symbols() const override { return kMostSymbols; }
  DurationMs settling_time() const override { return kSettlingTime; }
  bool adjusts_history() const override { return stocks_ && adjustment_ != "raw"; }

  void CheckSymbol(const std::string& symbol) const override {
    const bool pair = symbol.find('/') != std::string::npos;
    if (!symbol.empty() && symbol.find(',') == std::string::npos && pair != stocks_) return;
    throw Error(ErrorCode::kUsage, fmt::format("symbol '{}'", symbol),
                stocks_ ? "no symbol of a stock" : "no crypto pair",
                stocks_ ? (pair ? "crypto pairs are the source alpaca-crypto"
                                : "write it like AAPL or BRK.B")
                        : "write it like BTC/USD");
  }

  std::unique_ptr<CandlePages> Open(const CandleRequest& request) override;

 private:
  friend class AlpacaPages;

  static VendorTraits Traits(const SourceOptions& options) {
    VendorTraits traits;
    traits.name = "Alpaca";
    traits.key_help = "check ALPACA_API_KEY_ID, ALPACA_API_SECRET_KEY and the feed's subscription";
    traits.limit.weight = options.requests_per_minute.value_or(kRequestsPerMinute);
    traits.pause = &PauseWhenSpent;
    return traits;
  }

  bool stocks_;
  std::string feed_, adjustment_;
  std::string base_url_;
  Secret key_id_, key_;
  VendorHttp http_;
};

class AlpacaPages : public CandlePages {
 public:
  AlpacaPages(AlpacaSource& source, const CandleRequest& request)
      : source_(source), request_(request), end_(VendorEnd()), done_(end_ <= VendorBegin()) {}

  std::optional<CandlePage> Next() override {
    if (done_) return std::nullopt;
    const HttpRequest http = NextRequest();
    const std::string where = ShownRequest(http);
    const Json answer = ParseAnswer(source_.http_.Get(http), where);
    if (!answer.is_object()) ThrowBadAnswer(where, "the answer is not an object");
    ReadToken(answer, where);
    return PageOf(answer, where);
  }

 private:
  VendorRange Range() const {
    if (!source_.stocks_) return {request_.from, request_.to};
    return SessionVendorRange(request_.from, request_.to, request_.timeframe);
  }
  TimeMs VendorBegin() const { return Range().from; }
  TimeMs VendorEnd() const {
    const TimeMs end = Range().to;
    if (!source_.stocks_ || source_.feed_ != "sip") return end;
    return std::min(end, source_.http_.clock().Now() - kSipDelay);
  }

  HttpRequest NextRequest() const {
    HttpRequest http;
    http.url =
        source_.base_url_ + (source_.stocks_ ? "/v2/stocks/bars" : "/v1beta3/crypto/us/bars");
    http.query = {{"symbols", Join(request_.symbols, ",")},
                  {"timeframe", SpanOf(kSpans, request_.timeframe).name},
                  {"start", FormatTime(VendorBegin())},
                  {"end", FormatTime(end_ - 1)},
                  {"limit", std::to_string(kPageLimit)},
                  {"sort", "asc"}};
    if (source_.stocks_) {
      http.query.emplace_back("adjustment", source_.adjustment_);
      http.query.emplace_back("feed", source_.feed_);
    }
    if (!token_.empty()) http.query.emplace_back("page_token", token_);
    http.secret_headers = {{"APCA-API-KEY-ID", source_.key_id_},
                           {"APCA-API-SECRET-KEY", source_.key_}};
    return http;
  }

  void ReadToken(const Json& answer, const std::string& where) {
    const auto token = answer.find("next_page_token");
    if (token == answer.end()) ThrowBadAnswer(where, "the answer has no 'next_page_token'");
    done_ = token->is_null();
    if (done_) return;
    if (!token->is_string()) ThrowBadAnswer(where, "'next_page_token' is not text");
    token_ = token->get<std::string>();
    done_ = token_.empty();
    if (!done_ && !seen_.insert(token_).second) {
      ThrowBadAnswer(where, "'next_page_token' leads in a circle");
    }
  }

  CandlePage PageOf(const Json& answer, const std::string& where) {
    std::map<std::string, CandleSeries> by_symbol = Read(answer, where);
    CandlePage page;
    for (const std::string& symbol : request_.symbols) {
      const auto found = by_symbol.find(symbol);
      if (found == by_symbol.end() && !done_) continue;
      SymbolPage& part = page.symbols.emplace_back();
      part.bars.key = Key(symbol);
      if (found != by_symbol.end()) part.bars = std::move(found->second);
      // The order of symbols in pages is not relied on: before the last page, a symbol is known up
      // to its last bar.
      part.covered_to = request_.to;
      if (!done_) {
        part.covered_to = part.bars.empty()
                              ? request_.from
                              : part.bars.open_time.back() + request_.timeframe.duration();
      }
    }
    return page;
  }

  std::map<std::string, CandleSeries> Read(const Json& answer, const std::string& where) const {
    std::map<std::string, CandleSeries> by_symbol;
    const auto bars = answer.find("bars");
    if (bars == answer.end()) ThrowBadAnswer(where, "the answer has no 'bars'");
    if (bars->is_null()) return by_symbol;
    if (!bars->is_object()) ThrowBadAnswer(where, "'bars' is not an object with a list a symbol");
    for (const auto& [symbol, list] : bars->items()) {
      if (std::find(request_.symbols.begin(), request_.symbols.end(), symbol) ==
          request_.symbols.end()) {
        ThrowBadAnswer(where, fmt::format("it has bars of '{}', which was not asked for", symbol));
      }
      if (!list.is_array())
        ThrowBadAnswer(where, fmt::format("the bars of {} are no list", symbol));
      by_symbol[symbol] =
          SeriesOfAnswer(Key(symbol), ReadBars(list, where), request_.from, request_.to, where);
    }
    return by_symbol;
  }

  std::vector<Candle> ReadBars(const Json& list, const std::string& where) const {
    std::vector<Candle> bars;
    const TimeMs now = source_.http_.clock().Now();
    for (size_t i = 0; i < list.size(); ++i) {
      const BarReader reader(list[i], where, i);
      const std::optional<TimeMs> time = ParseTime(reader.Text("t"));
      if (!time) reader.Throw("field 't' is not an RFC 3339 time: '" + reader.Text("t") + "'");
      if (*time + request_.timeframe.duration() > now) continue;
      bars.push_back(
          reader.LetteredBar(source_.stocks_ ? SessionOpenTime(*time, request_.timeframe) : *time));
    }
    return bars;
  }

  SeriesKey Key(const std::string& symbol) const {
    return {source_.default_market(), symbol, request_.timeframe};
  }

  AlpacaSource& source_;
  CandleRequest request_;
  TimeMs end_;  // of the vendor's times, exclusive; the same for all pages
  bool done_;
  std::string token_;
  std::set<std::string> seen_;
};

std::unique_ptr<CandlePages> AlpacaSource::Open(const CandleRequest& request) {
  return std::make_unique<AlpacaPages>(*this, request);
}

std::string Choice(const char* what, const std::string& value,
                   const std::vector<std::string>& allowed) {
  if (std::find(allowed.begin(), allowed.end(), value) != allowed.end()) return value;
  throw Error(ErrorCode::kUsage, what, fmt::format("Alpaca has no '{}'", value),
              "use one of " + Join(allowed, ", "));
}

}  // namespace

std::unique_ptr<CandleSource> MakeAlpacaSource(AlpacaAsset asset, const SourceOptions& options) {
  const std::string feed = Choice("feed", options.feed.value_or("iex"), {"iex", "sip"});
  const std::string adjustment = Choice("adjustment", options.adjustment.value_or("split"),
                                        {"split", "raw", "dividend", "all"});
  return std::make_unique<AlpacaSource>(
      asset, options, feed, adjustment,
      options.clock != nullptr ? *options.clock : SystemWaitClock());
}

}  // namespace almanac
