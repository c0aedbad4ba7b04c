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

}  // namespace almanac::gbdt
