#include "almanac/gbdt/level_grower.h"

namespace almanac::gbdt {

bool CanGrowByLevels(const BinnedData& data, const Params& params) {
  if (params.use_quantized_grad || params.feature_fraction_bynode < 1) return false;
  if (!params.monotone_constraints.empty()) return false;
  for (size_t f = 0; f < data.features(); ++f) {
    const BinMapper& mapper = data.mapper(f);
    if (mapper.is_categorical() || mapper.missing() == Missing::kZero || data.is_wide(f)) {
      return false;
    }
  }
  return true;
}

// A tile's is as long as that of its column with the most bins.
size_t LargestHistogram(const BinnedData& data, double feature_fraction) {
  constexpr size_t kBehindTile = 32;
  size_t bins = 0;
  for (size_t t = 0; t < data.tiles(); ++t) {
    uint32_t most = 0;
    const size_t first = data.first_of_tile(t), end = data.first_of_tile(t + 1);
    for (size_t f = first; f < end; ++f) most = std::max(most, data.mapper(f).bins());
    bins += most * (end - first) + kBehindTile;
  }
  // The share of a tile's features varies.
  const double share = std::min(1.0, feature_fraction * 1.1);
  return static_cast<size_t>(share * static_cast<double>(bins));
}

}  // namespace almanac::gbdt
