// The stationary bootstrap of Politis and Romano (1994, "The Stationary Bootstrap", JASA 89) with
// the automatic block length of Politis and White (2004, Econometric Reviews 23) as corrected by
// Patton, Politis and White (2009, ibid. 28).
//
// A series of n instants is resampled in blocks of geometrically distributed length, wrapped around
// its end, so that dependence in time survives. Replicate r draws from its own stream of random
// numbers: the result is the same for every thread count.
#ifndef ALMANAC_EVALUATE_BOOTSTRAP_H_
#define ALMANAC_EVALUATE_BOOTSTRAP_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <vector>

namespace almanac {

struct Interval {
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
};

struct BootstrapOptions {
  int replicates = 1000;     // 0: no intervals
  double confidence = 0.95;  // two-sided
  uint64_t seed = 1;
  double block_length = 0.0;  // mean block length; 0: chosen from the data
};
// Throws Error(kUsage) naming the option and its allowed range.
void CheckOptions(const BootstrapOptions& options);

// The mean block length that minimises the mean squared error of the bootstrap variance of the mean
// of `values`, at least 1 and at most ceil(min(3 sqrt(n), n / 3)). 1 for a series that does not
// vary or has fewer than 10 values.
double AutomaticBlockLength(std::span<const double> values);

// Replicate `replicate` as multiplicities: how often each of the `count` instants was drawn; they
// sum to `count`. mean_block >= 1.
std::vector<uint32_t> StationaryDraw(size_t count, double mean_block, uint64_t seed,
                                     uint64_t replicate);

// The statistics (`width` of them) of one replicate, from the multiplicity of each instant. Called
// from several threads; writes its results to `out`.
using WeightedStatistics =
    std::function<void(std::span<const uint32_t> multiplicity, std::span<double> out)>;

// Percentile intervals of each statistic. Replicates in which a statistic is NaN are left out of
// its interval; one that is NaN in more than half of them has no interval (NaN).
std::vector<Interval> BootstrapIntervals(size_t count, size_t width, double mean_block,
                                         const BootstrapOptions& options,
                                         const WeightedStatistics& statistics);

}  // namespace almanac

#endif  // ALMANAC_EVALUATE_BOOTSTRAP_H_
