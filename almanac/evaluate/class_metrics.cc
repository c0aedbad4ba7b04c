#include "almanac/evaluate/class_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>

#include "almanac/base/error.h"
#include "almanac/evaluate/json_value.h"
#include "almanac/evaluate/p_value.h"
#include "almanac/evaluate/ratio_sums.h"

namespace almanac {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kSumTolerance = 1e-6;
constexpr double kLeastProbability = std::numeric_limits<double>::epsilon();
constexpr size_t kBins = 10;

[[noreturn]] void RefuseRow(const ClassSample& sample, size_t row, std::string what,
                            const char* remedy) {
  throw Error(ErrorCode::kBadData,
              fmt::format("class forecast row {}, {}", row, FormatTime(sample.made_at[row])),
              std::move(what), remedy);
}

void CheckShape(const ClassSample& sample) {
  const auto refuse = [](std::string what, std::string remedy) {
    throw Error(ErrorCode::kUsage, "class forecasts", std::move(what), std::move(remedy));
  };
  const size_t classes = sample.classes.size();
  if (classes < 2) refuse(fmt::format("{} classes", classes), "at least 2");
  if (sample.size() == 0) refuse("no rows", "widen the test period");
  if (sample.horizon == 0) refuse("a horizon of 0", "at least 1");
  if (sample.probability.size() != classes || sample.naive.size() != classes) {
    refuse("probabilities of another number of classes", "one column a class");
  }
  bool equal = sample.actual.size() == sample.size();
  for (const auto& column : sample.probability) equal = equal && column.size() == sample.size();
  if (!equal) refuse("columns of different lengths", "one entry a row");
  const double sum = std::accumulate(sample.naive.begin(), sample.naive.end(), 0.0);
  if (!(std::abs(sum - 1) < kSumTolerance)) {
    refuse(fmt::format("naive probabilities that sum to {}", sum), "a sum of 1");
  }
}

void Check(const ClassSample& sample) {
  CheckShape(sample);
  for (size_t row = 0; row < sample.size(); ++row) {
    if (row > 0 && sample.made_at[row] < sample.made_at[row - 1]) {
      RefuseRow(sample, row, "made before the row above it", "sort the rows by made_at");
    }
    if (sample.actual[row] >= sample.classes.size()) {
      RefuseRow(sample, row,
                fmt::format("class {} of {}", sample.actual[row], sample.classes.size()),
                "give the position of a class");
    }
    double sum = 0;
    for (const auto& column : sample.probability) {
      if (!(column[row] >= 0 && column[row] <= 1)) {
        RefuseRow(sample, row, fmt::format("a probability of {}", column[row]), "0 to 1");
      }
      sum += column[row];
    }
    if (!(std::abs(sum - 1) < kSumTolerance)) {
      RefuseRow(sample, row, fmt::format("its probabilities sum to {}", sum),
                "they sum to 1 within 1e-6");
    }
  }
}

double LogLoss(double probability) {
  return -std::log(std::clamp(probability, kLeastProbability, 1 - kLeastProbability));
}

template <typename Probability>
double Brier(const Probability& probability, size_t classes, uint32_t actual) {
  if (classes == 2) {
    const double error = probability(1) - (actual == 1 ? 1 : 0);
    return error * error;
  }
  double sum = 0;
  for (size_t c = 0; c < classes; ++c) {
    const double error = probability(c) - (actual == c ? 1 : 0);
    sum += error * error;
  }
  return sum;
}

template <typename Probability>
uint32_t MostProbable(const Probability& probability, size_t classes) {
  uint32_t best = 0;
  for (uint32_t c = 1; c < classes; ++c) {
    if (probability(c) > probability(best)) best = c;
  }
  return best;
}

// Average precision and AUC of one class against the rest, of any resample: the rows are sorted by
// score once.
class RankedClass {
 public:
  RankedClass(const ClassSample& sample, size_t c) {
    const std::vector<double>& score = sample.probability[c];
    order_.resize(sample.size());
    std::iota(order_.begin(), order_.end(), uint32_t{0});
    std::sort(order_.begin(), order_.end(), [&](uint32_t a, uint32_t b) {
      return score[a] != score[b] ? score[a] > score[b] : a < b;
    });
    for (size_t i = 0; i < order_.size(); ++i) {
      positive_.push_back(sample.actual[order_[i]] == c);
      last_of_score_.push_back(i + 1 == order_.size() || score[order_[i]] != score[order_[i + 1]]);
    }
  }

