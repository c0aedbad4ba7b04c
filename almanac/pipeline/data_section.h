// The `data` section of a recipe: which series a run is about, where they come from, and what is
// done about their gaps. docs/recipes.md lists its keys.
#ifndef ALMANAC_PIPELINE_DATA_SECTION_H_
#define ALMANAC_PIPELINE_DATA_SECTION_H_

#include <string>
#include <vector>

#include "almanac/base/config.h"
#include "almanac/base/time.h"
#include "almanac/market/calendar.h"
#include "almanac/market/candle.h"
#include "almanac/market/fill.h"
#include "almanac/source/simulator.h"

namespace almanac {

struct DataSection {
  // "lake" (what was imported or backfilled before), or a source that collect brings up to date:
  // "simulator", "binance", "binance-perp", "polygon", "alpaca".
  std::string source;
  std::string market;  // the lake's name for where the prices are from
  std::vector<std::string> symbols;
  Timeframe timeframe;
  TimeMs from = kMinTime;  // bars with from <= open time < to
  TimeMs to = kMaxTime;
  FillPolicy fill = FillPolicy::kNone;
  const Calendar* calendar = nullptr;  // not owned
  // Whether a series whose audit is not sound stops the run.
  bool refuse_unsound = true;
  SimulatorOptions simulator;  // only for the source "simulator"

  std::vector<SeriesKey> Keys() const;
};

// Throws Error(kUsage) naming key and line.
DataSection ReadDataSection(const ConfigNode& node);

}  // namespace almanac

#endif  // ALMANAC_PIPELINE_DATA_SECTION_H_
