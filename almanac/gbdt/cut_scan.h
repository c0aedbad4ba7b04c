// The cuts of a column's histogram in doubles, many at a time. Inside this room. What is found are
// gains to some digits; those that may be the largest are computed again, in the reference's order
// of operations (split.cc), so that results do not depend on the instruction set.
#ifndef ALMANAC_GBDT_CUT_SCAN_H_
#define ALMANAC_GBDT_CUT_SCAN_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "almanac/gbdt/split.h"

namespace almanac::gbdt {

inline constexpr size_t kMostCuts = 256;

// Bins are added to a side one after another; each leaves a cut between it and the rest.
struct CutScan {
  const HistogramBin* bin = nullptr;  // the first to be added
  std::ptrdiff_t step = 1;            // to the next
  size_t count = 0;                   // at most kMostCuts
  // What the side has before.
  double gradient = 0, hessian = 0;
  int rows = 0;
};

// The leaf, and what is asked of either side.
struct CutLeaf {
  double gradient = 0, hessian = 0, l2 = 0, least_hessian = 0, rows_per_hessian = 0;
  int rows = 0, least_rows = 0;
};

struct ScannedCuts {
  // By cut: of the side, in the order of adding, to the last bit.
  alignas(64) std::array<double, kMostCuts> gradient, hessian;
  alignas(64) std::array<int32_t, kMostCuts> rows;
  // g^2 / (h + l2) of both sides, or -1 where one is too small. Behind the first cut whose rest is
  // too small while the side is not, there are none.
  alignas(64) std::array<float, kMostCuts> gain;
  size_t count = 0;  // of `gain`, at most 7 more than there are cuts
  float largest = -1;
  // Those that may gain the most, ascending.
  std::array<uint8_t, kMostCuts> near;
  size_t near_count = 0;
  // False where some gain is no number, or digits may be lost: look at the cuts one by one.
  bool is_usual = true;
};

// `gain` is off by less than this part of itself, or of `largest`.
inline constexpr float kCutError = 1e-5F;

void ScanCuts(const CutScan& scan, const CutLeaf& leaf, ScannedCuts& cuts);

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_CUT_SCAN_H_
