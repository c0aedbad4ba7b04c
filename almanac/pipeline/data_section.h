// The `data` section of a recipe: which series a run is about, where they come from, and what is
// done about their gaps. docs/recipes.md lists its keys.
#ifndef ALMANAC_PIPELINE_DATA_SECTION_H_
#define ALMANAC_PIPELINE_DATA_SECTION_H_

#include <filesystem>
#include <string>
#include <vector>

#include "almanac/base/config.h"
#include "almanac/base/time.h"
#include "almanac/market/calendar.h"
#include "almanac/market/candle.h"
#include "almanac/market/fill.h"
#include "almanac/source/candle_source.h"

namespace almanac {

struct DataSection {
  // "lake" (what was imported or backfilled before), or one of CandleSourceNames(), from which the
  // run brings the lake up to date.
  std::string source;
  // The lake's name for where the prices are from. Simulated markets are named by their parameters,
  // so that two of them never mix.
  std::string market;
  std::vector<std::string> symbols;  // empty: all that the lake has of the market and timeframe
  // Whose bars features may read beside those of the symbol that is forecast; empty: nobody's.
  // Every forecast symbol is among them. Columns then carry their symbol's name and are the same
  // for all.
  std::vector<std::string> frame;
  // One model learns from all symbols, and their forecasts are judged beside each other.
  bool panel = false;
  Timeframe timeframe;
  TimeMs from = kMinTime;  // bars with from <= open time < to
  TimeMs to = kMaxTime;
  FillPolicy fill = FillPolicy::kNone;
  const Calendar* calendar = nullptr;  // not owned
  // Whether a series whose audit is not sound stops the run.
  bool refuse_unsound = true;
  // How to ask the source; its simulator part is for the source "simulator" alone.
  SourceOptions options;

  // Of the symbols that are forecast.
  std::vector<SeriesKey> Keys() const;
  SeriesKey KeyOf(const std::string& symbol) const { return {market, symbol, timeframe}; }
  // Of those and the frame's, each once.
  std::vector<std::string> AllSymbols() const;
};

// Throws Error(kUsage) naming key and line.
// `home` is where secrets may be.
DataSection ReadDataSection(const ConfigNode& node, const std::filesystem::path& home);

}  // namespace almanac

#endif  // ALMANAC_PIPELINE_DATA_SECTION_H_
