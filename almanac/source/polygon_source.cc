#include "almanac/source/polygon_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "almanac/base/config.h"
#include "almanac/base/text.h"
#include "almanac/source/candle_source_json.h"
#include "almanac/source/candle_source_time.h"

namespace almanac {
namespace {

constexpr int kFreeRequestsPerMinute = 5;
constexpr int kPageLimit = 50'000;  // base aggregates (minutes or days) behind one answer
// Plans without live data get a day's bars after its end, at the weekend even later.
constexpr DurationMs kSettlingTime = 2 * kMsPerDay;

struct Span {
  const char* timeframe;
  int multiplier;
  const char* timespan;
};
// Hours are counted from midnight in New York, so a bar of several hours does not open on the grid
// of UTC hours: those are resampled from 1h.
constexpr std::array<Span, 8> kSpans = {{{"1m", 1, "minute"},
                                         {"3m", 3, "minute"},
                                         {"5m", 5, "minute"},
                                         {"15m", 15, "minute"},
                                         {"30m", 30, "minute"},
                                         {"1h", 1, "hour"},
                                         {"1d", 1, "day"},
                                         {"1w", 1, "week"}}};

// Path and query of "https://host/path?query": what follows belongs to the base URL that the user
// chose, so the key is never sent to a host that an answer names.
std::string PathOf(const std::string& url) {
  const size_t scheme = url.find("://");
  const size_t path = url.find('/', scheme == std::string::npos ? 0 : scheme + 3);
  return path == std::string::npos ? "" : url.substr(path);
}

// As the vendor writes it: the colon of "X:BTCUSD" stays.
std::string PathSegment(const std::string& symbol) {
  const size_t colon = symbol.find(':') + 1;  // 0 if there is none
  return symbol.substr(0, colon) + PercentEncode(symbol.substr(colon));
}

class PolygonSource : public CandleSource {
 public:
  PolygonSource(PolygonAsset asset, const SourceOptions& options, bool adjusted, WaitClock& clock)
      : stocks_(asset == PolygonAsset::kStocks),
        adjusted_(adjusted),
        base_url_(options.base_url.value_or("https://api.massive.com")),
        key_(RequireSecret("POLYGON_API_KEY", options.home, "Polygon")),
        http_(Traits(options), options.http, options.retry, clock) {}

  std::string name() const override { return stocks_ ? "polygon" : "polygon-crypto"; }
  std::string default_market() const override {
    if (!stocks_) return "polygon-crypto";
    return adjusted_ ? "polygon-stocks" : "polygon-stocks-raw";
  }
  std::vector<Timeframe> timeframes() const override { return TimeframesOf(kSpans); }
  DurationMs settling_time() const override { return kSettlingTime; }
  bool adjusts_history() const override { return stocks_ && adjusted_; }

  void CheckSymbol(const std::string& symbol) const override {
    const bool prefixed = symbol.substr(0, 2) == "X:";
    if (stocks_ && !symbol.empty() && symbol.find(':') == std::string::npos &&
        symbol.find('/') == std::string::npos) {
      return;
    }
    if (!stocks_ && prefixed && symbol.size() > 2 && symbol.find('/') == std::string::npos) return;
    throw Error(ErrorCode::kUsage, fmt::format("symbol '{}'", symbol),
                stocks_ ? "no ticker of a stock" : "no crypto ticker of Polygon",
                stocks_ ? (prefixed ? "crypto pairs are the source polygon-crypto"
                                    : "write it like AAPL or BRK.B")
                        : "write it like X:BTCUSD");
  }

  std::unique_ptr<CandlePages> Open(const CandleRequest& request) override;

 private:
  friend class PolygonPages;

  static VendorTraits Traits(const SourceOptions& options) {
    VendorTraits traits;
    traits.name = "Polygon";
    traits.key_help = "check POLYGON_API_KEY and what its plan includes";
    traits.limit.weight = options.requests_per_minute.value_or(kFreeRequestsPerMinute);
    return traits;
  }
  TimeMs KeptTime(TimeMs vendor_time, Timeframe timeframe) const {
    return stocks_ ? SessionOpenTime(vendor_time, timeframe) : vendor_time;
  }

  bool stocks_;
  bool adjusted_;
  std::string base_url_;
  Secret key_;
  VendorHttp http_;
};

class PolygonPages : public CandlePages {
 public:
  PolygonPages(PolygonSource& source, const CandleRequest& request)
      : source_(source), request_(request), next_(FirstRequest()), covered_to_(request.from) {}

