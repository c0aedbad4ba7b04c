#include "almanac/evaluate/series_panel.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "almanac/base/error.h"
#include "almanac/base/parallel.h"
#include "almanac/evaluate/lanes.h"
#include "almanac/evaluate/statistics.h"

namespace almanac {
namespace {

constexpr size_t kTile = kLanes;  // series whose values lie beside each other
constexpr size_t kDraws = 4;      // replicates summed in one pass over a tile
constexpr size_t kMostBlockLengths = 100;
constexpr double kSmallestWeight = 1e-12;

// sums[d * kTile + s] = sum over instants of weight[instant * kDraws + d] * tile[instant * kTile +
// s].
ALMANAC_WIDEST_REGISTERS
void WeightedSums(const double* tile, const double* weight, size_t instants, double* sums) {
  Lanes first{};
  Lanes second{};
  Lanes third{};
  Lanes fourth{};
  static_assert(kDraws == 4);
  for (size_t t = 0; t < instants; ++t) {
    const Lanes values = *reinterpret_cast<const Lanes*>(tile + t * kTile);
    first += weight[t * kDraws] * values;
    second += weight[t * kDraws + 1] * values;
    third += weight[t * kDraws + 2] * values;
    fourth += weight[t * kDraws + 3] * values;
  }
  auto* out = reinterpret_cast<Lanes*>(sums);
  out[0] = first;
  out[1] = second;
  out[2] = third;
  out[3] = fourth;
}

// Centred values, kTile series beside each other; places without a series are 0.
std::vector<double> CentredTiles(const SeriesPanel& panel) {
  const size_t tiles = (panel.series() + kTile - 1) / kTile;
  std::vector<double> packed(tiles * kTile * panel.instants(), 0.0);
  for (size_t s = 0; s < panel.series(); ++s) {
    const std::span<const double> values = panel.values(s);
    const double mean = Mean(values);
    double* tile = packed.data() + s / kTile * kTile * panel.instants() + s % kTile;
    for (size_t t = 0; t < values.size(); ++t) tile[t * kTile] = values[t] - mean;
  }
  return packed;
}

ALMANAC_WIDEST_REGISTERS
double CircularProduct(const double* values, size_t count, size_t lag) {
  Lanes sums{};
  const size_t whole = (count - lag) / kLanes * kLanes;
  for (size_t i = 0; i < whole; i += kLanes) {
    sums += *reinterpret_cast<const Lanes*>(values + i) *
            *reinterpret_cast<const Lanes*>(values + i + lag);
  }
  double total = 0;
  for (size_t k = 0; k < kLanes; ++k) total += sums[k];
  for (size_t i = whole; i < count; ++i) {
    total += values[i] * values[i + lag < count ? i + lag : i + lag - count];
  }
  return total;
}

double StationaryDeviation(std::span<const double> values, double mean_block) {
  const size_t n = values.size();
  if (n == 0 ||
      std::all_of(values.begin(), values.end(), [&](double value) { return value == values[0]; })) {
    return 0;
  }
  const double mean = Mean(values);
  std::vector<double> centred(values.begin(), values.end());
  for (double& value : centred) value -= mean;
  const auto count = static_cast<double>(n);
  double variance = CircularProduct(centred.data(), n, 0);
  double survival = 1;
  for (size_t lag = 1; lag < n; ++lag) {
    survival *= 1 - 1 / mean_block;
    if (survival < kSmallestWeight) break;
    variance += 2 * (1 - static_cast<double>(lag) / count) * survival *
                CircularProduct(centred.data(), n, lag);
  }
  return variance > 0 ? std::sqrt(variance / count) : 0;
}

}  // namespace

void SeriesPanel::Add(std::string name, std::span<const double> values) {
  if (values.size() != instants_) {
    throw Error(ErrorCode::kUsage, "series panel",
                fmt::format("{} values of '{}' for {} instants", values.size(), name, instants_),
                "pass every series at the same instants");
  }
  for (size_t t = 0; t < values.size(); ++t) {
    if (std::isfinite(values[t])) continue;
    throw Error(ErrorCode::kBadData, fmt::format("series '{}', instant {}", name, t),
                fmt::format("the value is {}", values[t]), "leave out instants without a value");
  }
  names_.push_back(std::move(name));
  values_.insert(values_.end(), values.begin(), values.end());
}

std::vector<double> SeriesPanel::Means() const {
  std::vector<double> means;
  for (size_t s = 0; s < series(); ++s) means.push_back(Mean(values(s)));
  return means;
}

SeriesPanel SeriesPanel::BetterThan(std::span<const double> benchmark_loss) const {
  SeriesPanel better(instants_);
  std::vector<double> difference(instants_);
  for (size_t s = 0; s < series(); ++s) {
    if (benchmark_loss.size() == instants_) {
      for (size_t t = 0; t < instants_; ++t) difference[t] = benchmark_loss[t] - values(s)[t];
    } else {
      difference.assign(benchmark_loss.begin(), benchmark_loss.end());  // refused by Add
    }
    better.Add(names_[s], difference);
  }
  return better;
}

double PanelBlockLength(const SeriesPanel& panel, const BootstrapOptions& options, double least) {
  if (options.block_length > 0) return options.block_length;
  const size_t series = panel.series();
  const size_t asked = std::min(series, kMostBlockLengths);
  if (asked == 0) return std::max(1.0, least);
  std::vector<double> lengths(asked);
  ParallelFor(asked, [&](size_t i) {
    lengths[i] = AutomaticBlockLength(panel.values(i * series / asked));
  });
  std::sort(lengths.begin(), lengths.end());
  return std::max({1.0, least, SortedQuantile(lengths, 0.5)});
}

std::vector<double> CentredBootstrapMeans(const SeriesPanel& panel, double mean_block,
                                          const BootstrapOptions& options) {
  CheckOptions(options);
  const size_t series = panel.series();
  const size_t instants = panel.instants();
  const auto replicates = static_cast<size_t>(options.replicates);
  std::vector<double> means(replicates * series);
  if (instants == 0 || series == 0) return means;
  const std::vector<double> packed = CentredTiles(panel);
  ParallelFor((replicates + kDraws - 1) / kDraws, [&](size_t group) {
    const size_t draws = std::min(kDraws, replicates - group * kDraws);
    std::vector<double> weight(instants * kDraws, 0.0);
    for (size_t d = 0; d < draws; ++d) {
      const std::vector<uint32_t> drawn =
          StationaryDraw(instants, mean_block, options.seed, group * kDraws + d);
      for (size_t t = 0; t < instants; ++t) weight[t * kDraws + d] = drawn[t];
    }
    std::array<double, kDraws * kTile> sums{};
    for (size_t first = 0; first < series; first += kTile) {
      WeightedSums(packed.data() + first * instants, weight.data(), instants, sums.data());
      for (size_t d = 0; d < draws; ++d) {
        for (size_t s = first; s < std::min(first + kTile, series); ++s) {
          means[(group * kDraws + d) * series + s] =
              sums[d * kTile + s - first] / static_cast<double>(instants);
        }
      }
    }
  });
  return means;
}

std::vector<double> StationaryDeviations(const SeriesPanel& panel, double mean_block) {
  std::vector<double> deviations(panel.series());
  ParallelFor(panel.series(),
              [&](size_t s) { deviations[s] = StationaryDeviation(panel.values(s), mean_block); });
  return deviations;
}

double BootstrapPValue(std::span<const double> draws, double statistic) {
  const auto reached = std::count_if(draws.begin(), draws.end(),
                                     [statistic](double draw) { return draw >= statistic; });
  return static_cast<double>(1 + reached) / static_cast<double>(1 + draws.size());
}

}  // namespace almanac
