// The search of a tile's histograms in doubles for cuts, several columns at a time. Inside this
// room. Sums over bins are made one after another, column by column in the lanes of a vector: they
// are the reference's to the last bit. What is found are bounds, which decide what is searched with
// the reference's operations (split.h).
#ifndef ALMANAC_GBDT_LARGEST_CUTS_H_
#define ALMANAC_GBDT_LARGEST_CUTS_H_

#include <cstddef>

#include "almanac/gbdt/cut_scan.h"
#include "almanac/gbdt/exact_kernels.h"
#include "almanac/gbdt/gain_kernels.h"
#include "almanac/gbdt/split.h"

namespace almanac::gbdt {

// With W = H + 2 l2 of the leaf and w = h + l2 of a side, for every slot the largest
// (g - w G / W)^2 / (w (W - w)) (gain_kernels.h) of all cuts that FindSplit considers; -1 if there
// is none. `bins` is at least that of every slot; bins behind a slot's last are 0. Where some bin
// is not filled by hessians of at least 0, or l2 and the least hessian are both 0, numbers mean
// nothing.
void LargestCuts(const HistogramBin* histogram, size_t bins, size_t slots,
                 const MissingBins& missing, const CutLeaf& leaf, double* numbers);

// By what part of itself a number may be off; the root of it may be off by NumberSlack besides.
inline constexpr double kNumberError = 1.0 / (1 << 12);
double NumberSlack(const CutLeaf& leaf);

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_LARGEST_CUTS_H_
