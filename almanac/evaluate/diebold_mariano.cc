#include "almanac/evaluate/diebold_mariano.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "almanac/base/error.h"
#include "almanac/evaluate/json_value.h"
#include "almanac/evaluate/statistics.h"

namespace almanac {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
// Below this share of the squared mean a variance is rounding error.
constexpr double kNoVariation = 1e-24;

std::vector<double> LossDifference(std::span<const double> a, std::span<const double> b) {
  if (a.size() != b.size()) {
    throw Error(ErrorCode::kUsage, "Diebold-Mariano test",
                fmt::format("{} losses against {}", a.size(), b.size()),
                "pass the losses of both forecasts at the same instants");
  }
  std::vector<double> difference(a.size());
  for (size_t i = 0; i < a.size(); ++i) {
    difference[i] = a[i] - b[i];
    if (!std::isfinite(difference[i])) {
      throw Error(ErrorCode::kBadData, fmt::format("Diebold-Mariano test, instant {}", i),
                  "a loss that is not finite", "leave out instants without a forecast");
    }
  }
  return difference;
}

// gamma_0 + 2 sum of the first h - 1 autocovariances, which may fail to be positive; then the same
// lags with Newey-West weights.
double LongRunVariance(std::span<const double> difference, DieboldMariano& test) {
  const size_t lags = test.horizon - 1;
  const std::vector<double> gamma = Autocovariance(difference, lags);
  double variance = gamma[0];
  for (size_t k = 1; k <= lags; ++k) variance += 2 * gamma[k];
  if (variance > 0) return variance;
  test.kernel = "bartlett";
  return NeweyWestVariance(difference, lags);
}

}  // namespace

DieboldMariano TestDieboldMariano(std::span<const double> loss_a, std::span<const double> loss_b,
                                  size_t horizon) {
  if (horizon == 0) {
    throw Error(ErrorCode::kUsage, "Diebold-Mariano test", "a horizon of 0", "at least 1");
  }
  const std::vector<double> difference = LossDifference(loss_a, loss_b);
  DieboldMariano test;
  test.count = difference.size();
  test.horizon = horizon;
  test.mean_difference = Mean(difference);
  test.statistic = test.p_value = kNan;
  if (test.count < 2 || test.count <= horizon) return test;
  if (std::all_of(difference.begin(), difference.end(), [](double d) { return d == 0; })) {
    test.statistic = 0;
    test.p_value = 1;
    return test;
  }
  const double variance = LongRunVariance(difference, test);
  // One always loses the same amount more: without variation there is nothing to test against.
  if (!(variance > kNoVariation * test.mean_difference * test.mean_difference)) return test;
  const auto n = static_cast<double>(test.count);
  const auto h = static_cast<double>(horizon);
  const double correction = std::sqrt((n + 1 - 2 * h + h * (h - 1) / n) / n);
  test.statistic = correction * test.mean_difference / std::sqrt(variance / n);
  test.p_value = 2 * StudentTCdf(-std::abs(test.statistic), n - 1);
  return test;
}

Json ToJson(const DieboldMariano& test) {
  return Json{{"count", test.count},
              {"horizon", test.horizon},
              {"mean_difference", NumberOrNull(test.mean_difference)},
              {"statistic", NumberOrNull(test.statistic)},
              {"p_value", NumberOrNull(test.p_value)},
              {"kernel", test.kernel}};
}

}  // namespace almanac
