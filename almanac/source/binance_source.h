// Binance: klines of the spot market (/api/v3/klines) and of perpetual futures (/fapi/v1/klines).
// No key is needed.
#ifndef ALMANAC_SOURCE_BINANCE_SOURCE_H_
#define ALMANAC_SOURCE_BINANCE_SOURCE_H_

#include <memory>

#include "almanac/source/candle_source.h"

namespace almanac {

enum class BinanceMarket { kSpot, kPerpetual };

std::unique_ptr<CandleSource> MakeBinanceSource(BinanceMarket market, const SourceOptions& options);

}  // namespace almanac

#endif  // ALMANAC_SOURCE_BINANCE_SOURCE_H_
