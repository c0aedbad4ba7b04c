#include "almanac/backtest/overfitting.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/parallel.h"
#include "almanac/evaluate/json_value.h"
#include "almanac/evaluate/statistics.h"

namespace almanac {
namespace {

constexpr size_t kMostBlocks = 20;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

void Check(const SeriesPanel& returns, const OverfittingOptions& options) {
  const auto refuse = [](std::string what, std::string remedy) {
    throw Error(ErrorCode::kUsage, "probability of overfitting", std::move(what),
                std::move(remedy));
  };
  if (options.blocks < 2 || options.blocks > kMostBlocks || options.blocks % 2 != 0) {
    refuse(fmt::format("{} blocks", options.blocks),
           fmt::format("an even number from 2 to {}", kMostBlocks));
  }
  if (returns.series() < 2) {
    refuse(fmt::format("{} configurations", returns.series()), "a choice needs at least 2");
  }
  if (returns.instants() < 2 * options.blocks) {
    refuse(fmt::format("{} returns for {} blocks", returns.instants(), options.blocks),
           "at least 2 a block");
  }
}

// Every choice of blocks/2 of the blocks as bits, in increasing order of the first, second, ...
// chosen block.
std::vector<uint32_t> Halves(size_t blocks) {
  std::vector<bool> chosen(blocks, false);
  std::fill(chosen.begin(), chosen.begin() + static_cast<std::ptrdiff_t>(blocks / 2), true);
  std::vector<uint32_t> halves;
  do {
    uint32_t bits = 0;
    for (size_t b = 0; b < blocks; ++b) bits |= chosen[b] ? uint32_t{1} << b : 0;
    halves.push_back(bits);
  } while (std::prev_permutation(chosen.begin(), chosen.end()));
  return halves;
}

// What the ratios of any union of blocks follow from. Values are centred on each configuration's
// mean over all time, so that the variance is no difference of large numbers.
class BlockSums {
 public:
  BlockSums(const SeriesPanel& returns, size_t blocks, size_t first, size_t length)
      : blocks_(blocks), series_(returns.series()), length_(length) {
    sums_.assign(blocks * series_, 0.0);
    squares_.assign(blocks * series_, 0.0);
    centre_ = returns.Means();
    ParallelFor(series_, [&](size_t k) {
      const std::span<const double> values = returns.values(k).subspan(first);
      // Of rounding alone, in a configuration that never trades.
      for (size_t b = 0; b < blocks; ++b) {
        for (const double value : values.subspan(b * length, length)) {
          const double d = value - centre_[k];
          sums_[b * series_ + k] += d;
          squares_[b * series_ + k] += d * d;
        }
      }
    });
  }

  // The Sharpe ratio of each configuration over the chosen blocks.
  void Ratios(uint32_t chosen, std::vector<double>& ratios) const {
    std::vector<double> square(series_, 0.0);
    ratios.assign(series_, 0.0);
    for (size_t b = 0; b < blocks_; ++b) {
      if ((chosen >> b & 1) == 0) continue;
      const double* sum = sums_.data() + b * series_;
      const double* squares = squares_.data() + b * series_;
      for (size_t k = 0; k < series_; ++k) {
        ratios[k] += sum[k];
        square[k] += squares[k];
      }
    }
    const auto n = static_cast<double>(blocks_ / 2 * length_);
    constexpr double kRounding = 1e-13;
    for (size_t k = 0; k < series_; ++k) {
      const double mean = ratios[k] / n;
      const double variance = (square[k] - n * mean * mean) / (n - 1);
      const double scale = square[k] / (n - 1) + centre_[k] * centre_[k];
      ratios[k] = variance > kRounding * scale ? (mean + centre_[k]) / std::sqrt(variance) : 0;
    }
  }

