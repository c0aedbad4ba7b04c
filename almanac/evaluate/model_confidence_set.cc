#include "almanac/evaluate/model_confidence_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>

#include "almanac/base/error.h"
#include "almanac/base/parallel.h"
#include "almanac/evaluate/lanes.h"

namespace almanac {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr size_t kFewestInstants = 10;
// Replicates whose maxima are made together: as much of a column as the cache likes.
constexpr size_t kChunk = 256;

void Check(const SeriesPanel& losses, const BootstrapOptions& options) {
  CheckOptions(options);
  const auto refuse = [](std::string what, std::string remedy) {
    throw Error(ErrorCode::kUsage, "model confidence set", std::move(what), std::move(remedy));
  };
  if (options.replicates == 0) refuse("0 replicates", "at least 1; 1000 are usual");
  if (losses.series() == 0) refuse("no models", "pass at least one");
  if (losses.instants() < kFewestInstants) {
    refuse(fmt::format("{} instants", losses.instants()),
           fmt::format("at least {}", kFewestInstants));
  }
}

// A difference in units of its error; one that never varies decides by its sign.
double Ratio(double difference, double deviation) {
  if (deviation > 0) return difference / deviation;
  return difference == 0 ? 0 : std::copysign(kInfinity, difference);
}

double Inverse(double deviation) { return deviation > 0 ? 1 / deviation : 0; }

// What the tests found, one entry a removal: which model left, and the p of that test.
struct Removals {
  std::vector<size_t> model;
  std::vector<double> p;
};

size_t RoundUp(size_t count) { return (count + kLanes - 1) / kLanes * kLanes; }

// Sum over the replicates of (values - average)^2; both are 0 beyond the last replicate.
ALMANAC_WIDEST_REGISTERS
double SquaredDistance(const double* values, const double* average, size_t padded) {
  Lanes sums{};
  for (size_t b = 0; b < padded; b += kLanes) {
    const Lanes d =
        *reinterpret_cast<const Lanes*>(values + b) - *reinterpret_cast<const Lanes*>(average + b);
    sums += d * d;
  }
  double total = 0;
  for (size_t k = 0; k < kLanes; ++k) total += sums[k];
  return total;
}

// maxima[b] = max(maxima[b], (values[b] - average[b]) * scale).
ALMANAC_WIDEST_REGISTERS
void RaiseMaxima(const double* values, const double* average, double scale, size_t count,
                 double* maxima) {
  for (size_t b = 0; b < count; b += kLanes) {
    const Lanes t = (*reinterpret_cast<const Lanes*>(values + b) -
                     *reinterpret_cast<const Lanes*>(average + b)) *
                    scale;
    auto* most = reinterpret_cast<Lanes*>(maxima + b);
    *most = t > *most ? t : *most;
  }
}

// sums[j] += (value - others[j])^2.
ALMANAC_WIDEST_REGISTERS
void AddSquaredDistances(double value, const double* others, size_t count, double* sums) {
  for (size_t j = 0; j < count; ++j) sums[j] += (value - others[j]) * (value - others[j]);
}

// The largest |value - others[j]| * scale[j], j < padded; scale is 0 beyond the last model.
ALMANAC_WIDEST_REGISTERS
double LargestDistance(double value, const double* others, const double* scale, size_t padded) {
  Lanes most{};
  for (size_t j = 0; j < padded; j += kLanes) {
    Lanes t = (value - *reinterpret_cast<const Lanes*>(others + j)) *
              *reinterpret_cast<const Lanes*>(scale + j);
    t = t < 0 ? -t : t;
    most = t > most ? t : most;
  }
  double largest = 0;
  for (size_t k = 0; k < kLanes; ++k) largest = std::max(largest, most[k]);
  return largest;
}

// The models left, model by model: the replicates of one lie beside each other.
class MaxTest {
 public:
  MaxTest(const SeriesPanel& losses, const std::vector<double>& centred, size_t replicates)
      : means_(losses.Means()),
        replicates_(replicates),
        padded_(RoundUp(replicates)),
        left_(losses.series()),
        average_(padded_, 0.0) {
    columns_.assign(left_ * padded_, 0.0);
    model_.resize(left_);
    std::iota(model_.begin(), model_.end(), size_t{0});
    ParallelFor(left_, [&](size_t i) {
      for (size_t b = 0; b < replicates_; ++b) Column(i)[b] = centred[b * model_.size() + i];
    });
  }

