// The market simulator as a source of candles: backfill and collect without an account or network.
#ifndef ALMANAC_SOURCE_CANDLE_SOURCE_SIMULATOR_H_
#define ALMANAC_SOURCE_CANDLE_SOURCE_SIMULATOR_H_

#include <memory>

#include "almanac/source/candle_source.h"

namespace almanac {

// Any name is a symbol. One that options.simulator.symbols lists has that entry's prices and
// volatility; the others have the defaults.
std::unique_ptr<CandleSource> MakeSimulatorSource(const SourceOptions& options);

}  // namespace almanac

#endif  // ALMANAC_SOURCE_CANDLE_SOURCE_SIMULATOR_H_
