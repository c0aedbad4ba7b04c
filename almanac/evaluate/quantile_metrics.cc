#include "almanac/evaluate/quantile_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/evaluate/json_value.h"
#include "almanac/evaluate/p_value.h"
#include "almanac/evaluate/ratio_sums.h"
#include "almanac/evaluate/statistics.h"

namespace almanac {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kSameLevel = 1e-9;

void CheckSide(const QuantileSample& sample, const std::vector<std::vector<double>>& side,
               const char* name) {
  if (side.size() != sample.levels.size()) {
    throw Error(
        ErrorCode::kUsage, "quantile sample",
        fmt::format("{} columns of the {} for {} levels", side.size(), name, sample.levels.size()),
        "one a level");
  }
  for (const std::vector<double>& column : side) {
    if (column.size() != sample.size()) {
      throw Error(
          ErrorCode::kUsage, "quantile sample",
          fmt::format("{} quantiles of the {} for {} rows", column.size(), name, sample.size()),
          "one a row");
    }
    for (size_t row = 0; row < column.size(); ++row) {
      if (std::isfinite(column[row])) continue;
      throw Error(ErrorCode::kBadData,
                  fmt::format("quantile row {}, {}", row, FormatTime(sample.made_at[row])),
                  fmt::format("a quantile of the {} is {}", name, column[row]),
                  "leave out rows without all quantiles");
    }
  }
}

void Check(const QuantileSample& sample) {
  const auto refuse = [](std::string what, std::string remedy) {
    throw Error(ErrorCode::kUsage, "quantile sample", std::move(what), std::move(remedy));
  };
  if (sample.size() == 0) refuse("no rows", "widen the test period");
  if (sample.levels.empty()) refuse("no levels", "at least one");
  if (sample.actual.size() != sample.size()) {
    refuse(fmt::format("{} outcomes for {} rows", sample.actual.size(), sample.size()),
           "one a row");
  }
  if (sample.horizon == 0) refuse("a horizon of 0", "at least 1");
  for (size_t k = 0; k < sample.levels.size(); ++k) {
    const double level = sample.levels[k];
    if (!(level > 0 && level < 1) || (k > 0 && level <= sample.levels[k - 1])) {
      refuse(fmt::format("level {} at place {}", level, k), "increasing levels between 0 and 1");
    }
  }
  for (size_t row = 0; row < sample.size(); ++row) {
    const bool ordered = row == 0 || sample.made_at[row] >= sample.made_at[row - 1];
    if (ordered && std::isfinite(sample.actual[row])) continue;
    throw Error(ErrorCode::kBadData,
                fmt::format("quantile row {}, {}", row, FormatTime(sample.made_at[row])),
                ordered ? fmt::format("the outcome is {}", sample.actual[row])
                        : std::string("made before the row above it"),
                "rows with outcomes, sorted by made_at");
  }
  CheckSide(sample, sample.model, "model");
  CheckSide(sample, sample.naive, "naive forecast");
}

double Pinball(double level, double quantile, double actual) {
  const double d = actual - quantile;
  return d >= 0 ? level * d : (level - 1) * d;
}

// The width of the part of (0, 1) that is nearest to each level.
std::vector<double> LevelWeights(const std::vector<double>& levels) {
  std::vector<double> weights;
  for (size_t k = 0; k < levels.size(); ++k) {
    const double from = k == 0 ? 0 : (levels[k - 1] + levels[k]) / 2;
    const double to = k + 1 == levels.size() ? 1 : (levels[k] + levels[k + 1]) / 2;
    weights.push_back(to - from);
  }
  return weights;
}

// Columns of model, naive and their difference for one metric, by row.
class Columns {
 public:
  explicit Columns(const QuantileSample& sample) : sample_(sample), sums_(sample.made_at) {}

  // `value(side, row)`; returns the position of the model's column.
  template <typename Value>
  size_t Add(const Value& value) {
    std::vector<double> model(sample_.size());
    std::vector<double> naive(sample_.size());
    std::vector<double> difference(sample_.size());
    for (size_t row = 0; row < sample_.size(); ++row) {
      model[row] = value(sample_.model, row);
      naive[row] = value(sample_.naive, row);
      difference[row] = model[row] - naive[row];
    }
    const size_t first = sums_.Add(model);
    sums_.Add(naive);
    sums_.Add(difference);
    return first;
  }

  const RatioSums& sums() const { return sums_; }

