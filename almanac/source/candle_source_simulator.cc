#include "almanac/source/candle_source_simulator.h"

#include <fmt/format.h>

#include <algorithm>

#include "almanac/base/hash.h"

namespace almanac {
namespace {

constexpr size_t kMostSymbols = 64;
constexpr size_t kPageBars = 4096;   // of each symbol
constexpr size_t kShownDigits = 12;  // of a hash

class SimulatorPages : public CandlePages {
 public:
  SimulatorPages(const SimulatorOptions& options, TimeMs to) : simulator_(options), to_(to) {
    for (const SimulatedSymbol& symbol : options.symbols) {
      keys_.push_back({kSimulatorMarket, symbol.name, options.timeframe});
    }
  }

  std::optional<CandlePage> Next() override {
    if (done_) return std::nullopt;
    std::vector<CandleSeries> block = simulator_.Next(kPageBars);
    done_ = block.empty() || block[0].size() < kPageBars;
    CandlePage page;
    for (size_t i = 0; i < keys_.size(); ++i) {
      SymbolPage& part = page.symbols.emplace_back();
      part.bars.key = keys_[i];
      if (!block.empty()) part.bars = std::move(block[i]);
      part.covered_to = done_ ? to_ : part.bars.open_time.back() + keys_[i].timeframe.duration();
    }
    return page;
  }

 private:
  MarketSimulator simulator_;
  std::vector<SeriesKey> keys_;
  TimeMs to_;
  bool done_ = false;
};

class SimulatorSource : public CandleSource {
 public:
  SimulatorSource(SimulatorOptions options, WaitClock& clock)
      : options_(std::move(options)), clock_(clock) {}

  std::string name() const override { return "simulator"; }
  std::string default_market() const override { return kSimulatorMarket; }
  std::string identity() const override {
    const SimulatorOptions& o = options_;
    std::string parameters =
        fmt::format("{} {} {} {} {} {} {} {} {} {} {}", o.origin, o.annual_volatility,
                    o.annual_drift, o.correlation, o.predictability, o.volatility_of_volatility,
                    o.leverage, o.jumps_per_year, o.jump_variance_share, o.seasonality, o.regimes);
    return fmt::format("simulator seed {} parameters {}", o.seed,
                       Sha256(parameters).substr(0, kShownDigits));
  }
  std::vector<Timeframe> timeframes() const override { return Timeframe::All(); }
  size_t max_symbols() const override { return kMostSymbols; }

  std::unique_ptr<CandlePages> Open(const CandleRequest& request) override {
    SimulatorOptions options = options_;
    options.symbols.clear();
    for (const std::string& symbol : request.symbols) options.symbols.push_back(Entry(symbol));
    options.timeframe = request.timeframe;
    // The simulated market has no past before its origin and, like the others, no future.
    const TimeMs closed = request.timeframe.Floor(clock_.Now());
    options.from = std::max(request.from, options.origin);
    options.to = std::max(options.from, std::min(request.to, closed));
    return std::make_unique<SimulatorPages>(options, request.to);
  }

 private:
  SimulatedSymbol Entry(const std::string& name) const {
    for (const SimulatedSymbol& symbol : options_.symbols) {
      if (symbol.name == name) return symbol;
    }
    SimulatedSymbol symbol;
    symbol.name = name;
    return symbol;
  }

  SimulatorOptions options_;
  WaitClock& clock_;
};

}  // namespace

std::unique_ptr<CandleSource> MakeSimulatorSource(const SourceOptions& options) {
  return std::make_unique<SimulatorSource>(
      options.simulator, options.clock != nullptr ? *options.clock : SystemWaitClock());
}

}  // namespace almanac
