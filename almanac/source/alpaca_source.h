// Alpaca: bars of many US stocks or crypto pairs in one request. Needs ALPACA_API_KEY_ID and
// ALPACA_API_SECRET_KEY.
#ifndef ALMANAC_SOURCE_ALPACA_SOURCE_H_
#define ALMANAC_SOURCE_ALPACA_SOURCE_H_

#include <memory>

#include "almanac/source/candle_source.h"

namespace almanac {

enum class AlpacaAsset { kStocks, kCrypto };

// Throws Error(kUsage) if a key is missing or options.feed or options.adjustment is none of
// Alpaca's.
std::unique_ptr<CandleSource> MakeAlpacaSource(AlpacaAsset asset, const SourceOptions& options);

}  // namespace almanac

#endif  // ALMANAC_SOURCE_ALPACA_SOURCE_H_