 private:
  const QuantileSample& sample_;
  RatioSums sums_;
};

using Side = std::vector<std::vector<double>>;

PairedEstimate PairOf(const std::vector<Estimate>& estimates, size_t first) {
  return {estimates[first], estimates[first + 1], estimates[first + 2]};
}

// Pairs of positions of levels t and 1 - t, widest first.
std::vector<std::pair<size_t, size_t>> SymmetricPairs(const std::vector<double>& levels) {
  std::vector<std::pair<size_t, size_t>> pairs;
  for (size_t low = 0; low < levels.size(); ++low) {
    for (size_t high = low + 1; high < levels.size(); ++high) {
      if (std::abs(levels[low] + levels[high] - 1) < kSameLevel) pairs.emplace_back(low, high);
    }
  }
  return pairs;
}

size_t CountCrossings(const QuantileSample& sample) {
  size_t crossings = 0;
  for (size_t row = 0; row < sample.size(); ++row) {
    for (size_t k = 1; k < sample.levels.size(); ++k) {
      if (sample.model[k][row] >= sample.model[k - 1][row]) continue;
      ++crossings;
      break;
    }
  }
  return crossings;
}

// How many of the row's quantiles lie below what happened: the cell of the PIT.
size_t CellOf(const Side& side, size_t row, double actual) {
  return static_cast<size_t>(
      std::count_if(side.begin(), side.end(),
                    [&](const std::vector<double>& column) { return column[row] < actual; }));
}

std::string VerdictOf(const QuantileEvaluation& evaluation, double significance) {
  const DieboldMariano& test = evaluation.test;
  if (std::isnan(test.p_value)) {
    return fmt::format("the distribution of {} cannot be compared with that of the {} forecast",
                       evaluation.model, evaluation.naive);
  }
  const std::string p = FormatPValue(test.p_value);
  if (test.p_value >= significance) {
    return fmt::format(
        "the distribution of {} is not distinguishable from that of past returns "
        "(CRPS, DM {})",
        evaluation.model, p);
  }
  return fmt::format("the distribution of {} is {} that of past returns: {:.2g} % {} CRPS (DM {})",
                     evaluation.model, test.mean_difference < 0 ? "better than" : "worse than",
                     100 * std::abs(evaluation.skill), evaluation.skill > 0 ? "less" : "more", p);
}

}  // namespace

std::vector<double> NaiveQuantiles(std::vector<double> outcomes, std::span<const double> levels) {
  if (outcomes.empty()) {
    throw Error(ErrorCode::kBadData, "naive distribution", "no outcomes before the forecasts",
                "give bars from before the first forecast");
  }
  std::sort(outcomes.begin(), outcomes.end());
  std::vector<double> quantiles;
  for (const double level : levels) quantiles.push_back(SortedQuantile(outcomes, level));
  return quantiles;
}