 private:
  size_t blocks_, series_, length_;
  std::vector<double> sums_, squares_;  // block by block
  std::vector<double> centre_;
};

struct Trial {
  double in_sample = 0, out_of_sample = 0, logit = 0, median = 0;
};

Trial RunTrial(const BlockSums& sums, uint32_t chosen, uint32_t all) {
  std::vector<double> inside;
  std::vector<double> outside;
  sums.Ratios(chosen, inside);
  sums.Ratios(all & ~chosen, outside);
  const auto best =
      static_cast<size_t>(std::max_element(inside.begin(), inside.end()) - inside.begin());
  Trial trial;
  trial.in_sample = inside[best];
  trial.out_of_sample = outside[best];
  double below = 0;
  double equal = 0;
  for (const double ratio : outside) {
    below += ratio < outside[best] ? 1 : 0;
    equal += ratio == outside[best] ? 1 : 0;
  }
  const double rank = below + (equal + 1) / 2;
  const double relative = rank / static_cast<double>(outside.size() + 1);
  trial.logit = std::log(relative / (1 - relative));
  const auto middle = outside.begin() + static_cast<std::ptrdiff_t>(outside.size() / 2);
  std::nth_element(outside.begin(), middle, outside.end());
  trial.median = *middle;
  if (outside.size() % 2 == 0) {
    trial.median = (trial.median + *std::max_element(outside.begin(), middle)) / 2;
  }
  return trial;
}

void AddRegression(const std::vector<Trial>& trials, BacktestOverfitting& overfitting) {
  std::vector<double> inside;
  std::vector<double> outside;
  for (const Trial& trial : trials) {
    inside.push_back(trial.in_sample);
    outside.push_back(trial.out_of_sample);
  }
  overfitting.mean_in_sample = Mean(inside);
  overfitting.mean_out_of_sample = Mean(outside);
  const double correlation = PearsonCorrelation(inside, outside);
  overfitting.slope = correlation * std::sqrt(Variance(outside) / Variance(inside));
  overfitting.intercept =
      overfitting.mean_out_of_sample - overfitting.slope * overfitting.mean_in_sample;
  overfitting.r_squared = correlation * correlation;
  if (std::isnan(correlation)) overfitting.slope = overfitting.intercept = kNan;
}

}  // namespace

BacktestOverfitting ComputeOverfitting(const SeriesPanel& returns,
                                       const OverfittingOptions& options) {
  Check(returns, options);
  BacktestOverfitting overfitting;
  overfitting.configurations = returns.series();
  overfitting.blocks = options.blocks;
  overfitting.block_length = returns.instants() / options.blocks;
  overfitting.left_out = returns.instants() - options.blocks * overfitting.block_length;
  const BlockSums sums(returns, options.blocks, overfitting.left_out, overfitting.block_length);
  const std::vector<uint32_t> halves = Halves(options.blocks);
  const uint32_t all = (uint32_t{1} << options.blocks) - 1;
  std::vector<Trial> trials(halves.size());
  ParallelFor(halves.size(), [&](size_t i) { trials[i] = RunTrial(sums, halves[i], all); });
  const auto count = static_cast<double>(trials.size());
  for (const Trial& trial : trials) {
    overfitting.logits.push_back(trial.logit);
    overfitting.probability += trial.logit <= 0 ? 1 / count : 0;
    overfitting.loss_probability += trial.out_of_sample < 0 ? 1 / count : 0;
    overfitting.median_out_of_sample_of_all += trial.median / count;
  }
  AddRegression(trials, overfitting);
  return overfitting;
}

Json ToJson(const BacktestOverfitting& overfitting) {
  constexpr int kBins = 20;
  std::vector<size_t> histogram(kBins, 0);
  for (const double logit : overfitting.logits) {
    const double relative = 1 / (1 + std::exp(-logit));
    ++histogram[std::min<size_t>(static_cast<size_t>(relative * kBins), kBins - 1)];
  }
  return Json{{"configurations", overfitting.configurations},
              {"blocks", overfitting.blocks},
              {"block_length", overfitting.block_length},
              {"left_out", overfitting.left_out},
              {"trials", overfitting.logits.size()},
              {"probability", overfitting.probability},
              {"slope", NumberOrNull(overfitting.slope)},
              {"intercept", NumberOrNull(overfitting.intercept)},
              {"r_squared", NumberOrNull(overfitting.r_squared)},
              {"loss_probability", overfitting.loss_probability},
              {"mean_in_sample", overfitting.mean_in_sample},
              {"mean_out_of_sample", overfitting.mean_out_of_sample},
              {"median_out_of_sample_of_all", overfitting.median_out_of_sample_of_all},
              {"relative_rank_histogram", histogram}};
}

}  // namespace almanac
