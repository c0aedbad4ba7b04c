#include "almanac/dataset/bin_search.h"

#include <algorithm>
#include <cmath>

// Their vectors have no size that an array could have.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "almanac/dataset/bin_search.cc"
#include <hwy/foreach_target.h>  // compiles what follows once for each instruction set

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace almanac::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

uint8_t SearchOne(float value, const float* bounds, uint8_t nan_bin) {
  uint32_t bin = 0;
  for (uint32_t half = kByteBins / 2; half > 0; half /= 2) {
    bin += bounds[bin + half - 1] < value ? half : 0;
  }
  return std::isnan(value) ? nan_bin : static_cast<uint8_t>(bin);
}

// Eight halvings, the same for every value: a vector of them goes through together. The bounds of
// the first few are as many as a vector has lanes and stay in a register; the others are gathered.
void SearchAll(std::span<const float> values, const float* bounds, uint8_t nan_bin, uint8_t* bins) {
  const hn::ScalableTag<float> tag;
  const hn::RebindToSigned<decltype(tag)> whole;
  const hn::Rebind<uint8_t, decltype(whole)> bytes;
  const size_t lanes = std::min(hn::Lanes(tag), kByteBins);
  const auto step = static_cast<int32_t>(kByteBins / lanes);  // between the bounds in the register
  HWY_ALIGN std::array<float, hn::MaxLanes(tag)> coarse;
  for (size_t k = 0; k < lanes; ++k) coarse[k] = bounds[(k + 1) * static_cast<size_t>(step) - 1];
  const auto coarse_bounds = hn::Load(tag, coarse.data());
  size_t i = 0;
  for (; i + lanes <= values.size(); i += lanes) {
    const auto value = hn::LoadU(tag, values.data() + i);
    auto place = hn::Zero(whole);
    for (auto half = static_cast<int32_t>(lanes / 2); half > 0; half /= 2) {
      const auto at = hn::Add(place, hn::Set(whole, half - 1));
      const auto bound = hn::TableLookupLanes(coarse_bounds, hn::IndicesFromVec(tag, at));
      const auto is_above = hn::RebindMask(whole, hn::Lt(bound, value));
      place = hn::Add(place, hn::IfThenElseZero(is_above, hn::Set(whole, half)));
    }
    auto bin = hn::Mul(place, hn::Set(whole, step));
    for (int32_t half = step / 2; half > 0; half /= 2) {
      const auto bound = hn::GatherIndex(tag, bounds + half - 1, bin);
      const auto is_above = hn::RebindMask(whole, hn::Lt(bound, value));
      bin = hn::Add(bin, hn::IfThenElseZero(is_above, hn::Set(whole, half)));
    }
    const auto is_nan = hn::RebindMask(whole, hn::IsNaN(value));
    bin = hn::IfThenElse(is_nan, hn::Set(whole, nan_bin), bin);
    hn::StoreU(hn::DemoteTo(bytes, bin), bytes, bins + i);
  }
  for (; i < values.size(); ++i) bins[i] = SearchOne(values[i], bounds, nan_bin);
}

}  // namespace almanac::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace almanac {
namespace {

HWY_EXPORT(SearchAll);

}  // namespace

void SearchBins(std::span<const float> values, const std::array<float, kByteBins>& bounds,
                uint8_t nan_bin, uint8_t* bins) {
  HWY_DYNAMIC_DISPATCH(SearchAll)(values, bounds.data(), nan_bin, bins);
}

}  // namespace almanac
#endif  // HWY_ONCE
