#include "almanac/evaluate/bootstrap.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "almanac/base/error.h"
#include "almanac/base/parallel.h"
#include "almanac/base/random.h"
#include "almanac/evaluate/statistics.h"

namespace almanac {
namespace {

constexpr size_t kFewestForBlocks = 10;
constexpr int kMostReplicates = 1000000;

[[noreturn]] void Refuse(const char* option, const std::string& found, const char* allowed) {
  throw Error(ErrorCode::kUsage, fmt::format("bootstrap.{}", option), found, allowed);
}

// The smallest m >= 1 after which `run` successive autocorrelations are insignificant; where there
// is none, the largest significant lag.
size_t LastSignificantLag(std::span<const double> gamma, size_t run, double critical) {
  const size_t max_lag = gamma.size() - 1;
  size_t insignificant = 0;
  size_t largest = 1;
  for (size_t lag = 1; lag <= max_lag; ++lag) {
    if (std::abs(gamma[lag]) < critical * gamma[0]) {
      if (++insignificant == run) return std::max<size_t>(lag - run, 1);
    } else {
      insignificant = 0;
      largest = lag;
    }
  }
  return largest;
}

Interval PercentileInterval(std::vector<double> draws, double confidence) {
  const size_t all = draws.size();
  std::erase_if(draws, [](double value) { return std::isnan(value); });
  if (2 * draws.size() < all || draws.empty()) return {};
  std::sort(draws.begin(), draws.end());
  const double tail = (1 - confidence) / 2;
  return {SortedQuantile(draws, tail), SortedQuantile(draws, 1 - tail)};
}

}  // namespace

void CheckOptions(const BootstrapOptions& options) {
  if (options.replicates < 0 || options.replicates > kMostReplicates) {
    Refuse("replicates", fmt::format("{} replicates", options.replicates),
           "0 (no intervals) to 1000000");
  }
  if (!(options.confidence > 0 && options.confidence < 1)) {
    Refuse("confidence", fmt::format("a confidence of {}", options.confidence),
           "a number between 0 and 1, such as 0.95");
  }
  if (!(options.block_length == 0 || options.block_length >= 1) ||
      !std::isfinite(options.block_length)) {
    Refuse("block_length", fmt::format("a mean block length of {}", options.block_length),
           "0 (chosen from the data) or at least 1");
  }
}

double AutomaticBlockLength(std::span<const double> values) {
  const size_t count = values.size();
  if (count < kFewestForBlocks) return 1;
  const auto n = static_cast<double>(count);
  // The constants of Politis and White 2004, section 3: K_N, m_max, the band of Politis 2003,
  // b_max.
  const size_t run = std::max<size_t>(5, static_cast<size_t>(std::ceil(std::sqrt(std::log10(n)))));
  const size_t max_lag =
      std::min<size_t>(static_cast<size_t>(std::ceil(std::sqrt(n))) + run, count - 1);
  const double longest = std::ceil(std::min(3 * std::sqrt(n), n / 3));
  const std::vector<double> gamma = Autocovariance(values, max_lag);
  if (!(gamma[0] > 0)) return 1;
  const size_t significant = LastSignificantLag(gamma, run, 2 * std::sqrt(std::log10(n) / n));
  const size_t bandwidth = std::min(2 * significant, max_lag);
  double g = 0;
  double spectrum = gamma[0];
  for (size_t k = 1; k <= bandwidth; ++k) {
    const double t = static_cast<double>(k) / static_cast<double>(bandwidth);
    const double window = t <= 0.5 ? 1.0 : 2 * (1 - t);
    g += 2 * window * static_cast<double>(k) * gamma[k];
    spectrum += 2 * window * gamma[k];
  }
  // Patton, Politis and White 2009: D_SB = 2 spectrum^2.
  const double ratio = g * g / (spectrum * spectrum);
  const double length = std::cbrt(ratio * n);
  return std::isfinite(length) ? std::clamp(length, 1.0, longest) : longest;
}

std::vector<uint32_t> StationaryDraw(size_t count, double mean_block, uint64_t seed,
                                     uint64_t replicate) {
  std::vector<uint32_t> multiplicity(count, 0);
  Random random(seed, replicate);
  const double restart = 1 / mean_block;
  size_t at = 0;
  for (size_t drawn = 0; drawn < count; ++drawn) {
    if (drawn == 0 || random.Uniform() < restart) {
      at = random.Below(count);
    } else {
      at = at + 1 == count ? 0 : at + 1;
    }
    ++multiplicity[at];
  }
  return multiplicity;
}

std::vector<Interval> BootstrapIntervals(size_t count, size_t width, double mean_block,
                                         const BootstrapOptions& options,
                                         const WeightedStatistics& statistics) {
  CheckOptions(options);
  std::vector<Interval> intervals(width);
  const auto replicates = static_cast<size_t>(options.replicates);
  if (replicates == 0 || count == 0) return intervals;
  std::vector<double> draws(replicates * width);
  ParallelFor(replicates, [&](size_t r) {
    const std::vector<uint32_t> multiplicity =
        StationaryDraw(count, mean_block, options.seed, static_cast<uint64_t>(r));
    statistics(multiplicity, std::span(draws).subspan(r * width, width));
  });
  for (size_t s = 0; s < width; ++s) {
    std::vector<double> column(replicates);
    for (size_t r = 0; r < replicates; ++r) column[r] = draws[r * width + s];
    intervals[s] = PercentileInterval(std::move(column), options.confidence);
  }
  return intervals;
}

}  // namespace almanac
