// Polygon (now Massive): aggregate bars of US stocks, and of crypto pairs ("X:BTCUSD"). Needs
// POLYGON_API_KEY.
#ifndef ALMANAC_SOURCE_POLYGON_SOURCE_H_
#define ALMANAC_SOURCE_POLYGON_SOURCE_H_

#include <memory>

#include "almanac/source/candle_source.h"

namespace almanac {

enum class PolygonAsset { kStocks, kCrypto };

// Throws Error(kUsage) if the key is missing or options.adjustment is not one of Polygon's.
std::unique_ptr<CandleSource> MakePolygonSource(PolygonAsset asset, const SourceOptions& options);

}  // namespace almanac

#endif  // ALMANAC_SOURCE_POLYGON_SOURCE_H_
