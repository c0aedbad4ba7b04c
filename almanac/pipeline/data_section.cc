#include "almanac/pipeline/data_section.h"

#include <algorithm>
#include <set>

#include "almanac/base/error.h"

namespace almanac {
namespace {

Timeframe ReadTimeframe(const ConfigNode& node) {
  const std::string name = node.String("timeframe");
  if (const auto timeframe = Timeframe::TryParse(name)) return *timeframe;
  std::string known;
  for (const Timeframe timeframe : Timeframe::All()) {
    known += (known.empty() ? "" : " ") + timeframe.name();
  }
  throw Error(ErrorCode::kUsage, node.Place("timeframe"), "\"" + name + "\" is not a timeframe",
              "the timeframes are " + known);
}

std::vector<std::string> ReadSymbols(const ConfigNode& node) {
  std::vector<std::string> symbols = node.Strings("symbols");
  if (symbols.empty()) {
    throw Error(ErrorCode::kUsage, node.Place("symbols"), "is empty", "name at least one symbol");
  }
  std::set<std::string> seen;
  for (const std::string& symbol : symbols) {
    if (symbol.empty() || !seen.insert(symbol).second) {
      throw Error(ErrorCode::kUsage, node.Place("symbols"),
                  symbol.empty() ? "holds an empty name" : "names " + symbol + " twice",
                  "name every symbol once");
    }
  }
  return symbols;
}

std::string DefaultMarket(const std::string& source) {
  if (source == "binance") return "binance-spot";
  if (source == "polygon") return "polygon-stocks";
  if (source == "alpaca") return "alpaca-stocks-iex";
  if (source == "lake") return "import";
  return source;
}

const Calendar* ReadCalendar(const ConfigNode& node, const std::string& market) {
  const std::string name = node.Choice("calendar", {"auto", "24/7", "us-equities"}, "auto");
  return name == "auto" ? &CalendarOfMarket(market) : &CalendarByName(name);
}

// A known number of decimals, volatility and start price for the coins of the demo; anything else
// starts at 100.
double DefaultStartPrice(const std::string& symbol) {
  if (symbol.rfind("BTC", 0) == 0) return 30000.0;
  if (symbol.rfind("ETH", 0) == 0) return 2000.0;
  return 100.0;
}

SimulatorOptions ReadSimulator(const ConfigNode& node, const DataSection& data) {
  SimulatorOptions options;
  options.timeframe = data.timeframe;
  options.from = data.from;
  options.to = data.to;
  const int64_t seed = node.Int("seed", 1, Range<int64_t>::AtLeast(0));
  options.seed = static_cast<uint64_t>(seed);
  options.annual_volatility =
      node.Double("annual_volatility", options.annual_volatility, Range<double>::Above(0.0));
  options.annual_drift = node.Double("annual_drift", options.annual_drift, {});
  options.correlation =
      node.Double("correlation", options.correlation, Range<double>::Between(0.0, 0.99));
  options.predictability =
      node.Double("predictability", options.predictability, Range<double>::Between(-0.5, 0.5));
  options.volatility_of_volatility = node.Double(
      "volatility_of_volatility", options.volatility_of_volatility, Range<double>::Between(0, 1));
  options.jumps_per_year =
      node.Double("jumps_per_year", options.jumps_per_year, Range<double>::AtLeast(0.0));
  options.seasonality =
      node.Double("seasonality", options.seasonality, Range<double>::AtLeast(0.0));
  options.regimes = node.Bool("regimes", options.regimes);
  for (const std::string& symbol : data.symbols) {
    SimulatedSymbol simulated;
    simulated.name = symbol;
    simulated.start_price = DefaultStartPrice(symbol);
    options.symbols.push_back(simulated);
  }
  return options;
}

void CheckRange(const ConfigNode& node, const DataSection& data) {
  if (data.from >= data.to) {
    throw Error(ErrorCode::kUsage, node.Place("to"),
                "is not after from (" + FormatTime(data.from) + ")",
                "the range is half open: from <= time < to");
  }
  if (data.source != "lake" && (data.from == kMinTime || data.to == kMaxTime)) {
    throw Error(ErrorCode::kUsage, node.Place(), "lacks from or to",
                "the source \"" + data.source + "\" needs a range; only \"lake\" can do without");
  }
  if (data.source == "simulator" && data.from < kSimulatorOrigin) {
    throw Error(ErrorCode::kUsage, node.Place("from"), "is before the simulated market began",
                "it began on " + FormatDate(kSimulatorOrigin));
  }
}

}  // namespace

std::vector<SeriesKey> DataSection::Keys() const {
  std::vector<SeriesKey> keys;
  for (const std::string& symbol : symbols) keys.push_back({market, symbol, timeframe});
  return keys;
}

DataSection ReadDataSection(const ConfigNode& node) {
  DataSection data;
  data.source = node.Choice(
      "source", {"lake", "simulator", "binance", "binance-perp", "polygon", "alpaca"}, "lake");
  data.market = node.String("market", DefaultMarket(data.source));
  data.symbols = ReadSymbols(node);
  data.timeframe = ReadTimeframe(node);
  data.from = node.Time("from", kMinTime);
  data.to = node.Time("to", kMaxTime);
  data.fill = ParseFillPolicy(node.Choice("fill", {"none", "forward"}, "none"));
  data.calendar = ReadCalendar(node, data.market);
  data.refuse_unsound = node.Choice("on_unsound", {"refuse", "warn"}, "refuse") == "refuse";
  const ConfigNode simulator = node.OptionalMap("simulator");
  data.simulator = ReadSimulator(simulator, data);
  CheckRange(node, data);
  return data;
}

}  // namespace almanac