  Removals Run() {
    Removals removals;
    while (left_ > 1) {
      Average();
      std::vector<double> deviation(left_);
      ParallelFor(left_, [&](size_t i) {
        deviation[i] = std::sqrt(SquaredDistance(Column(i), average_.data(), padded_) /
                                 static_cast<double>(replicates_));
      });
      const double mean =
          std::accumulate(means_.begin(), means_.begin() + static_cast<std::ptrdiff_t>(left_),
                          0.0) /
          static_cast<double>(left_);
      size_t worst = 0;
      double statistic = -kInfinity;
      for (size_t i = 0; i < left_; ++i) {
        const double t = Ratio(means_[i] - mean, deviation[i]);
        if (t > statistic) statistic = t, worst = i;
      }
      removals.p.push_back(BootstrapPValue(Maxima(deviation), statistic));
      removals.model.push_back(model_[worst]);
      Remove(worst);
    }
    removals.model.push_back(model_[0]);
    return removals;
  }

 private:
  double* Column(size_t i) { return columns_.data() + i * padded_; }

  // Made anew in every step: what is taken away again and again would leave its rounding behind.
  void Average() {
    std::fill(average_.begin(), average_.end(), 0.0);
    ParallelFor((padded_ + kChunk - 1) / kChunk, [&](size_t chunk) {
      const size_t last = std::min(padded_, (chunk + 1) * kChunk);
      for (size_t i = 0; i < left_; ++i) {
        const double* column = Column(i);
        for (size_t b = chunk * kChunk; b < last; ++b) average_[b] += column[b];
      }
      for (size_t b = chunk * kChunk; b < last; ++b) average_[b] /= static_cast<double>(left_);
    });
  }

  std::vector<double> Maxima(const std::vector<double>& deviation) {
    std::vector<double> maxima(padded_, -kInfinity);
    ParallelFor((padded_ + kChunk - 1) / kChunk, [&](size_t chunk) {
      const size_t first = chunk * kChunk;
      const size_t count = std::min(padded_ - first, kChunk);
      for (size_t i = 0; i < left_; ++i) {
        RaiseMaxima(Column(i) + first, average_.data() + first, Inverse(deviation[i]), count,
                    maxima.data() + first);
      }
    });
    maxima.resize(replicates_);
    return maxima;
  }

  // The last one takes its place.
  void Remove(size_t i) {
    --left_;
    means_[i] = means_[left_];
    model_[i] = model_[left_];
    std::copy_n(Column(left_), padded_, Column(i));
  }

  std::vector<double> means_;
  size_t replicates_, padded_, left_;
  std::vector<double> columns_, average_;
  std::vector<size_t> model_;
};

// The order in which models leave by the range statistic does not depend on the replicates, so that
// the maxima of all steps follow from one pass that adds the models in reverse order.
class RangeTest {
 public:
  RangeTest(const SeriesPanel& losses, std::vector<double> centred, size_t replicates)
      : means_(losses.Means()), centred_(std::move(centred)), replicates_(replicates) {}

  Removals Run() {
    const size_t models = means_.size();
    deviation_.assign(models * models, 0.0);
    ParallelFor(models, [&](size_t i) { AddDeviations(i); });
    Removals removals;
    std::vector<double> statistic;
    Order(removals, statistic);
    const std::vector<double> maxima = Maxima(removals.model);
    for (size_t step = 0; step + 1 < models; ++step) {
      std::vector<double> draws(replicates_);
      for (size_t b = 0; b < replicates_; ++b) draws[b] = maxima[b * models + step];
      removals.p.push_back(BootstrapPValue(draws, statistic[step]));
    }
    return removals;
  }

 private:
  void AddDeviations(size_t i) {
    const size_t models = means_.size();
    double* deviation = deviation_.data() + i * models;
    for (size_t b = 0; b < replicates_; ++b) {
      AddSquaredDistances(centred_[b * models + i], centred_.data() + b * models, models,
                          deviation);
    }
    for (size_t j = 0; j < models; ++j) {
      deviation[j] = std::sqrt(deviation[j] / static_cast<double>(replicates_));
    }
  }

  double Pair(size_t i, size_t j) const {
    return Ratio(means_[i] - means_[j], deviation_[i * means_.size() + j]);
  }

