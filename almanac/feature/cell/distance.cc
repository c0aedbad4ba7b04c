#include "almanac/feature/cell/distance.h"

#include <cmath>

// Sizeless vectors do not fit into arrays.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "almanac/feature/cell/distance.cc"
#include <hwy/foreach_target.h>  // compiles what follows once for each instruction set

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace almanac::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Windows that follow one another lie in the lanes; of several vectors of them the additions need
// not wait for each other.
void SumDistances(const double* values, size_t length, const double* centres, size_t count,
                  double* sums) {
  const hn::ScalableTag<double> tag;
  constexpr size_t kVectors = 4;
  const size_t lanes = hn::Lanes(tag);
  size_t i = 0;
  for (; i + kVectors * lanes <= count; i += kVectors * lanes) {
    decltype(hn::Zero(tag)) centre[kVectors], sum[kVectors];
    for (size_t v = 0; v < kVectors; ++v) {
      centre[v] = hn::LoadU(tag, centres + i + v * lanes);
      sum[v] = hn::Zero(tag);
    }
    for (size_t k = 0; k < length; ++k) {
      for (size_t v = 0; v < kVectors; ++v) {
        const auto value = hn::LoadU(tag, values + i + k + v * lanes);
        sum[v] = hn::Add(sum[v], hn::Abs(hn::Sub(value, centre[v])));
      }
    }
    for (size_t v = 0; v < kVectors; ++v) hn::StoreU(sum[v], tag, sums + i + v * lanes);
  }
  for (; i < count; ++i) {
    double sum = 0;
    for (size_t k = 0; k < length; ++k) sum += std::abs(values[i + k] - centres[i]);
    sums[i] = sum;
  }
}

}  // namespace almanac::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace almanac {
namespace {

HWY_EXPORT(SumDistances);

}  // namespace

void SumDistances(const double* values, size_t length, const double* centres, size_t count,
                  double* sums) {
  HWY_DYNAMIC_DISPATCH(SumDistances)(values, length, centres, count, sums);
}

}  // namespace almanac
#endif  // HWY_ONCE
