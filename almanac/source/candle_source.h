// Where candles come from: a vendor's service, or the market simulator, behind one interface that
// gives a request's bars page by page. docs/sources.md describes each source.
#ifndef ALMANAC_SOURCE_CANDLE_SOURCE_H_
#define ALMANAC_SOURCE_CANDLE_SOURCE_H_

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "almanac/base/time.h"
#include "almanac/market/candle.h"
#include "almanac/market/timeframe.h"
#include "almanac/source/http.h"
#include "almanac/source/http_retry.h"
#include "almanac/source/rate_limit.h"
#include "almanac/source/simulator.h"

namespace almanac {

// Bars with from <= open time < to; both ends on the timeframe's grid.
struct CandleRequest {
  std::vector<std::string> symbols;  // 1 .. CandleSource::max_symbols()
  Timeframe timeframe;
  TimeMs from = 0;
  TimeMs to = 0;
};

// One symbol's part of a page.
struct SymbolPage {
  // Sorted, without duplicates, all complete and inside the request; the key's market is the
  // source's. May be empty.
  CandleSeries bars;
  // Everything that the source has with an open time before this has been given, on this page or an
  // earlier one. Reaches the request's `to` at the last page.
  TimeMs covered_to = 0;
};

struct CandlePage {
  std::vector<SymbolPage> symbols;  // those on which the page says something, each at most once
};

class CandlePages {
 public:
  virtual ~CandlePages() = default;
  // Nothing after the last page. Throws Error: kUnavailable, kBadData (an answer that is not what
  // the vendor documents), kUsage (VendorError).
  virtual std::optional<CandlePage> Next() = 0;
};

class CandleSource {
 public:
  virtual ~CandleSource() = default;

  virtual std::string name() const = 0;            // "binance", as users write it
  virtual std::string default_market() const = 0;  // "binance-spot"
  // What the bars depend on beside symbol and timeframe: bars of different identities are refused
  // in one series.
  virtual std::string identity() const { return default_market(); }
  virtual std::vector<Timeframe> timeframes() const = 0;
  // How many symbols one request may have.
  virtual size_t max_symbols() const { return 1; }
  // Bars younger than this may still be missing in an answer though the vendor will have them.
  virtual DurationMs settling_time() const { return 0; }
  // Whether past prices change when a company splits its stock.
  virtual bool adjusts_history() const { return false; }
  // Throws Error(kUsage) for a symbol that cannot be one of this source's.
  virtual void CheckSymbol(const std::string& symbol) const;
  // A bar that is still open is never given. The source must outlive the pages. Safe from several
  // threads.
  virtual std::unique_ptr<CandlePages> Open(const CandleRequest& request) = 0;
};

// Everything that can be chosen about a source. Unset: the source's own default.
struct SourceOptions {
  std::filesystem::path home;           // where secrets.yaml may be
  std::optional<std::string> base_url;  // "https://api.binance.us": a region's host, or a test's
  std::optional<int> requests_per_minute;
  // Alpaca stocks: "sip" or "iex"; default "iex", which every account has.
  std::optional<std::string> feed;
  // Polygon: "split" (default) or "raw". Alpaca stocks: "split" (default), "raw", "dividend",
  // "all".
  std::optional<std::string> adjustment;
  HttpOptions http;
  RetryPolicy retry;
  WaitClock* clock = nullptr;  // not owned; nullptr: SystemWaitClock()
  // Of the simulator: everything but symbols, timeframe, from and to.
  SimulatorOptions simulator;
};

// The names that MakeCandleSource knows: binance, binance-perp, polygon, polygon-crypto, alpaca,
// alpaca-crypto, simulator.
const std::vector<std::string>& CandleSourceNames();
// Throws Error(kUsage) for an unknown name (with the nearest known one), an option that the source
// does not have, and a key that is missing.
std::unique_ptr<CandleSource> MakeCandleSource(const std::string& name,
                                               const SourceOptions& options);

// Throws Error(kUsage) that lists the source's timeframes if it has no `timeframe`.
void CheckTimeframe(const CandleSource& source, Timeframe timeframe);

}  // namespace almanac

#endif  // ALMANAC_SOURCE_CANDLE_SOURCE_H_
