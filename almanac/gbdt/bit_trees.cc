#include <bit>

#include "almanac/gbdt/flat_forest.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "almanac/gbdt/bit_trees.cc"
#include <hwy/foreach_target.h>  // compiles what follows once for each instruction set

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace almanac::gbdt::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Four vectors of rows at a time: their leaves stay in registers while the nodes pass by.
void AddTree(const BitNode* nodes, size_t count, const double* values, const double* slots,
             double* scores) {
  const hn::CappedTag<double, 8> tag;
  const hn::RebindToUnsigned<decltype(tag)> bits;
  const size_t lanes = hn::Lanes(tag);
  HWY_ALIGN uint64_t left[4 * 8];
  for (size_t row = 0; row < FlatForest::kBlockRows; row += 4 * lanes) {
    auto a = hn::Set(bits, ~uint64_t{0}), b = a, c = a, d = a;
    for (size_t n = 0; n < count; ++n) {
      const double* x = slots + nodes[n].slot * FlatForest::kBlockRows + row;
      const auto threshold = hn::Set(tag, nodes[n].threshold);
      const auto kept = hn::Set(bits, nodes[n].kept);
      // NaN is not <= either.
      const auto strike = [&](auto leaves, const double* of) HWY_ATTR {
        const auto says_yes = hn::RebindMask(bits, hn::Le(hn::LoadU(tag, of), threshold));
        return hn::IfThenElse(says_yes, leaves, hn::And(leaves, kept));
      };
      a = strike(a, x);
      b = strike(b, x + lanes);
      c = strike(c, x + 2 * lanes);
      d = strike(d, x + 3 * lanes);
    }
    hn::Store(a, bits, left);
    hn::Store(b, bits, left + lanes);
    hn::Store(c, bits, left + 2 * lanes);
    hn::Store(d, bits, left + 3 * lanes);
    for (size_t i = 0; i < 4 * lanes; ++i) scores[row + i] += values[std::countr_zero(left[i])];
  }
}

}  // namespace almanac::gbdt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace almanac::gbdt {
namespace {

HWY_EXPORT(AddTree);

}  // namespace

void AddBitTree(std::span<const BitNode> nodes, const double* values, const double* slots,
                double* scores) {
  HWY_DYNAMIC_DISPATCH(AddTree)(nodes.data(), nodes.size(), values, slots, scores);
}

}  // namespace almanac::gbdt
#endif  // HWY_ONCE
