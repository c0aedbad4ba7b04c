#include "almanac/target/triple_barrier.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

namespace almanac {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kMostSigmas = 1000;
constexpr int64_t kLongestSpan = 1'000'000;

double ClassOf(const TripleBarrierSpec& spec, const Touch& touch, double now, double at_end) {
  if (touch.touched == Touched::kUpper) return 2;
  if (touch.touched == Touched::kLower) return 0;
  if (spec.at_vertical == TripleBarrierSpec::AtVertical::kNeither || at_end == now) return 1;
  return at_end > now ? 2 : 0;
}

}  // namespace

void TripleBarrierSpec::VisitFields(FieldVisitor& fields) {
  fields.Double("upper", &upper, 0, kMostSigmas);
  fields.Double("lower", &lower, 0, kMostSigmas);
  fields.Int("horizon", &horizon, 1, kLongestHorizon);
  fields.Int("volatility_span", &volatility_span, 2, kLongestSpan);
  fields.Enumerated("touch", &touch, {"high_low", "close"});
  fields.Enumerated("at_vertical", &at_vertical, {"neither", "sign"});
  fields.Enumerated("same_bar", &same_bar, SameBarNames());
  fields.Bool("drop_gaps", &drop_gaps);
}

std::string TripleBarrierSpec::ColumnName() const {
  return fmt::format("triple_barrier_{}_{}_{}", upper, lower, horizon);
}

std::vector<std::string> TripleBarrierSpec::Classes() const { return {"down", "neither", "up"}; }

std::vector<double> ReturnVolatility(const CandleSeries& series, int64_t span) {
  std::vector<double> sigma(series.size(), std::numeric_limits<double>::quiet_NaN());
  const double decay = 1 - 2.0 / (static_cast<double>(span) + 1);
  // West 1979's update with weights: `weight` and `squared` are the sums of weights and of their
  // squares, `scatter` the weighted sum of squared distances from the mean.
  double weight = 0, squared = 0, mean = 0, scatter = 0;
  for (size_t i = 1; i < series.size(); ++i) {
    const double change = (series.close[i] - series.close[i - 1]) / series.close[i - 1];
    weight = decay * weight + 1;
    squared = decay * decay * squared + 1;
    const double before = change - mean;
    mean += before / weight;
    scatter = decay * scatter + before * (change - mean);
    if (static_cast<int64_t>(i) < span) continue;
    const double unbiased = scatter * weight / (weight * weight - squared);
    sigma[i] = std::sqrt(std::max(unbiased, 0.0));
  }
  return sigma;
}

Labels BuildLabels(const TripleBarrierSpec& spec, const CandleSeries& series) {
  CheckFields(spec);
  RequirePrices(series);
  Labels labels = UnlabelledBars(spec.ColumnName(), "class", series);
  labels.classes = spec.Classes();
  const std::vector<double> sigma = ReturnVolatility(series, spec.volatility_span);
  for (size_t i = 0; i < series.size(); ++i) {
    if (!(sigma[i] > 0)) continue;
    if (!HasHorizon(series, i, spec.horizon, spec.drop_gaps, &labels)) continue;
    const double now = series.close[i];
    const Levels levels{spec.upper > 0 ? now * (1 + spec.upper * sigma[i]) : kInfinity,
                        spec.lower > 0 ? now * (1 - spec.lower * sigma[i]) : -kInfinity};
    const size_t end = i + static_cast<size_t>(spec.horizon);
    const Touch touch = spec.touch == TripleBarrierSpec::TouchBy::kClose
                            ? FirstTouchByClose(series, i + 1, end, levels)
                            : FirstTouch(series, i + 1, end, levels, spec.same_bar);
    labels.ambiguous += touch.ambiguous ? 1 : 0;
    if (touch.touched == Touched::kUnknown) continue;
    labels.value[i] = ClassOf(spec, touch, now, series.close[end]);
    labels.t1[i] = series.KnownAt(touch.bar);
  }
  return labels;
}

}  // namespace almanac
