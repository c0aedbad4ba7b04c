#include "almanac/source/simulator.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "almanac/base/cancel.h"
#include "almanac/base/error.h"
#include "almanac/source/simulator_market.h"
#include "almanac/source/simulator_symbol.h"

namespace almanac {
namespace {

constexpr size_t kBlock = 16384;  // bars of a symbol at a time, where nobody chose

void Refuse(const std::string& option, const std::string& found, const std::string& allowed) {
  throw Error(ErrorCode::kUsage, "simulator option " + option, found, allowed);
}

void CheckBetween(const char* option, double value, double low, double high, bool open = false) {
  if (value >= low && (open ? value < high : value <= high)) return;
  Refuse(option, fmt::format("{} is out of range", value),
         fmt::format("give a number in [{}, {}{}", low, high, open ? ")" : "]"));
}

void CheckSymbol(const SimulatedSymbol& symbol) {
  constexpr int kMostDecimals = 12;
  const std::string prefix = fmt::format("symbol '{}' ", symbol.name);
  if (symbol.name.empty()) Refuse("symbols", "a symbol has no name", "name every symbol");
  CheckBetween((prefix + "start_price").c_str(), symbol.start_price, 1e-9, 1e9);
  CheckBetween((prefix + "annual_volatility").c_str(), symbol.annual_volatility, 0.0, 10.0);
  CheckBetween((prefix + "daily_turnover").c_str(), symbol.daily_turnover, 0.0, 1e15);
  CheckBetween((prefix + "price_decimals").c_str(), symbol.price_decimals,
               SimulatedSymbol::kUnrounded, kMostDecimals);
}

void CheckTimes(const SimulatorOptions& options) {
  constexpr TimeMs kLatest = 7258118400000;  // 2200-01-01
  if (options.origin < 0 || options.to > kLatest) {
    Refuse("origin, to", "the range lies outside years 1970 to 2199", "give times between them");
  }
  if (options.from < options.origin) {
    Refuse("from", fmt::format("{} is before the origin", FormatTime(options.from)),
           fmt::format("give a time from {} on", FormatTime(options.origin)));
  }
  if (options.to < options.from) {
    Refuse("to", fmt::format("{} is before from", FormatTime(options.to)),
           fmt::format("give a time from {} on", FormatTime(options.from)));
  }
}

void Check(const SimulatorOptions& options) {
  if (options.symbols.empty()) Refuse("symbols", "there is none", "name at least one");
  std::set<std::string> names;
  for (const SimulatedSymbol& symbol : options.symbols) {
    CheckSymbol(symbol);
    if (!names.insert(symbol.name).second) {
      Refuse("symbols", fmt::format("'{}' is named twice", symbol.name), "name each once");
    }
  }
  CheckTimes(options);
  CheckBetween("annual_volatility", options.annual_volatility, 1e-6, 10.0);
  CheckBetween("annual_drift", options.annual_drift, -10.0, 10.0);
  CheckBetween("correlation", options.correlation, 0.0, 1.0, true);
  CheckBetween("predictability", options.predictability, -0.5, 0.5);
  CheckBetween("volatility_of_volatility", options.volatility_of_volatility, 0.0, 1.0);
  CheckBetween("leverage", options.leverage, 0.0, 1.0);
  CheckBetween("jumps_per_year", options.jumps_per_year, 0.0, 1e5);
  CheckBetween("jump_variance_share", options.jump_variance_share, 0.0, 0.5);
  CheckBetween("seasonality", options.seasonality, 0.0, 3.0);
}

TimeMs CeilToGrid(Timeframe timeframe, TimeMs time) {
  const TimeMs open = timeframe.Floor(time);
  return open == time ? open : open + timeframe.duration();
}

}  // namespace

struct MarketSimulator::Impl {
  explicit Impl(const SimulatorOptions& given)
      : options((Check(given), given)),
        next_open(CeilToGrid(options.timeframe, options.origin)),
        market(options, next_open) {
    for (const SimulatedSymbol& symbol : options.symbols) {
      symbols.emplace_back(options, symbol, market.log_variance());
    }
    SkipTo(CeilToGrid(options.timeframe, options.from));
  }

  void SkipTo(TimeMs first) {
    while (next_open < first) {
      CheckCancel();
      const auto left = static_cast<size_t>((first - next_open) / options.timeframe.duration());
      const size_t count = std::min(left, kBlock);
      market.Next(count, path);
      for (simulator::Symbol& symbol : symbols) {
        for (const simulator::MarketBar& bar : path) symbol.Step(bar, next_open);
      }
      next_open += static_cast<DurationMs>(count) * options.timeframe.duration();
    }
  }

  size_t Left() const {
    if (next_open >= options.to) return 0;
    const DurationMs bar = options.timeframe.duration();
    return static_cast<size_t>((options.to - next_open + bar - 1) / bar);
  }

  CandleSeries BarsOf(size_t index) {
    CandleSeries series;
    series.key = {kSimulatorMarket, options.symbols[index].name, options.timeframe};
    series.Reserve(path.size());
    series.trade_count.reserve(path.size());
    series.vwap.reserve(path.size());
    TimeMs open = next_open;
    for (const simulator::MarketBar& bar : path) {
      series.Append(symbols[index].Step(bar, open));
      open += options.timeframe.duration();
    }
    // Append leaves the field out of a block in which nothing was traded.
    series.vwap.resize(series.size(), Candle::kNotGiven);
    return series;
  }

  const SimulatorOptions options;
  TimeMs next_open;
  simulator::Market market;
  std::vector<simulator::Symbol> symbols;
  std::vector<simulator::MarketBar> path;  // of the block at hand
};

MarketSimulator::MarketSimulator(const SimulatorOptions& options)
    : impl_(std::make_unique<Impl>(options)) {}
MarketSimulator::~MarketSimulator() = default;
MarketSimulator::MarketSimulator(MarketSimulator&&) noexcept = default;
MarketSimulator& MarketSimulator::operator=(MarketSimulator&&) noexcept = default;

std::vector<CandleSeries> MarketSimulator::Next(size_t bars) {
  const size_t count = std::min(bars, impl_->Left());
  if (count == 0) return {};
  impl_->market.Next(count, impl_->path);
  std::vector<CandleSeries> block;
  for (size_t i = 0; i < impl_->symbols.size(); ++i) block.push_back(impl_->BarsOf(i));
  impl_->next_open += static_cast<DurationMs>(count) * impl_->options.timeframe.duration();
  return block;
}

std::vector<CandleSeries> Simulate(const SimulatorOptions& options) {
  MarketSimulator simulator(options);
  std::vector<CandleSeries> all;
  for (const SimulatedSymbol& symbol : options.symbols) {
    all.emplace_back().key = {kSimulatorMarket, symbol.name, options.timeframe};
  }
  const auto append = [](std::vector<double>& to, const std::vector<double>& from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  for (auto block = simulator.Next(kBlock); !block.empty(); block = simulator.Next(kBlock)) {
    CheckCancel();
    for (size_t i = 0; i < all.size(); ++i) {
      CandleSeries& to = all[i];
      to.open_time.insert(to.open_time.end(), block[i].open_time.begin(), block[i].open_time.end());
      append(to.open, block[i].open);
      append(to.high, block[i].high);
      append(to.low, block[i].low);
      append(to.close, block[i].close);
      append(to.volume, block[i].volume);
      append(to.trade_count, block[i].trade_count);
      append(to.vwap, block[i].vwap);
    }
  }
  return all;
}

}  // namespace almanac
