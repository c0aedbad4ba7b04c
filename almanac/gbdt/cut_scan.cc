#include "almanac/gbdt/cut_scan.h"

// Few instruction sets are worth their compilation.
#define HWY_DISABLED_TARGETS \
  (HWY_SSE4 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "almanac/gbdt/cut_scan.cc"
#include <hwy/foreach_target.h>  // compiles what follows once for each instruction set

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace almanac::gbdt::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Doubles = hn::CappedTag<double, 8>;
using Whole = hn::RebindToSigned<Doubles>;
using Half = hn::Rebind<int32_t, Doubles>;
using HalfFloats = hn::Rebind<float, Doubles>;

constexpr size_t kBlock = 8;  // a multiple of all vectors' lengths
// What is not below and above is divided in float32 without loss.
constexpr double kLeastWeight = 1e-25, kMostWeight = 1e30;
constexpr float kLeastGain = 1e-6F, kMostGain = 1e30F;

// One after another: sums of doubles depend on the order.
void AddUp(const CutScan& scan, double rows_per_hessian, ScannedCuts& cuts) {
  double gradient = scan.gradient, hessian = scan.hessian;
  int32_t rows = scan.rows;
  const HistogramBin* bin = scan.bin;
  for (size_t i = 0; i < scan.count; ++i, bin += scan.step) {
    gradient += bin->gradient;
    hessian += bin->hessian;
    rows += RoundCount(bin->hessian * rows_per_hessian);
    cuts.gradient[i] = gradient;
    cuts.hessian[i] = hessian;
    cuts.rows[i] = rows;
  }
  // No cuts: nobody is on that side.
  for (size_t i = scan.count; i % kBlock != 0; ++i) {
    cuts.gradient[i] = cuts.hessian[i] = 0;
    cuts.rows[i] = -1;
  }
}

// Some gains; whether the rest is too small behind one of them.
HWY_INLINE bool LookAt(const CutLeaf& leaf, size_t at, ScannedCuts& cuts, bool& is_usual) {
  const Doubles tag;
  const Whole whole;
  const HalfFloats floats;
  const auto l2 = hn::Set(tag, leaf.l2), least_hessian = hn::Set(tag, leaf.least_hessian);
  const auto least_rows = hn::Set(whole, int64_t{leaf.least_rows} - 1);
  const auto g = hn::Load(tag, &cuts.gradient[at]), h = hn::Load(tag, &cuts.hessian[at]);
  const auto rest_g = hn::Sub(hn::Set(tag, leaf.gradient), g);
  const auto rest_h = hn::Sub(hn::Set(tag, leaf.hessian), h);
  const auto rows = hn::PromoteTo(whole, hn::Load(Half(), &cuts.rows[at]));
  const auto rest_rows = hn::Sub(hn::Set(whole, int64_t{leaf.rows}), rows);
  const auto is_big =
      hn::And(hn::RebindMask(tag, hn::Gt(rows, least_rows)), hn::Ge(h, least_hessian));
  const auto rest_is_big =
      hn::And(hn::RebindMask(tag, hn::Gt(rest_rows, least_rows)), hn::Ge(rest_h, least_hessian));
  const auto both = hn::And(is_big, rest_is_big);
  const auto weight = hn::Add(h, l2), rest_weight = hn::Add(rest_h, l2);
  const auto above =
      hn::Add(hn::Mul(hn::Mul(g, g), rest_weight), hn::Mul(hn::Mul(rest_g, rest_g), weight));
  const auto below = hn::Mul(weight, rest_weight);
  const auto is_fine =
      hn::And(hn::Ge(below, hn::Set(tag, kLeastWeight)), hn::Le(below, hn::Set(tag, kMostWeight)));
  is_usual &= hn::AllFalse(tag, hn::AndNot(is_fine, both));
  // A negative number over 1 where there is no cut.
  const auto chosen = hn::IfThenElse(both, above, hn::Set(tag, -1.0));
  const auto divisor = hn::IfThenElse(both, below, hn::Set(tag, 1.0));
  const auto gain = hn::Div(hn::DemoteTo(floats, chosen), hn::DemoteTo(floats, divisor));
  hn::Store(gain, floats, &cuts.gain[at]);
  return !hn::AllFalse(tag, hn::AndNot(rest_is_big, is_big));
}

// The first cut of the block whose rest is too small while its side is not.
size_t EndIn(const CutLeaf& leaf, size_t begin, const ScannedCuts& cuts) {
  const auto is_big = [&](int64_t rows, double hessian) {
    return rows >= leaf.least_rows && hessian >= leaf.least_hessian;
  };
  size_t cut = begin;
  while (!is_big(cuts.rows[cut], cuts.hessian[cut]) ||
         is_big(int64_t{leaf.rows} - cuts.rows[cut], leaf.hessian - cuts.hessian[cut])) {
    ++cut;
  }
  return cut;
}

void FindNear(ScannedCuts& cuts) {
  const hn::CappedTag<float, kBlock> tag;
  auto largest = hn::Set(tag, -1.0F);
  auto are_numbers = hn::Eq(largest, largest);
  for (size_t at = 0; at < cuts.count; at += hn::Lanes(tag)) {
    const auto gain = hn::Load(tag, &cuts.gain[at]);
    are_numbers = hn::And(are_numbers, hn::Eq(gain, gain));
    largest = hn::Max(largest, gain);
  }
  cuts.largest = hn::GetLane(hn::MaxOfLanes(tag, largest));
  cuts.is_usual &= hn::AllTrue(tag, are_numbers);
  cuts.near_count = 0;
  if (cuts.largest == -1) return;
  cuts.is_usual &= cuts.largest > kLeastGain && cuts.largest < kMostGain;
  const float near = cuts.largest * (1 - 2 * kCutError);
  for (size_t at = 0; at < cuts.count; at += hn::Lanes(tag)) {
    const auto is_near = hn::Ge(hn::Load(tag, &cuts.gain[at]), hn::Set(tag, near));
    if (hn::AllFalse(tag, is_near)) continue;
    for (size_t cut = at; cut < at + hn::Lanes(tag); ++cut) {
      if (cuts.gain[cut] >= near) cuts.near[cuts.near_count++] = static_cast<uint8_t>(cut);
    }
  }
}

void Scan(const CutScan& scan, const CutLeaf& leaf, ScannedCuts& cuts) {
  AddUp(scan, leaf.rows_per_hessian, cuts);
  bool ends = false;
  cuts.is_usual = true;
  size_t at = 0;
  while (at < scan.count && !ends) {
    for (const size_t end = at + kBlock; at < end; at += hn::Lanes(Doubles())) {
      ends |= LookAt(leaf, at, cuts, cuts.is_usual);
    }
  }
  cuts.count = at;
  if (ends) {
    for (size_t cut = EndIn(leaf, at - kBlock, cuts); cut < at; ++cut) cuts.gain[cut] = -1;
  }
  FindNear(cuts);
}

}  // namespace almanac::gbdt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace almanac::gbdt {
namespace {

HWY_EXPORT(Scan);

}  // namespace

void ScanCuts(const CutScan& scan, const CutLeaf& leaf, ScannedCuts& cuts) {
  HWY_DYNAMIC_DISPATCH(Scan)(scan, leaf, cuts);
}

}  // namespace almanac::gbdt
#endif  // HWY_ONCE
