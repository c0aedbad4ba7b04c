#include "almanac/evaluate/cross_section.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>

#include "almanac/base/error.h"
#include "almanac/evaluate/json_value.h"
#include "almanac/evaluate/statistics.h"

namespace almanac {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

void CheckOptions(const CrossSectionOptions& options) {
  if (options.fewest < 3) {
    throw Error(ErrorCode::kUsage, "cross section",
                fmt::format("a correlation over {} symbols", options.fewest), "at least 3");
  }
  if (options.buckets < 2) {
    throw Error(ErrorCode::kUsage, "cross section", fmt::format("{} parts", options.buckets),
                "at least 2");
  }
}

void Check(const CrossSectionSample& sample) {
  const size_t rows = sample.made_at.size();
  if (sample.symbol.size() != rows || sample.forecast.size() != rows ||
      sample.actual.size() != rows) {
    throw Error(ErrorCode::kUsage, "cross section", "columns of different lengths",
                "one entry a row");
  }
  for (size_t row = 0; row < rows; ++row) {
    const bool ordered = row == 0 || sample.made_at[row - 1] < sample.made_at[row] ||
                         (sample.made_at[row - 1] == sample.made_at[row] &&
                          sample.symbol[row - 1] < sample.symbol[row]);
    const bool finite = std::isfinite(sample.forecast[row]) && std::isfinite(sample.actual[row]);
    if (ordered && finite) continue;
    throw Error(
        ErrorCode::kBadData,
        fmt::format("cross section, row {} ({} {})", row, sample.symbol[row],
                    FormatTime(sample.made_at[row])),
        ordered ? "forecast or return is not finite" : "it does not come after the row before",
        "rows in order of time and symbol, each once, with finite values");
  }
}

// The symbols of one instant as rows of the sample, in order of forecast.
std::vector<size_t> OrderOf(const CrossSectionSample& sample, size_t first, size_t last) {
  std::vector<size_t> order(last - first);
  std::iota(order.begin(), order.end(), first);
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return sample.forecast[a] < sample.forecast[b]; });
  return order;
}

// Forecasts of the symbols that both instants have, [first, last) each, in order of the symbols.
struct Common {
  std::vector<double> before, now;
};
Common CommonForecasts(const CrossSectionSample& sample, size_t before, size_t before_last,
                       size_t now, size_t now_last) {
  Common common;
  while (before < before_last && now < now_last) {
    const int order = sample.symbol[before].compare(sample.symbol[now]);
    if (order == 0) {
      common.before.push_back(sample.forecast[before]);
      common.now.push_back(sample.forecast[now]);
    }
    before += order <= 0 ? 1 : 0;
    now += order >= 0 ? 1 : 0;
  }
  return common;
}

class Collector {
 public:
  Collector(const CrossSectionSample& sample, const CrossSectionOptions& options)
      : sample_(sample), options_(options), returns_(options.buckets) {}

  void AddInstant(size_t first, size_t last, CrossSection& section) {
    const auto forecast = sample_.forecast.subspan(first, last - first);
    const auto actual = sample_.actual.subspan(first, last - first);
    const double ic = last - first >= options_.fewest ? PearsonCorrelation(forecast, actual) : kNan;
    if (std::isnan(ic)) {
      ++section.left_out;
      return;
    }
    section.time.push_back(sample_.made_at[first]);
    section.ic_values.push_back(ic);
    section.rank_ic_values.push_back(SpearmanCorrelation(forecast, actual));
    section.mean_symbols += static_cast<double>(last - first);
    mean_return_.push_back(Mean(actual));
    if (last - first >= options_.buckets) AddBuckets(first, last);
    if (before_last_ > 0) {
      const Common common = CommonForecasts(sample_, before_first_, before_last_, first, last);
      const double same = SpearmanCorrelation(common.before, common.now);
      if (!std::isnan(same)) ranking_turnover_.push_back(1 - same);
    }
    before_first_ = first;
    before_last_ = last;
  }

  void Finish(CrossSection& section) const {
    section.instants = section.time.size();
    if (section.instants > 0) section.mean_symbols /= static_cast<double>(section.instants);
    section.ic = ComputeTimeMean(section.ic_values, sample_.horizon);
    section.rank_ic = ComputeTimeMean(section.rank_ic_values, sample_.horizon);
    section.icir = section.ic.deviation > 0 ? section.ic.mean / section.ic.deviation : kNan;
    section.rank_icir =
        section.rank_ic.deviation > 0 ? section.rank_ic.mean / section.rank_ic.deviation : kNan;
    for (const auto* values : {&section.ic_values, &section.rank_ic_values}) {
      const auto positive =
          std::count_if(values->begin(), values->end(), [](double ic) { return ic > 0; });
      section.share_positive.push_back(values->empty() ? kNan
                                                       : static_cast<double>(positive) /
                                                             static_cast<double>(values->size()));
    }
    section.mean_return = ComputeTimeMean(mean_return_, sample_.horizon);
    for (const auto& values : returns_) {
      section.buckets.push_back(ComputeTimeMean(values, sample_.horizon));
    }
    section.spread = ComputeTimeMean(spread_, sample_.horizon);
    section.ranking_turnover = Mean(ranking_turnover_);
    section.top_turnover = Mean(top_turnover_);
  }

