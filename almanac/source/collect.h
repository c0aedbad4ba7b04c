// Brings every configured series up to now: what a scheduled job calls (docs/scheduling.md).
//
//   collect:
//     - source: binance
//       symbols: [BTCUSDT, ETHUSDT]
//       timeframes: [1h, 1d]
//       from: 2020-01-01
//       market: binance-spot          # optional, as are the options of the source:
//       base_url: https://api.binance.us
//       requests_per_minute: 600
//       feed: sip                     # alpaca
//       adjustment: raw               # alpaca, polygon
//       seed: 7                       # simulator
#ifndef ALMANAC_SOURCE_COLLECT_H_
#define ALMANAC_SOURCE_COLLECT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/base/config.h"
#include "almanac/base/home.h"
#include "almanac/base/json.h"
#include "almanac/base/progress.h"
#include "almanac/lake/candle_store.h"
#include "almanac/source/backfill.h"
#include "almanac/source/candle_source.h"

namespace almanac {

struct CollectEntry {
  std::string place;  // in the configuration, for errors
  std::string source;
  std::string market;  // "": the source's default
  std::vector<std::string> symbols;
  std::vector<Timeframe> timeframes;
  TimeMs from = 0;
  std::optional<std::string> base_url, feed, adjustment;
  std::optional<int> requests_per_minute;
  std::optional<uint64_t> seed;
};

// Reads the list `key` of `node`. Throws Error(kUsage) if it is missing or empty, for unknown
// sources and timeframes, and for an entry without symbols.
std::vector<CollectEntry> ReadCollectConfig(const ConfigNode& node,
                                            std::string_view key = "collect");

struct CollectReport {
  struct Part {
    std::string source;
    std::string place;
    Timeframe timeframe;
    BackfillReport backfill;     // no outcomes if `error` is set
    std::optional<Error> error;  // the part as a whole could not begin: a missing key
  };
  std::vector<Part> parts;  // one for each entry and timeframe, in order
  int exit_status() const;  // of the worst part
};

// `options` holds what the entries do not say: home, timeouts, clock. Entries fail on their own.
CollectReport Collect(const std::vector<CollectEntry>& entries, const SourceOptions& options,
                      CandleStore& store, const Home& home, Progress& progress);

Json ToJson(const CollectReport& report);

}  // namespace almanac

#endif  // ALMANAC_SOURCE_COLLECT_H_
