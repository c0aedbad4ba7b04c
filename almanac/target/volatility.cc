#include "almanac/target/volatility.h"

#include <fmt/format.h>

#include <cmath>
#include <vector>

namespace almanac {

void VolatilitySpec::VisitFields(FieldVisitor& fields) {
  fields.Int("horizon", &horizon, 1, kLongestHorizon);
  fields.Bool("drop_gaps", &drop_gaps);
}

std::string VolatilitySpec::ColumnName() const {
  return fmt::format("forward_volatility_{}", horizon);
}

Labels BuildLabels(const VolatilitySpec& spec, const CandleSeries& series) {
  CheckFields(spec);
  RequireCloses(series);
  Labels labels = UnlabelledBars(spec.ColumnName(), "log ratio", series);
  labels.is_level = true;
  std::vector<double> square(series.size(), 0);
  for (size_t i = 1; i < series.size(); ++i) {
    const double change = std::log1p((series.close[i] - series.close[i - 1]) / series.close[i - 1]);
    square[i] = change * change;
  }
  for (size_t i = 0; i < series.size(); ++i) {
    if (!HasHorizon(series, i, spec.horizon, spec.drop_gaps, &labels)) continue;
    const size_t end = i + static_cast<size_t>(spec.horizon);
    // Summed anew for every row: a difference of running sums would lose the small ones.
    double sum = 0;
    for (size_t k = i + 1; k <= end; ++k) sum += square[k];
    labels.value[i] = std::sqrt(sum);
    labels.t1[i] = series.KnownAt(end);
  }
  return labels;
}

}  // namespace almanac
