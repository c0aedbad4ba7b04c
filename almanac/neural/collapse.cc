#include "almanac/neural/collapse.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

namespace almanac::neural {
namespace {

constexpr double kConstant = 0.01, kStill = 0.05, kEcho = 0.99;

double Mean(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double Covariance(std::span<const double> a, std::span<const double> b) {
  const double mean_a = Mean(a), mean_b = Mean(b);
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += (a[i] - mean_a) * (b[i] - mean_b);
  return sum / static_cast<double>(a.size());
}

double MeanSquare(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value * value;
  return sum / static_cast<double>(values.size());
}

// The forecast made at row i is for row i + horizon; known at i is the target of row i - horizon.
double EchoOf(std::span<const double> forecasts, std::span<const double> targets, size_t horizon) {
  std::vector<double> forecast_changes, known_changes;
  for (size_t i = horizon + 1; i < forecasts.size(); ++i) {
    forecast_changes.push_back(forecasts[i] - forecasts[i - 1]);
    known_changes.push_back(targets[i - horizon] - targets[i - horizon - 1]);
  }
  if (forecast_changes.size() < 2) return std::numeric_limits<double>::quiet_NaN();
  return Covariance(forecast_changes, known_changes) /
         std::sqrt(Covariance(forecast_changes, forecast_changes) *
                   Covariance(known_changes, known_changes));
}

Json Number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

}  // namespace

Json CollapseReport::ToJson() const {
  return {{"spread", Number(spread)},
          {"magnitude", Number(magnitude)},
          {"echo", Number(echo)},
          {"verdict", verdict}};
}

CollapseReport FindCollapse(std::span<const double> forecasts, std::span<const double> targets,
                            size_t horizon, bool is_level) {
  CollapseReport report;
  report.echo = std::numeric_limits<double>::quiet_NaN();
  if (forecasts.size() < 2) return report;
  report.spread = std::sqrt(Covariance(forecasts, forecasts) / Covariance(targets, targets));
  report.magnitude = std::sqrt(MeanSquare(forecasts) / MeanSquare(targets));
  if (is_level) report.echo = EchoOf(forecasts, targets, horizon);
  if (report.spread < kConstant) {
    report.verdict =
        fmt::format("the forecasts are constant: they vary {:.2g} % as much as what they forecast",
                    100 * report.spread);
  } else if (report.echo > kEcho) {
    report.verdict = fmt::format(
        "the forecasts repeat the last known value: their changes correlate {:.3f} with its",
        report.echo);
  } else if (!is_level && report.magnitude < kStill) {
    report.verdict = fmt::format(
        "the forecasts repeat the last value: the changes that they foretell are {:.2g} % as large "
        "as those that happen",
        100 * report.magnitude);
  }
  return report;
}

}  // namespace almanac::neural
