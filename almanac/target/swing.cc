#include "almanac/target/swing.h"

#include <fmt/format.h>

#include <cmath>

namespace almanac {
namespace {

constexpr int64_t kLongestWindow = 100'000;
constexpr double kMostDeviations = 1000;
constexpr double kSmallestThreshold = 1e-6;

// `extreme` is the highs, or the lows with their sign changed: then both sides are highs.
bool IsSwing(const std::vector<double>& extreme, size_t bar, size_t look_back) {
  for (size_t k = 1; k <= look_back; ++k) {
    if (extreme[bar - k] >= extreme[bar] || extreme[bar + k] > extreme[bar]) return false;
  }
  return true;
}

// The mean and standard deviation of the closes of the bars [last + 1 - window, last].
void MeasureCloses(const std::vector<double>& close, size_t last, size_t window,
                   SwingEvent* event) {
  const auto count = static_cast<double>(window);
  double sum = 0;
  bool varies = false;
  for (size_t i = last + 1 - window; i <= last; ++i) {
    sum += close[i];
    varies = varies || close[i] != close[last];
  }
  event->mean = sum / count;
  event->deviation = 0;
  if (!varies) return;
  double squares = 0;
  for (size_t i = last + 1 - window; i <= last; ++i) {
    const double distance = close[i] - event->mean;
    squares += distance * distance;
  }
  event->deviation = std::sqrt(squares / count);
}

Levels LevelsOf(const SwingSpec& spec, const SwingEvent& event, double close_at_t0) {
  const double step = spec.threshold * event.deviation;
  return spec.side == SwingSide::kHigh ? Levels{event.price + step, close_at_t0 - step}
                                       : Levels{close_at_t0 + step, event.price - step};
}

double ClassOf(SwingSide side, Touched touched) {
  if (touched == Touched::kNeither) return 0;
  const bool up = touched == Touched::kUpper;
  return up == (side == SwingSide::kHigh) ? 1 : 2;
}

}  // namespace

std::string_view Name(SwingSide side) { return side == SwingSide::kHigh ? "high" : "low"; }

void SwingSpec::VisitFields(FieldVisitor& fields) {
  fields.Enumerated("side", &side, {"high", "low"});
  fields.Int("look_back", &look_back, 1, kLongestWindow);
  fields.Double("std_dev", &std_dev, 0, kMostDeviations);
  fields.Double("threshold", &threshold, kSmallestThreshold, kMostDeviations);
  fields.Int("horizon", &horizon, 1, kLongestHorizon);
  fields.Int("deviation_window", &deviation_window, 2, kLongestWindow);
  fields.Enumerated("same_bar", &same_bar, SameBarNames());
  fields.Bool("drop_gaps", &drop_gaps);
}

std::string SwingSpec::ColumnName() const {
  return fmt::format("swing_{}_{}_{}_{}_{}", Name(side), look_back, std_dev, threshold, horizon);
}

std::vector<std::string> SwingSpec::Classes() const {
  return {"neither", fmt::format("{}_breakout", almanac::Name(side)),
          fmt::format("{}_reversion", almanac::Name(side))};
}

std::vector<SwingEvent> FindSwings(const SwingSpec& spec, const CandleSeries& series) {
  CheckFields(spec);
  RequirePrices(series);
  const bool high = spec.side == SwingSide::kHigh;
  std::vector<double> extreme = high ? series.high : series.low;
  if (!high) {
    for (double& price : extreme) price = -price;
  }
  const auto look_back = static_cast<size_t>(spec.look_back);
  const auto window = static_cast<size_t>(spec.deviation_window);
  std::vector<SwingEvent> events;
  for (size_t s = std::max(look_back, window - 1); s + look_back < series.size(); ++s) {
    if (!IsSwing(extreme, s, look_back)) continue;
    SwingEvent event;
    event.swing = s;
    event.confirmed = s + look_back;
    event.price = high ? series.high[s] : series.low[s];
    MeasureCloses(series.close, s, window, &event);
    if (!(event.deviation > 0)) continue;
    event.distance = (high ? event.price - event.mean : event.mean - event.price) / event.deviation;
    if (event.distance >= spec.std_dev) events.push_back(event);
  }
  return events;
}

Labels BuildLabels(const SwingSpec& spec, const CandleSeries& series) {
  Labels labels;
  labels.name = spec.ColumnName();
  labels.unit = "class";
  labels.classes = spec.Classes();
  for (const SwingEvent& event : FindSwings(spec, series)) {
    const size_t c = event.confirmed;
    if (!HasHorizon(series, c, spec.horizon, spec.drop_gaps, &labels)) continue;
    const Touch touch = FirstTouch(series, c + 1, c + static_cast<size_t>(spec.horizon),
                                   LevelsOf(spec, event, series.close[c]), spec.same_bar);
    labels.ambiguous += touch.ambiguous ? 1 : 0;
    if (touch.touched == Touched::kUnknown) continue;
    labels.value.push_back(ClassOf(spec.side, touch.touched));
    labels.t0.push_back(series.KnownAt(c));
    labels.t1.push_back(series.KnownAt(touch.bar));
  }
  return labels;
}

}  // namespace almanac
