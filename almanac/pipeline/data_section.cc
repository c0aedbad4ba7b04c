#include "almanac/pipeline/data_section.h"

#include <algorithm>
#include <set>

#include "almanac/base/error.h"
#include "almanac/base/hash.h"
#include "almanac/source/import_name.h"

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

void CheckSymbols(const ConfigNode& node, const char* key,
                  const std::vector<std::string>& symbols) {
  if (symbols.empty()) {
    throw Error(ErrorCode::kUsage, node.Place(key), "is empty", "name at least one symbol");
  }
  std::set<std::string> seen;
  for (const std::string& symbol : symbols) {
    if (!IsSymbol(symbol)) {
      throw Error(ErrorCode::kUsage, node.Place(key), "\"" + symbol + "\" is no symbol",
                  "use 1 to 64 letters, digits and . _ - / : ^ = + & $ #");
    }
    if (!seen.insert(symbol).second) {
      throw Error(ErrorCode::kUsage, node.Place(key), "names " + symbol + " twice",
                  "name every symbol once");
    }
  }
}

std::vector<std::string> ReadSymbols(const ConfigNode& node, const std::string& source) {
  std::vector<std::string> symbols = node.Strings("symbols");
  if (symbols == std::vector<std::string>{"all"}) {
    if (source == "lake") return {};
    throw Error(ErrorCode::kUsage, node.Place("symbols"), "\"all\" of a source is not known",
                "name the symbols, or use source: lake");
  }
  CheckSymbols(node, "symbols", symbols);
  return symbols;
}

// `symbols` are those that are forecast; empty: all that the lake has.
std::vector<std::string> ReadFrame(const ConfigNode& node, const std::vector<std::string>& symbols,
                                   bool panel) {
  if (!node.Has("frame")) return {};
  const std::vector<std::string> frame = node.Strings("frame");
  CheckSymbols(node, "frame", frame);
  if (panel) {
    throw Error(ErrorCode::kUsage, node.Place("frame"),
                "a panel's symbols have columns of the same names, a frame's carry their symbol's",
                "leave out frame or panel");
  }
  if (symbols.empty()) {
    throw Error(ErrorCode::kUsage, node.Place("frame"), "the symbols are all that the lake has",
                "name the symbols that are forecast");
  }
  for (const std::string& symbol : symbols) {
    if (std::find(frame.begin(), frame.end(), symbol) != frame.end()) continue;
    throw Error(ErrorCode::kUsage, node.Place("frame"), "lacks " + symbol + ", which is forecast",
                "add it: the frame has all symbols whose bars features read");
  }
  return frame;
}

// Every parameter that shapes the simulated prices, so that another market gets another name.
std::string SimulatedMarketName(const SimulatorOptions& options) {
  Hasher hasher;
  hasher.Add(static_cast<int64_t>(options.seed)).Add(options.timeframe.duration());
  for (const double parameter :
       {options.annual_volatility, options.annual_drift, options.correlation,
        options.predictability, options.volatility_of_volatility, options.leverage,
        options.jumps_per_year, options.jump_variance_share, options.seasonality,
        options.regimes ? 1.0 : 0.0}) {
    hasher.AddBytes(&parameter, sizeof(parameter));
  }
  constexpr size_t kDigits = 8;
  return std::string(kSimulatorMarket) + "-" + hasher.Finish().substr(0, kDigits);
}

std::string ReadMarket(const ConfigNode& node, const DataSection& data) {
  if (data.source == "simulator") {
    if (node.Has("market")) {
      throw Error(ErrorCode::kUsage, node.Place("market"), "cannot be chosen for the simulator",
                  "leave it out: a simulated market is named by its parameters");
    }
    return SimulatedMarketName(data.options.simulator);
  }
  const std::string otherwise = data.source == "lake"
                                    ? "import"
                                    : MakeCandleSource(data.source, data.options)->default_market();
  return node.String("market", otherwise);
}

const Calendar* ReadCalendar(const ConfigNode& node, const std::string& market) {
  const std::string name = node.Choice("calendar", {"auto", "24/7", "us-equities"}, "auto");
  return name == "auto" ? &CalendarOfMarket(market) : &CalendarByName(name);
}

// Familiar prices for the coins of the demo; anything else starts at 100.
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
  for (const std::string& symbol : data.AllSymbols()) {
    SimulatedSymbol simulated;
    simulated.name = symbol;
    simulated.start_price = DefaultStartPrice(symbol);
    options.symbols.push_back(simulated);
  }
  return options;
}

SourceOptions ReadSourceOptions(const ConfigNode& node, const DataSection& data) {
  SourceOptions options;
  if (node.Has("base_url")) options.base_url = node.String("base_url");
  if (node.Has("feed")) options.feed = node.String("feed");
  if (node.Has("adjustment")) options.adjustment = node.String("adjustment");
  if (node.Has("requests_per_minute")) {
    options.requests_per_minute =
        static_cast<int>(node.Int("requests_per_minute", Range<int64_t>::Between(1, 100000)));
  }
  // Read even where another source is used: an overlay may change the source alone.
  options.simulator = ReadSimulator(node.OptionalMap("simulator"), data);
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

std::vector<std::string> DataSection::AllSymbols() const {
  std::vector<std::string> all = symbols;
  for (const std::string& symbol : frame) {
    if (std::find(all.begin(), all.end(), symbol) == all.end()) all.push_back(symbol);
  }
  return all;
}

DataSection ReadDataSection(const ConfigNode& node, const std::filesystem::path& home) {
  DataSection data;
  std::vector<std::string> sources = CandleSourceNames();
  sources.insert(sources.begin(), "lake");
  data.source = node.Choice("source", sources, "lake");
  data.symbols = ReadSymbols(node, data.source);
  data.panel = node.Bool("panel", false);
  data.frame = ReadFrame(node, data.symbols, data.panel);
  data.timeframe = ReadTimeframe(node);
  data.from = node.Time("from", kMinTime);
  data.to = node.Time("to", kMaxTime);
  CheckRange(node, data);
  data.options = ReadSourceOptions(node, data);
  data.options.home = home;
  data.market = ReadMarket(node, data);
  data.fill = ParseFillPolicy(node.Choice("fill", {"none", "forward"}, "none"));
  data.calendar = ReadCalendar(node, data.market);
  data.refuse_unsound = node.Choice("on_unsound", {"refuse", "warn"}, "refuse") == "refuse";
  return data;
}

}  // namespace almanac
