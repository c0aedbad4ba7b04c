#include "almanac/target/price_change.h"

#include <fmt/format.h>

namespace almanac {
namespace {

constexpr double kSmallestChange = 1e-6, kLargestChange = 10;

}  // namespace

void PriceChangeSpec::VisitFields(FieldVisitor& fields) {
  fields.Double("up", &up, kSmallestChange, kLargestChange);
  fields.Double("down", &down, kSmallestChange, 1);
  fields.Int("horizon", &horizon, 1, kLongestHorizon);
  fields.Enumerated("same_bar", &same_bar, SameBarNames());
  fields.Bool("drop_gaps", &drop_gaps);
}

std::string PriceChangeSpec::ColumnName() const {
  return fmt::format("price_change_{}_{}_{}", up, down, horizon);
}

std::vector<std::string> PriceChangeSpec::Classes() const { return {"down", "neither", "up"}; }

Labels BuildLabels(const PriceChangeSpec& spec, const CandleSeries& series) {
  CheckFields(spec);
  RequirePrices(series);
  Labels labels = UnlabelledBars(spec.ColumnName(), "class", series);
  labels.classes = spec.Classes();
  for (size_t i = 0; i < series.size(); ++i) {
    if (!HasHorizon(series, i, spec.horizon, spec.drop_gaps, &labels)) continue;
    const Levels levels{series.close[i] * (1 + spec.up), series.close[i] * (1 - spec.down)};
    const Touch touch =
        FirstTouch(series, i + 1, i + static_cast<size_t>(spec.horizon), levels, spec.same_bar);
    labels.ambiguous += touch.ambiguous ? 1 : 0;
    if (touch.touched == Touched::kUnknown) continue;
    labels.value[i] = touch.touched == Touched::kUpper   ? 2
                      : touch.touched == Touched::kLower ? 0
                                                         : 1;
    labels.t1[i] = series.KnownAt(touch.bar);
  }
  return labels;
}

}  // namespace almanac