  std::optional<CandlePage> Next() override {
    if (!next_) return std::nullopt;
    next_->secret_query = {{"apiKey", source_.key_}};
    const std::string where = ShownRequest(*next_);
    const Json answer = ParseAnswer(source_.http_.Get(*next_), where);
    CheckStatus(answer, where);
    CandlePage page;
    page.symbols.resize(1);
    page.symbols[0].bars = Read(answer, where);
    next_ = NextRequest(answer, where);
    if (!page.symbols[0].bars.empty()) {
      covered_to_ = std::max(covered_to_,
                             page.symbols[0].bars.open_time.back() + request_.timeframe.duration());
    }
    page.symbols[0].covered_to = next_ ? std::min(covered_to_, request_.to) : request_.to;
    return page;
  }

 private:
  HttpRequest FirstRequest() const {
    const Span& span = SpanOf(kSpans, request_.timeframe);
    VendorRange range{request_.from, request_.to};
    if (source_.stocks_) {
      range = SessionVendorRange(request_.from, request_.to, request_.timeframe);
    }
    HttpRequest http;
    http.url = fmt::format("{}/v2/aggs/ticker/{}/range/{}/{}/{}/{}", source_.base_url_,
                           PathSegment(request_.symbols[0]), span.multiplier, span.timespan,
                           range.from, range.to - 1);
    http.query = {{"adjusted", source_.adjusted_ ? "true" : "false"},
                  {"sort", "asc"},
                  {"limit", std::to_string(kPageLimit)}};
    return http;
  }

  // DELAYED answers are as good as OK ones: they end earlier.
  static void CheckStatus(const Json& answer, const std::string& where) {
    if (!answer.is_object()) ThrowBadAnswer(where, "the answer is not an object");
    const auto status = answer.find("status");
    if (status == answer.end() || !status->is_string()) {
      ThrowBadAnswer(where, "the answer has no 'status'");
    }
    const std::string text = status->get<std::string>();
    if (text == "OK" || text == "DELAYED") return;
    HttpResponse said;
    said.body = answer.dump();
    throw VendorError(ErrorCode::kUsage, where,
                      fmt::format("Polygon answered {}: \"{}\"", text, VendorMessage(said)),
                      "check the ticker, the range and what the key's plan includes", 200, false);
  }

  CandleSeries Read(const Json& answer, const std::string& where) const {
    const SeriesKey key{source_.default_market(), request_.symbols[0], request_.timeframe};
    const auto results = answer.find("results");
    std::vector<Candle> bars;
    if (results != answer.end() && !results->is_null()) {
      if (!results->is_array()) ThrowBadAnswer(where, "'results' is not a list");
      for (size_t i = 0; i < results->size(); ++i) {
        const BarReader reader((*results)[i], where, i);
        const TimeMs time = reader.Integer("t");
        if (time + request_.timeframe.duration() > source_.http_.clock().Now()) continue;
        bars.push_back(reader.LetteredBar(source_.KeptTime(time, request_.timeframe)));
      }
    }
    return SeriesOfAnswer(key, std::move(bars), request_.from, request_.to, where);
  }

  std::optional<HttpRequest> NextRequest(const Json& answer, const std::string& where) {
    const auto next = answer.find("next_url");
    if (next == answer.end() || next->is_null()) return std::nullopt;
    const std::string path = next->is_string() ? PathOf(next->get<std::string>()) : "";
    if (path.empty()) ThrowBadAnswer(where, "'next_url' is not a URL");
    if (!seen_.insert(path).second) ThrowBadAnswer(where, "'next_url' leads in a circle");
    HttpRequest http;
    http.url = source_.base_url_ + path;
    return http;
  }

  PolygonSource& source_;
  CandleRequest request_;
  std::optional<HttpRequest> next_;
  std::set<std::string> seen_;
  TimeMs covered_to_;
};

std::unique_ptr<CandlePages> PolygonSource::Open(const CandleRequest& request) {
  return std::make_unique<PolygonPages>(*this, request);
}

}  // namespace

std::unique_ptr<CandleSource> MakePolygonSource(PolygonAsset asset, const SourceOptions& options) {
  const std::string adjustment = options.adjustment.value_or("split");
  if (adjustment != "split" && adjustment != "raw") {
    throw Error(ErrorCode::kUsage, "adjustment", fmt::format("Polygon has no '{}'", adjustment),
                "use split or raw");
  }
  return std::make_unique<PolygonSource>(
      asset, options, adjustment == "split",
      options.clock != nullptr ? *options.clock : SystemWaitClock());
}

}  // namespace almanac
