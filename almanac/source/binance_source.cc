#include "almanac/source/binance_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "almanac/base/text.h"
#include "almanac/source/candle_source_json.h"

namespace almanac {
namespace {

// What one answer may hold, and what asking for that many costs in the vendor's count.
constexpr size_t kPageBars = 1000;
constexpr int kSpotPageWeight = 2, kPerpetualPageWeight = 5;
// The vendor allows 6000 and 2400 a minute and address; other programs may share the address.
constexpr int kSpotWeightLimit = 6000, kPerpetualWeightLimit = 2400;
constexpr double kSlowDownAt = 0.9;  // of the limit, by the vendor's own count
constexpr DurationMs kSettlingTime = kMsPerHour;

// The fields of a kline, by place: open time, open, high, low, close, volume, close time, quote
// volume, trades, ...
constexpr size_t kOpenTime = 0, kOpen = 1, kHigh = 2, kLow = 3, kClose = 4, kVolume = 5,
                 kTrades = 8;

// The vendor counts by its own clock's minutes; the pause ends with the minute.
std::optional<TimeMs> PauseNearLimit(const HttpResponse& response, TimeMs now, int limit) {
  const auto used = ParseInt64(response.Header("x-mbx-used-weight-1m"));
  if (!used || static_cast<double>(*used) < kSlowDownAt * limit) return std::nullopt;
  const TimeMs vendor_now = ParseHttpDate(response.Header("date")).value_or(now);
  return now + kMsPerMinute - vendor_now % kMsPerMinute + kMsPerSecond;
}

class BinanceSource : public CandleSource {
 public:
  BinanceSource(BinanceMarket market, const SourceOptions& options, WaitClock& clock)
      : spot_(market == BinanceMarket::kSpot),
        base_url_(options.base_url.value_or(spot_ ? "https://api.binance.com"
                                                  : "https://fapi.binance.com")),
        http_(Traits(options), options.http, options.retry, clock) {}

  std::string name() const override { return spot_ ? "binance" : "binance-perp"; }
  std::string default_market() const override { return spot_ ? "binance-spot" : "binance-perp"; }
  std::vector<Timeframe> timeframes() const override { return Timeframe::All(); }
  DurationMs settling_time() const override { return kSettlingTime; }

  void CheckSymbol(const std::string& symbol) const override {
    constexpr std::string_view kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    if (!symbol.empty() && symbol.find_first_not_of(kAllowed) == std::string::npos) return;
    std::string suggestion = ToUpper(symbol);
    std::erase_if(suggestion, [&](char c) { return kAllowed.find(c) == std::string_view::npos; });
    throw Error(
        ErrorCode::kUsage, fmt::format("symbol '{}'", symbol), "no symbol of Binance",
        suggestion.empty() ? "write it like BTCUSDT" : fmt::format("did you mean {}?", suggestion));
  }

  std::unique_ptr<CandlePages> Open(const CandleRequest& request) override;

 private:
  friend class BinancePages;

  VendorTraits Traits(const SourceOptions& options) const {
    VendorTraits traits;
    traits.name = "Binance";
    traits.key_help = "the service refuses this address: wait, or give another base URL";
    const int limit = spot_ ? kSpotWeightLimit : kPerpetualWeightLimit;
    const int page = spot_ ? kSpotPageWeight : kPerpetualPageWeight;
    traits.limit.weight = options.requests_per_minute ? *options.requests_per_minute * page
                                                      : static_cast<int>(limit * kSlowDownAt);
    traits.pause = [limit](const HttpResponse& response, TimeMs now) {
      return PauseNearLimit(response, now, limit);
    };
    return traits;
  }

  bool spot_;
  std::string base_url_;
  VendorHttp http_;
};

class BinancePages : public CandlePages {
 public:
  BinancePages(BinanceSource& source, const CandleRequest& request)
      : source_(source), request_(request), next_(request.from) {}

  std::optional<CandlePage> Next() override {
    if (next_ >= request_.to) return std::nullopt;
    HttpRequest http;
    http.url = source_.base_url_ + (source_.spot_ ? "/api/v3/klines" : "/fapi/v1/klines");
    http.query = {{"symbol", request_.symbols[0]},
                  {"interval", request_.timeframe.name()},
                  {"startTime", std::to_string(next_)},
                  {"endTime", std::to_string(request_.to - 1)},
                  {"limit", std::to_string(kPageBars)}};
    const std::string where = ShownRequest(http);
    const std::string body =
        source_.http_.Get(http, source_.spot_ ? kSpotPageWeight : kPerpetualPageWeight);
    return PageOf(ParseAnswer(body, where), where);
  }

 private:
  CandlePage PageOf(const Json& answer, const std::string& where) {
    if (!answer.is_array()) ThrowBadAnswer(where, "the answer is not a list of klines");
    const DurationMs duration = request_.timeframe.duration();
    const TimeMs now = source_.http_.clock().Now();
    std::vector<Candle> bars;
    for (size_t i = 0; i < answer.size(); ++i) {
      const Candle bar = Read(answer[i], where, i);
      if (bar.open_time + duration <= now) bars.push_back(bar);
    }
    TimeMs last = next_ - 1;
    for (const Candle& bar : bars) last = std::max(last, bar.open_time);
    const bool full = answer.size() >= kPageBars;
    if (full && last < next_) {
      ThrowBadAnswer(where, "a full page has no bar after the page before it");
    }
    const SeriesKey key{source_.default_market(), request_.symbols[0], request_.timeframe};
    CandlePage page;
    page.symbols.resize(1);
    page.symbols[0].bars = SeriesOfAnswer(key, std::move(bars), next_, request_.to, where);
    next_ = full ? std::min(last + duration, request_.to) : request_.to;
    page.symbols[0].covered_to = next_;
    return page;
  }

  static Candle Read(const Json& kline, const std::string& where, size_t index) {
    const BarReader reader(kline, where, index);
    Candle bar;
    bar.open_time = reader.Integer(kOpenTime);
    bar.open = reader.Number(kOpen);
    bar.high = reader.Number(kHigh);
    bar.low = reader.Number(kLow);
    bar.close = reader.Number(kClose);
    bar.volume = reader.Number(kVolume);
    bar.trade_count = static_cast<double>(reader.Integer(kTrades));
    return bar;
  }

  BinanceSource& source_;
  CandleRequest request_;
  TimeMs next_;
};

std::unique_ptr<CandlePages> BinanceSource::Open(const CandleRequest& request) {
  return std::make_unique<BinancePages>(*this, request);
}

}  // namespace

std::unique_ptr<CandleSource> MakeBinanceSource(BinanceMarket market,
                                                const SourceOptions& options) {
  return std::make_unique<BinanceSource>(
      market, options, options.clock != nullptr ? *options.clock : SystemWaitClock());
}

}  // namespace almanac