  // The worst opponent of a model is looked for again only when it has left.
  void Order(Removals& removals, std::vector<double>& statistic) const {
    const size_t models = means_.size();
    std::vector<bool> left(models, true);
    std::vector<size_t> opponent(models);
    const auto find_opponent = [&](size_t i) {
      size_t best = models;
      for (size_t j = 0; j < models; ++j) {
        if (j == i || !left[j]) continue;
        if (best == models || Pair(i, j) > Pair(i, best)) best = j;
      }
      opponent[i] = best;
    };
    for (size_t i = 0; i < models; ++i) find_opponent(i);
    for (size_t step = 0; step + 1 < models; ++step) {
      size_t worst = models;
      for (size_t i = 0; i < models; ++i) {
        if (!left[i]) continue;
        if (worst == models || Pair(i, opponent[i]) > Pair(worst, opponent[worst])) worst = i;
      }
      statistic.push_back(Pair(worst, opponent[worst]));
      removals.model.push_back(worst);
      left[worst] = false;
      for (size_t i = 0; i < models; ++i) {
        if (left[i] && opponent[i] == worst && step + 2 < models) find_opponent(i);
      }
    }
    const auto last = std::find(left.begin(), left.end(), true);
    removals.model.push_back(static_cast<size_t>(last - left.begin()));
  }

  // replicates x models: at [b][step] the largest |t*_ij| among the models left before that step.
  std::vector<double> Maxima(const std::vector<size_t>& order) const {
    const size_t models = order.size();
    const size_t padded = RoundUp(models);
    // Row i has the models that stay longer than it, and 0 elsewhere.
    std::vector<double> inverse(models * padded, 0.0);
    for (size_t i = 0; i < models; ++i) {
      for (size_t j = i + 1; j < models; ++j) {
        inverse[i * padded + j] = Inverse(deviation_[order[i] * models + order[j]]);
      }
    }
    std::vector<double> maxima(replicates_ * models, 0.0);
    ParallelFor(replicates_, [&](size_t b) {
      std::vector<double> row(padded, 0.0);
      for (size_t i = 0; i < models; ++i) row[i] = centred_[b * models + order[i]];
      double most = 0;
      for (size_t i = models; i-- > 0;) {
        const size_t first = i / kLanes * kLanes;
        const double* scale = inverse.data() + i * padded + first;
        most = std::max(most, LargestDistance(row[i], row.data() + first, scale, padded - first));
        maxima[b * models + i] = most;
      }
    });
    return maxima;
  }

  std::vector<double> means_, centred_;
  size_t replicates_;
  std::vector<double> deviation_;  // of the difference of each pair, models x models
};

}  // namespace

std::string_view Name(ConfidenceSetStatistic statistic) {
  return statistic == ConfidenceSetStatistic::kMax ? "max" : "range";
}

std::vector<size_t> ModelConfidenceSet::Members(double alpha) const {
  std::vector<size_t> members;
  for (size_t i = 0; i < p_value.size(); ++i) {
    if (p_value[i] >= alpha) members.push_back(i);
  }
  return members;
}

ModelConfidenceSet ComputeConfidenceSet(const SeriesPanel& losses, const BootstrapOptions& options,
                                        double least_block, ConfidenceSetStatistic statistic) {
  Check(losses, options);
  ModelConfidenceSet set;
  set.statistic = statistic;
  set.instants = losses.instants();
  set.replicates = options.replicates;
  // Losses of models rise and fall together; what matters is how their differences do.
  std::vector<double> average(losses.instants(), 0.0);
  for (size_t k = 0; k < losses.series(); ++k) {
    for (size_t t = 0; t < average.size(); ++t) {
      average[t] += losses.values(k)[t] / static_cast<double>(losses.series());
    }
  }
  set.block_length = PanelBlockLength(losses.BetterThan(average), options, least_block);
  const auto replicates = static_cast<size_t>(options.replicates);
  std::vector<double> centred = CentredBootstrapMeans(losses, set.block_length, options);
  const Removals removals = statistic == ConfidenceSetStatistic::kMax
                                ? MaxTest(losses, centred, replicates).Run()
                                : RangeTest(losses, std::move(centred), replicates).Run();
  set.removed = removals.model;
  set.p_value.assign(losses.series(), 1.0);
  double largest = 0;
  for (size_t step = 0; step < removals.p.size(); ++step) {
    largest = std::max(largest, removals.p[step]);
    set.p_value[removals.model[step]] = largest;
  }
  return set;
}

Json ToJson(const ModelConfidenceSet& set, const std::vector<std::string>& names) {
  Json models = Json::array();
  for (size_t i = 0; i < set.p_value.size(); ++i) {
    models.push_back({{"name", names[i]}, {"p_value", set.p_value[i]}});
  }
  return Json{{"statistic", Name(set.statistic)},
              {"instants", set.instants},
              {"block_length", set.block_length},
              {"replicates", set.replicates},
              {"models", std::move(models)}};
}

}  // namespace almanac
