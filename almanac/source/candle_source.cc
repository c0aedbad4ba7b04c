#include "almanac/source/candle_source.h"

#include <fmt/format.h>

#include <algorithm>

#include "almanac/base/config.h"
#include "almanac/base/text.h"
#include "almanac/source/alpaca_source.h"
#include "almanac/source/binance_source.h"
#include "almanac/source/candle_source_simulator.h"
#include "almanac/source/polygon_source.h"

namespace almanac {
namespace {

// Which options a source has.
struct KnownSource {
  std::string name;
  bool is_service;  // base_url, requests_per_minute
  bool has_feed;
  bool has_adjustment;
};

const std::vector<KnownSource>& KnownSources() {
  static const std::vector<KnownSource> known = {
      {"binance", true, false, false},   {"binance-perp", true, false, false},
      {"polygon", true, false, true},    {"polygon-crypto", true, false, false},
      {"alpaca", true, true, true},      {"alpaca-crypto", true, false, false},
      {"simulator", false, false, false}};
  return known;
}

[[noreturn]] void ThrowUnknown(const std::string& name) {
  std::string remedy = "the sources are " + Join(CandleSourceNames(), ", ");
  if (const auto near = NearestWord(name, CandleSourceNames())) {
    remedy = fmt::format("did you mean {}? {}", *near, remedy);
  }
  throw Error(ErrorCode::kUsage, fmt::format("source '{}'", name), "there is no such source",
              remedy);
}

void CheckOptions(const KnownSource& source, const SourceOptions& options) {
  const auto refuse = [&](bool given, bool has, const char* option) {
    if (given && !has) {
      throw Error(ErrorCode::kUsage, option,
                  fmt::format("the source {} has no such option", source.name), "leave it out");
    }
  };
  refuse(options.base_url.has_value(), source.is_service, "base_url");
  refuse(options.requests_per_minute.has_value(), source.is_service, "requests_per_minute");
  refuse(options.feed.has_value(), source.has_feed, "feed");
  refuse(options.adjustment.has_value(), source.has_adjustment, "adjustment");
  if (options.requests_per_minute && *options.requests_per_minute < 1) {
    throw Error(ErrorCode::kUsage, "requests_per_minute",
                fmt::format("{} is too few", *options.requests_per_minute), "use at least 1");
  }
  if (options.base_url && options.base_url->substr(0, 7) != "http://" &&
      options.base_url->substr(0, 8) != "https://") {
    throw Error(ErrorCode::kUsage, "base_url", fmt::format("'{}' is no URL", *options.base_url),
                "write it like https://api.binance.us");
  }
}

std::unique_ptr<CandleSource> Make(const std::string& name, const SourceOptions& options) {
  if (name == "binance") return MakeBinanceSource(BinanceMarket::kSpot, options);
  if (name == "binance-perp") return MakeBinanceSource(BinanceMarket::kPerpetual, options);
  if (name == "polygon") return MakePolygonSource(PolygonAsset::kStocks, options);
  if (name == "polygon-crypto") return MakePolygonSource(PolygonAsset::kCrypto, options);
  if (name == "alpaca") return MakeAlpacaSource(AlpacaAsset::kStocks, options);
  if (name == "alpaca-crypto") return MakeAlpacaSource(AlpacaAsset::kCrypto, options);
  return MakeSimulatorSource(options);
}

}  // namespace

void CandleSource::CheckSymbol(const std::string& symbol) const {
  if (symbol.empty()) {
    throw Error(ErrorCode::kUsage, "symbols", "an empty symbol", "name a symbol");
  }
}

const std::vector<std::string>& CandleSourceNames() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const KnownSource& source : KnownSources()) all.push_back(source.name);
    return all;
  }();
  return names;
}

std::unique_ptr<CandleSource> MakeCandleSource(const std::string& name,
                                               const SourceOptions& options) {
  const auto& known = KnownSources();
  const auto found = std::find_if(known.begin(), known.end(),
                                  [&](const KnownSource& source) { return source.name == name; });
  if (found == known.end()) ThrowUnknown(name);
  CheckOptions(*found, options);
  SourceOptions trimmed = options;
  while (trimmed.base_url && trimmed.base_url->back() == '/') trimmed.base_url->pop_back();
  return Make(name, trimmed);
}

void CheckTimeframe(const CandleSource& source, Timeframe timeframe) {
  const std::vector<Timeframe> known = source.timeframes();
  if (std::find(known.begin(), known.end(), timeframe) != known.end()) return;
  std::vector<std::string> names;
  names.reserve(known.size());
  for (const Timeframe each : known) names.push_back(each.name());
  throw Error(ErrorCode::kUsage, fmt::format("timeframe {}", timeframe.name()),
              fmt::format("the source {} has no such bars", source.name()),
              fmt::format("it has {}; download finer bars and resample them", Join(names, ", ")));
}

}  // namespace almanac
