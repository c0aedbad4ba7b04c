#include "almanac/backtest/strategy.h"

#include <fmt/format.h>

#include <cmath>

#include "almanac/base/error.h"

namespace almanac {
namespace {

[[noreturn]] void Refuse(const char* option, const std::string& found, const char* allowed) {
  throw Error(ErrorCode::kUsage, fmt::format("strategy.{}", option), found, allowed);
}

double WeightFor(const ThresholdStrategy& strategy, double forecast) {
  if (forecast > strategy.threshold) return strategy.size;
  if (forecast < -strategy.threshold && strategy.allow_short) return -strategy.size;
  return 0;
}

}  // namespace

void CheckStrategy(const ThresholdStrategy& strategy) {
  if (!(strategy.threshold >= 0) || !std::isfinite(strategy.threshold)) {
    Refuse("threshold", fmt::format("a threshold of {}", strategy.threshold),
           "a return of at least 0, such as 0.001");
  }
  if (strategy.decide_every == 0) Refuse("decide_every", "every 0 bars", "at least 1");
  if (!(strategy.size > 0 && strategy.size <= 1)) {
    Refuse("size", fmt::format("{} of the equity", strategy.size), "above 0 and at most 1");
  }
}

std::vector<PositionTarget> DecideTargets(const ThresholdStrategy& strategy,
                                          std::span<const TimeMs> made_at,
                                          std::span<const double> forecast) {
  CheckStrategy(strategy);
  if (made_at.size() != forecast.size()) {
    throw Error(ErrorCode::kUsage, "strategy",
                fmt::format("{} forecasts at {} instants", forecast.size(), made_at.size()),
                "pass one forecast for each instant");
  }
  std::vector<PositionTarget> targets;
  for (size_t row = 0; row < made_at.size(); ++row) {
    const auto refuse = [&](std::string what, const char* remedy) {
      throw Error(ErrorCode::kBadData,
                  fmt::format("forecast row {}, {}", row, FormatTime(made_at[row])),
                  std::move(what), remedy);
    };
    if (row > 0 && made_at[row] <= made_at[row - 1]) {
      refuse("not made after the row above it", "sort the rows, one an instant");
    }
    if (!std::isfinite(forecast[row])) {
      refuse(fmt::format("the forecast is {}", forecast[row]),
             "leave out rows without a finite forecast");
    }
    if (row % strategy.decide_every == 0) {
      targets.push_back({made_at[row], WeightFor(strategy, forecast[row])});
    }
  }
  return targets;
}

std::vector<std::string> Describe(const ThresholdStrategy& strategy) {
  const std::string threshold = fmt::format("{:.6g} %", 100 * strategy.threshold);
  std::vector<std::string> lines;
  lines.push_back(fmt::format("Long when the forecast return is above {}.", threshold));
  lines.push_back(strategy.allow_short
                      ? fmt::format("Short when it is below -{}, otherwise flat.", threshold)
                      : std::string("Otherwise flat: no short positions."));
  lines.push_back(strategy.decide_every == 1
                      ? std::string("A decision at every forecast, held until the next.")
                      : fmt::format("A decision at every {}th forecast, held until the next.",
                                    strategy.decide_every));
  lines.push_back(
      fmt::format("{:.6g} % of the equity is put on; an unchanged decision trades nothing.",
                  100 * strategy.size));
  return lines;
}

}  // namespace almanac