 private:
  void AddBuckets(size_t first, size_t last) {
    const std::vector<size_t> order = OrderOf(sample_, first, last);
    std::vector<double> sum(options_.buckets, 0.0);
    std::vector<double> count(options_.buckets, 0.0);
    std::vector<std::string> top;
    for (size_t k = 0; k < order.size(); ++k) {
      const size_t bucket = k * options_.buckets / order.size();
      sum[bucket] += sample_.actual[order[k]];
      count[bucket] += 1;
      if (bucket + 1 == options_.buckets) top.push_back(sample_.symbol[order[k]]);
    }
    for (size_t b = 0; b < options_.buckets; ++b) returns_[b].push_back(sum[b] / count[b]);
    spread_.push_back(returns_.back().back() - returns_.front().back());
    std::sort(top.begin(), top.end());
    if (!top_.empty()) {
      const auto fresh = std::count_if(top.begin(), top.end(), [&](const std::string& symbol) {
        return !std::binary_search(top_.begin(), top_.end(), symbol);
      });
      top_turnover_.push_back(static_cast<double>(fresh) / static_cast<double>(top.size()));
    }
    top_ = std::move(top);
  }

  const CrossSectionSample& sample_;
  const CrossSectionOptions& options_;
  std::vector<std::vector<double>> returns_;  // bucket by bucket, an instant each
  std::vector<double> spread_, mean_return_, ranking_turnover_, top_turnover_;
  std::vector<std::string> top_;  // the best part of the instant before, sorted
  size_t before_first_ = 0, before_last_ = 0;
};

}  // namespace

TimeMean ComputeTimeMean(std::span<const double> values, size_t horizon) {
  TimeMean mean;
  mean.count = values.size();
  mean.mean = Mean(values);
  mean.deviation = mean.error = mean.t = mean.p_value = kNan;
  if (values.size() < 2) return mean;
  mean.deviation = std::sqrt(Variance(values));
  mean.lag = std::min(std::max(NeweyWestLag(values.size()), horizon > 0 ? horizon - 1 : 0),
                      values.size() - 1);
  mean.error = std::sqrt(NeweyWestVariance(values, mean.lag) / static_cast<double>(values.size()));
  if (!(mean.error > 0)) return mean;
  mean.t = mean.mean / mean.error;
  mean.p_value = 2 * NormalCdf(-std::abs(mean.t));
  return mean;
}

CrossSection EvaluateCrossSection(const CrossSectionSample& sample,
                                  const CrossSectionOptions& options) {
  CheckOptions(options);
  Check(sample);
  CrossSection section;
  Collector collector(sample, options);
  for (size_t first = 0; first < sample.made_at.size();) {
    size_t last = first + 1;
    while (last < sample.made_at.size() && sample.made_at[last] == sample.made_at[first]) ++last;
    collector.AddInstant(first, last, section);
    first = last;
  }
  collector.Finish(section);
  return section;
}

Json ToJson(const TimeMean& mean) {
  return Json{{"instants", mean.count},
              {"mean", NumberOrNull(mean.mean)},
              {"deviation", NumberOrNull(mean.deviation)},
              {"error", NumberOrNull(mean.error)},
              {"t", NumberOrNull(mean.t)},
              {"p_value", NumberOrNull(mean.p_value)},
              {"lag", mean.lag}};
}

Json ToJson(const CrossSection& section) {
  Json buckets = Json::array();
  for (const TimeMean& bucket : section.buckets) buckets.push_back(ToJson(bucket));
  return Json{{"instants", section.instants},
              {"left_out", section.left_out},
              {"mean_symbols", section.mean_symbols},
              {"ic", ToJson(section.ic)},
              {"icir", NumberOrNull(section.icir)},
              {"ic_positive", NumberOrNull(section.share_positive[0])},
              {"rank_ic", ToJson(section.rank_ic)},
              {"rank_icir", NumberOrNull(section.rank_icir)},
              {"rank_ic_positive", NumberOrNull(section.share_positive[1])},
              {"mean_return", ToJson(section.mean_return)},
              {"buckets", std::move(buckets)},
              {"spread", ToJson(section.spread)},
              {"ranking_turnover", NumberOrNull(section.ranking_turnover)},
              {"top_turnover", NumberOrNull(section.top_turnover)}};
}

}  // namespace almanac