  struct Result {
    double average_precision = kNan, auc = kNan, frequency = kNan;
  };
  Result Compute(std::span<const uint32_t> row_weight) const {
    double positives = 0;
    double rows = 0;
    for (size_t i = 0; i < order_.size(); ++i) {
      const double weight = row_weight[order_[i]];
      rows += weight;
      positives += positive_[i] ? weight : 0;
    }
    Result result;
    if (rows == 0) return result;
    result.frequency = positives / rows;
    if (positives == 0) return result;
    double hits = 0, misses = 0, hits_before = 0, misses_before = 0;
    double precision_sum = 0, area = 0;
    for (size_t i = 0; i < order_.size(); ++i) {
      const double weight = row_weight[order_[i]];
      (positive_[i] ? hits : misses) += weight;
      if (!last_of_score_[i]) continue;
      if (hits > hits_before) precision_sum += (hits - hits_before) * hits / (hits + misses);
      area += (misses - misses_before) * (hits + hits_before) / 2;
      hits_before = hits;
      misses_before = misses;
    }
    result.average_precision = precision_sum / positives;
    if (positives < rows) result.auc = area / positives / (rows - positives);
    return result;
  }

 private:
  std::vector<uint32_t> order_;
  std::vector<bool> positive_, last_of_score_;
};

// The mean over the classes that have a value.
double MeanOfDefined(std::span<const double> values) {
  double sum = 0;
  size_t count = 0;
  for (const double value : values) {
    if (std::isnan(value)) continue;
    sum += value;
    ++count;
  }
  return count > 0 ? sum / static_cast<double>(count) : kNan;
}

// All that is resampled, in one vector: the means of RatioSums, then for each class AP, its naive
// value and the difference, AUC likewise, then the macro means of both.
class Resampled {
 public:
  explicit Resampled(const ClassSample& sample) : sample_(sample), sums_(sample.made_at) {
    for (size_t c = 0; c < sample.classes.size(); ++c) ranked_.emplace_back(sample, c);
  }

  RatioSums& sums() { return sums_; }
  size_t width() const { return sums_.width() + 6 * (ranked_.size() + 1); }
  // Of class c, or of the macro means where c is the number of classes.
  size_t ApColumn(size_t c) const { return sums_.width() + 6 * c; }
  size_t AucColumn(size_t c) const { return ApColumn(c) + 3; }

  void Compute(std::span<const uint32_t> multiplicity, std::span<double> out) const {
    sums_.Compute(multiplicity, out.first(sums_.width()));
    std::vector<uint32_t> row_weight(sample_.size());
    for (size_t row = 0; row < row_weight.size(); ++row) {
      row_weight[row] = multiplicity[sums_.instant_of_row(row)];
    }
    std::vector<double> ap;
    std::vector<double> naive_ap;
    std::vector<double> auc;
    const auto put = [&](size_t at, double model, double naive) {
      out[at] = model;
      out[at + 1] = naive;
      out[at + 2] = model - naive;
    };
    for (size_t c = 0; c < ranked_.size(); ++c) {
      const RankedClass::Result result = ranked_[c].Compute(row_weight);
      const bool occurs = !std::isnan(result.average_precision);
      ap.push_back(result.average_precision);
      naive_ap.push_back(occurs ? result.frequency : kNan);
      auc.push_back(result.auc);
      put(ApColumn(c), ap.back(), naive_ap.back());
      put(AucColumn(c), auc.back(), std::isnan(auc.back()) ? kNan : 0.5);
    }
    put(ApColumn(ranked_.size()), MeanOfDefined(ap), MeanOfDefined(naive_ap));
    const double macro = MeanOfDefined(auc);
    put(AucColumn(ranked_.size()), macro, std::isnan(macro) ? kNan : 0.5);
  }

  std::vector<Estimate> Estimates(double mean_block, const BootstrapOptions& options) const {
    std::vector<double> values(width());
    Compute(std::vector<uint32_t>(sums_.instants(), 1), values);
    const std::vector<Interval> intervals = BootstrapIntervals(
        sums_.instants(), width(), mean_block, options,
        [this](std::span<const uint32_t> drawn, std::span<double> out) { Compute(drawn, out); });
    std::vector<Estimate> estimates;
    for (size_t i = 0; i < width(); ++i) {
      estimates.push_back({values[i], std::isnan(values[i]) ? Interval{} : intervals[i]});
    }
    return estimates;
  }

