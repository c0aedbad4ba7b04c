#include "almanac/target/direction.h"

#include <fmt/format.h>

namespace almanac {

void DirectionSpec::VisitFields(FieldVisitor& fields) {
  fields.Int("horizon", &horizon, 1, kLongestHorizon);
  fields.Double("threshold", &threshold, 0, 1);
  fields.Bool("drop_gaps", &drop_gaps);
}

std::string DirectionSpec::ColumnName() const {
  return fmt::format("direction_{}_{}", horizon, threshold);
}

std::vector<std::string> DirectionSpec::Classes() const { return {"down", "flat", "up"}; }

Labels BuildLabels(const DirectionSpec& spec, const CandleSeries& series) {
  CheckFields(spec);
  RequireCloses(series);
  Labels labels = UnlabelledBars(spec.ColumnName(), "class", series);
  labels.classes = spec.Classes();
  for (size_t i = 0; i < series.size(); ++i) {
    if (!HasHorizon(series, i, spec.horizon, spec.drop_gaps, &labels)) continue;
    const size_t end = i + static_cast<size_t>(spec.horizon);
    const double change = (series.close[end] - series.close[i]) / series.close[i];
    labels.value[i] = change > spec.threshold ? 2 : change < -spec.threshold ? 0 : 1;
    labels.t1[i] = series.KnownAt(end);
  }
  return labels;
}

}  // namespace almanac
