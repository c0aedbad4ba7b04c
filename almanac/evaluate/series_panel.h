// Several series over the same instants: the losses of models, the returns of strategies.
//
// Its resampled means are the one expensive thing that the tests for many models share, so they
// are computed for all series at once: the same draws of instants for every series (which keeps
// their dependence), a block of series and of replicates at a time.
#ifndef ALMANAC_EVALUATE_SERIES_PANEL_H_
#define ALMANAC_EVALUATE_SERIES_PANEL_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/evaluate/bootstrap.h"

namespace almanac {

class SeriesPanel {
 public:
  // Series of `instants` values each, in time order.
  explicit SeriesPanel(size_t instants) : instants_(instants) {}

  // Throws Error(kUsage) for another length, Error(kBadData) naming series and instant for a value
  // that is not finite.
  void Add(std::string name, std::span<const double> values);

  size_t instants() const { return instants_; }
  size_t series() const { return names_.size(); }
  const std::vector<std::string>& names() const { return names_; }
  std::span<const double> values(size_t series) const {
    return std::span(values_).subspan(series * instants_, instants_);
  }
  std::vector<double> Means() const;
  // Every series as its difference from `benchmark`, (benchmark - series) for losses: positive
  // where the series is better.
  SeriesPanel BetterThan(std::span<const double> benchmark_loss) const;

 private:
  size_t instants_;
  std::vector<std::string> names_;
  std::vector<double> values_;  // series by series
};

// The mean block length for a panel: `options.block_length` if given, else the median of the
// automatic lengths of up to 100 series spread over the panel, at least `least`.
double PanelBlockLength(const SeriesPanel& panel, const BootstrapOptions& options, double least);

// Means of every series in every replicate less its own mean: replicates x series, row-major.
std::vector<double> CentredBootstrapMeans(const SeriesPanel& panel, double mean_block,
                                          const BootstrapOptions& options);

// The standard deviation of sqrt(instants) times the mean of each series under the stationary
// bootstrap, in closed form (Politis and Romano 1994, lemma 1; Hansen 2005 uses the same): the
// square root of gamma_0 + 2 sum_i (1 - i/n) (1 - 1/mean_block)^i gamma_i with circular
// autocovariances. Weights below 1e-12 are left out. 0 for a series that does not vary.
std::vector<double> StationaryDeviations(const SeriesPanel& panel, double mean_block);

// (1 + how many of `draws` reach `statistic`) / (1 + draws): never 0, as no finite number of draws
// shows that (Davison and Hinkley 1997, section 4.2).
double BootstrapPValue(std::span<const double> draws, double statistic);

}  // namespace almanac

#endif  // ALMANAC_EVALUATE_SERIES_PANEL_H_