QuantileEvaluation EvaluateQuantiles(const QuantileSample& sample, const EvaluateOptions& options) {
  Check(sample);
  CheckOptions(options.bootstrap);
  const std::vector<double> weights = LevelWeights(sample.levels);
  const size_t levels = sample.levels.size();
  Columns columns(sample);
  const auto pinball = [&](const Side& side, size_t k, size_t row) {
    return Pinball(sample.levels[k], side[k][row], sample.actual[row]);
  };
  const size_t crps = columns.Add([&](const Side& side, size_t row) {
    double sum = 0;
    for (size_t k = 0; k < levels; ++k) sum += 2 * weights[k] * pinball(side, k, row);
    return sum;
  });
  const size_t mean_pinball = columns.Add([&](const Side& side, size_t row) {
    double sum = 0;
    for (size_t k = 0; k < levels; ++k) sum += pinball(side, k, row);
    return sum / static_cast<double>(levels);
  });
  std::vector<size_t> level_columns;
  std::vector<size_t> below_columns;
  for (size_t k = 0; k < levels; ++k) {
    level_columns.push_back(
        columns.Add([&](const Side& side, size_t row) { return pinball(side, k, row); }));
    below_columns.push_back(columns.Add([&](const Side& side, size_t row) {
      return sample.actual[row] < side[k][row] ? 1.0 : 0.0;
    }));
  }
  const auto pairs = SymmetricPairs(sample.levels);
  std::vector<size_t> pair_columns;
  for (const auto& [low, high] : pairs) {
    const double alpha = 1 - (sample.levels[high] - sample.levels[low]);
    pair_columns.push_back(columns.Add([&, l = low, h = high](const Side& side, size_t row) {
      return side[l][row] <= sample.actual[row] && sample.actual[row] <= side[h][row] ? 1.0 : 0.0;
    }));
    columns.Add([&, l = low, h = high](const Side& side, size_t row) {
      return side[h][row] - side[l][row];
    });
    columns.Add([&, l = low, h = high](const Side& side, size_t row) {
      const double outside =
          std::max({0.0, side[l][row] - sample.actual[row], sample.actual[row] - side[h][row]});
      return side[h][row] - side[l][row] + 2 / alpha * outside;
    });
  }
  std::vector<size_t> pit_columns;
  for (size_t cell = 0; cell <= levels; ++cell) {
    pit_columns.push_back(columns.Add([&](const Side& side, size_t row) {
      return CellOf(side, row, sample.actual[row]) == cell ? 1.0 : 0.0;
    }));
  }

  const RatioSums& sums = columns.sums();
  QuantileEvaluation evaluation;
  static_cast<EvaluationHead&>(evaluation) = {options, sums, crps, sample.size(), sample.horizon};
  const std::vector<Estimate> estimates =
      sums.Estimates(evaluation.block_length, options.bootstrap);
  evaluation.crps = PairOf(estimates, crps);
  evaluation.pinball = PairOf(estimates, mean_pinball);
  const double naive_crps = evaluation.crps.naive.value;
  evaluation.skill = naive_crps > 0 ? 1 - evaluation.crps.model.value / naive_crps : kNan;
  for (size_t k = 0; k < levels; ++k) {
    evaluation.levels.push_back({sample.levels[k], PairOf(estimates, level_columns[k]),
                                 estimates[below_columns[k]].value,
                                 estimates[below_columns[k] + 1].value});
  }
  for (size_t i = 0; i < pairs.size(); ++i) {
    const double low = sample.levels[pairs[i].first];
    const double high = sample.levels[pairs[i].second];
    const size_t first = pair_columns[i];
    evaluation.intervals.push_back({low, high, high - low, PairOf(estimates, first),
                                    PairOf(estimates, first + 3), PairOf(estimates, first + 6)});
  }
  for (size_t cell = 0; cell <= levels; ++cell) {
    evaluation.pit.push_back(
        {cell == 0 ? 0 : sample.levels[cell - 1], cell == levels ? 1 : sample.levels[cell],
         estimates[pit_columns[cell]], estimates[pit_columns[cell] + 1].value});
  }
  evaluation.crossings = CountCrossings(sample);
  evaluation.test =
      TestDieboldMariano(sums.InstantMeans(crps), sums.InstantMeans(crps + 1), sample.horizon);
  evaluation.verdict = VerdictOf(evaluation, options.significance);
  return evaluation;
}

Json ToJson(const PairedEstimate& estimate) {
  return Json{{"model", ToJson(estimate.model)},
              {"naive", ToJson(estimate.naive)},
              {"difference", ToJson(estimate.difference)}};
}

Json ToJson(const QuantileEvaluation& evaluation) {
  Json levels = Json::array();
  for (const LevelResult& level : evaluation.levels) {
    levels.push_back({{"level", level.level},
                      {"pinball", ToJson(level.pinball)},
                      {"below", level.below},
                      {"naive_below", level.naive_below}});
  }
  Json intervals = Json::array();
  for (const CoverageResult& interval : evaluation.intervals) {
    intervals.push_back({{"low", interval.low},
                         {"high", interval.high},
                         {"nominal", interval.nominal},
                         {"coverage", ToJson(interval.coverage)},
                         {"width", ToJson(interval.width)},
                         {"interval_score", ToJson(interval.score)}});
  }
  Json pit = Json::array();
  for (const PitCell& cell : evaluation.pit) {
    pit.push_back({{"from", cell.from},
                   {"to", cell.to},
                   {"share", ToJson(cell.share)},
                   {"naive_share", cell.naive_share}});
  }
  Json json = HeadToJson(evaluation);
  json["crps"] = ToJson(evaluation.crps);
  json["skill"] = NumberOrNull(evaluation.skill);
  json["pinball"] = ToJson(evaluation.pinball);
  json["levels"] = std::move(levels);
  json["intervals"] = std::move(intervals);
  json["pit"] = std::move(pit);
  json["crossings"] = evaluation.crossings;
  json["diebold_mariano"] = ToJson(evaluation.test);
  return json;
}

}  // namespace almanac