 private:
  const ClassSample& sample_;
  RatioSums sums_;
  std::vector<RankedClass> ranked_;
};

PairedEstimate PairOf(const std::vector<Estimate>& estimates, size_t first) {
  return {estimates[first], estimates[first + 1], estimates[first + 2]};
}

// Model, naive, difference of a loss by row; returns the first column.
template <typename Loss>
size_t AddPaired(const ClassSample& sample, RatioSums& sums, const Loss& loss) {
  std::vector<double> model(sample.size());
  std::vector<double> naive(sample.size());
  std::vector<double> difference(sample.size());
  for (size_t row = 0; row < sample.size(); ++row) {
    model[row] = loss([&](size_t c) { return sample.probability[c][row]; }, row);
    naive[row] = loss([&](size_t c) { return sample.naive[c]; }, row);
    difference[row] = model[row] - naive[row];
  }
  const size_t first = sums.Add(model);
  sums.Add(naive);
  sums.Add(difference);
  return first;
}

size_t BinOf(double probability) {
  return std::min(static_cast<size_t>(probability * kBins), kBins - 1);
}

// The intervals of the frequencies come from the same draws of instants as all others.
void AddReliability(const ClassSample& sample, size_t c, double mean_block,
                    const BootstrapOptions& options, ClassResult& result) {
  const RatioSums instants(sample.made_at);
  std::vector<double> rows(instants.instants() * kBins, 0.0);
  std::vector<double> hits(rows.size(), 0.0);
  std::vector<double> probability(kBins, 0.0);
  for (size_t row = 0; row < sample.size(); ++row) {
    const size_t bin = BinOf(sample.probability[c][row]);
    const size_t at = instants.instant_of_row(row) * kBins + bin;
    rows[at] += 1;
    hits[at] += sample.actual[row] == c ? 1 : 0;
    probability[bin] += sample.probability[c][row];
  }
  const auto frequencies = [&](std::span<const uint32_t> multiplicity, std::span<double> out) {
    std::vector<double> total(kBins, 0.0);
    std::vector<double> hit(kBins, 0.0);
    for (size_t i = 0; i < multiplicity.size(); ++i) {
      for (size_t bin = 0; bin < kBins; ++bin) {
        total[bin] += multiplicity[i] * rows[i * kBins + bin];
        hit[bin] += multiplicity[i] * hits[i * kBins + bin];
      }
    }
    for (size_t bin = 0; bin < kBins; ++bin) {
      out[bin] = total[bin] > 0 ? hit[bin] / total[bin] : kNan;
    }
  };
  std::vector<double> value(kBins);
  frequencies(std::vector<uint32_t>(instants.instants(), 1), value);
  const std::vector<Interval> intervals =
      BootstrapIntervals(instants.instants(), kBins, mean_block, options, frequencies);
  result.calibration_error = 0;
  for (size_t bin = 0; bin < kBins; ++bin) {
    ReliabilityBin reliability;
    reliability.from = static_cast<double>(bin) / kBins;
    reliability.to = static_cast<double>(bin + 1) / kBins;
    double count = 0;
    for (size_t i = 0; i < instants.instants(); ++i) count += rows[i * kBins + bin];
    reliability.rows = static_cast<size_t>(count);
    reliability.mean_probability = count > 0 ? probability[bin] / count : kNan;
    reliability.frequency = {value[bin], count > 0 ? intervals[bin] : Interval{}};
    if (count > 0) {
      result.calibration_error += count / static_cast<double>(sample.size()) *
                                  std::abs(value[bin] - reliability.mean_probability);
    }
    result.reliability.push_back(reliability);
  }
}

void AddConfusion(const ClassSample& sample, ClassEvaluation& evaluation) {
  const size_t classes = sample.classes.size();
  evaluation.confusion.assign(classes, std::vector<size_t>(classes, 0));
  for (size_t row = 0; row < sample.size(); ++row) {
    const uint32_t chosen =
        MostProbable([&](size_t c) { return sample.probability[c][row]; }, classes);
    ++evaluation.confusion[sample.actual[row]][chosen];
  }
}

ClassResult ResultOf(const ClassSample& sample, size_t c, const ClassEvaluation& evaluation) {
  ClassResult result;
  result.name = sample.classes[c];
  for (size_t other = 0; other < sample.classes.size(); ++other) {
    result.rows += evaluation.confusion[c][other];
    result.chosen += evaluation.confusion[other][c];
  }
  const auto hits = static_cast<double>(evaluation.confusion[c][c]);
  result.precision = result.chosen > 0 ? hits / static_cast<double>(result.chosen) : kNan;
  result.recall = result.rows > 0 ? hits / static_cast<double>(result.rows) : kNan;
  return result;
}

std::string VerdictOf(const ClassEvaluation& evaluation, double significance) {
  const DieboldMariano& test = evaluation.log_loss_test;
  if (std::isnan(test.p_value)) {
    return fmt::format("{} cannot be compared with the frequencies of the classes",
                       evaluation.model);
  }
  const std::string p = FormatPValue(test.p_value);
  if (test.p_value >= significance) {
    return fmt::format(
        "{} is not distinguishable from the frequencies of the classes in training (log loss, DM "
        "{})",
        evaluation.model, p);
  }
  return fmt::format(
      "{} {} the frequencies of the classes in training: log loss {:.4f} against "
      "{:.4f} (DM {})",
      evaluation.model, test.mean_difference < 0 ? "beats" : "is worse than",
      evaluation.log_loss.model.value, evaluation.log_loss.naive.value, p);
}

}  // namespace

ClassEvaluation EvaluateClasses(const ClassSample& sample, const EvaluateOptions& options) {
  Check(sample);
  CheckOptions(options.bootstrap);
  const size_t classes = sample.classes.size();
  Resampled resampled(sample);
  RatioSums& sums = resampled.sums();
  const size_t log_loss = AddPaired(sample, sums, [&](const auto& probability, size_t row) {
    return LogLoss(probability(sample.actual[row]));
  });
  const size_t brier = AddPaired(sample, sums, [&](const auto& probability, size_t row) {
    return Brier(probability, classes, sample.actual[row]);
  });
  const size_t accuracy = AddPaired(sample, sums, [&](const auto& probability, size_t row) {
    return MostProbable(probability, classes) == sample.actual[row] ? 1.0 : 0.0;
  });
  ClassEvaluation evaluation;
  static_cast<EvaluationHead&>(evaluation) = {options, sums, log_loss, sample.size(),
                                              sample.horizon};
  const std::vector<Estimate> estimates =
      resampled.Estimates(evaluation.block_length, options.bootstrap);
  evaluation.log_loss = PairOf(estimates, log_loss);
  evaluation.brier = PairOf(estimates, brier);
  evaluation.accuracy = PairOf(estimates, accuracy);
  evaluation.macro_average_precision = PairOf(estimates, resampled.ApColumn(classes));
  evaluation.macro_auc = PairOf(estimates, resampled.AucColumn(classes));
  AddConfusion(sample, evaluation);
  for (size_t c = 0; c < classes; ++c) {
    ClassResult result = ResultOf(sample, c, evaluation);
    result.average_precision = PairOf(estimates, resampled.ApColumn(c));
    result.auc = PairOf(estimates, resampled.AucColumn(c));
    AddReliability(sample, c, evaluation.block_length, options.bootstrap, result);
    evaluation.classes.push_back(std::move(result));
  }
  evaluation.log_loss_test = TestDieboldMariano(sums.InstantMeans(log_loss),
                                                sums.InstantMeans(log_loss + 1), sample.horizon);
  evaluation.brier_test =
      TestDieboldMariano(sums.InstantMeans(brier), sums.InstantMeans(brier + 1), sample.horizon);
  evaluation.verdict = VerdictOf(evaluation, options.significance);
  return evaluation;
}

Json ToJson(const ClassEvaluation& evaluation) {
  Json classes = Json::array();
  for (const ClassResult& result : evaluation.classes) {
    Json bins = Json::array();
    for (const ReliabilityBin& bin : result.reliability) {
      bins.push_back({{"from", bin.from},
                      {"to", bin.to},
                      {"rows", bin.rows},
                      {"mean_probability", NumberOrNull(bin.mean_probability)},
                      {"frequency", ToJson(bin.frequency)}});
    }
    classes.push_back({{"name", result.name},
                       {"rows", result.rows},
                       {"chosen", result.chosen},
                       {"precision", NumberOrNull(result.precision)},
                       {"recall", NumberOrNull(result.recall)},
                       {"average_precision", ToJson(result.average_precision)},
                       {"auc", ToJson(result.auc)},
                       {"calibration_error", result.calibration_error},
                       {"reliability", std::move(bins)}});
  }
  Json json = HeadToJson(evaluation);
  json["log_loss"] = ToJson(evaluation.log_loss);
  json["brier"] = ToJson(evaluation.brier);
  json["accuracy"] = ToJson(evaluation.accuracy);
  json["macro_average_precision"] = ToJson(evaluation.macro_average_precision);
  json["macro_auc"] = ToJson(evaluation.macro_auc);
  json["classes"] = std::move(classes);
  json["confusion"] = evaluation.confusion;
  json["diebold_mariano"] = {{"log_loss", ToJson(evaluation.log_loss_test)},
                             {"brier", ToJson(evaluation.brier_test)}};
  return json;
}

}  // namespace almanac
