#include "almanac/backtest/signal_strategy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "almanac/base/error.h"

namespace almanac {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr std::string_view kEnsembles[] = {"mean", "median", "min", "max", "vote", "agree"};
constexpr std::string_view kSizings[] = {"fixed", "volatility_target", "kelly"};

[[noreturn]] void Refuse(std::string_view option, std::string found, const char* allowed) {
  throw Error(ErrorCode::kUsage, fmt::format("strategy.{}", option), std::move(found), allowed);
}

template <size_t N>
size_t IndexOf(const std::string_view (&names)[N], std::string_view name, const char* option) {
  const auto* found = std::find(std::begin(names), std::end(names), name);
  if (found != std::end(names)) return static_cast<size_t>(found - std::begin(names));
  throw Error(ErrorCode::kUsage, option, fmt::format("\"{}\" is not one of them", name),
              fmt::format("{}", fmt::join(names, ", ")));
}

double Median(std::vector<double>& values) {
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double Join(Ensemble ensemble, std::vector<double>& values) {
  const auto count = static_cast<double>(values.size());
  double sum = 0, votes = 0, nearest = values.front();
  for (const double value : values) {
    sum += value;
    votes += value > 0 ? 1 : value < 0 ? -1 : 0;
    if (std::abs(value) < std::abs(nearest)) nearest = value;
  }
  switch (ensemble) {
    case Ensemble::kMean:
      return sum / count;
    case Ensemble::kMedian:
      return Median(values);
    case Ensemble::kMin:
      return *std::min_element(values.begin(), values.end());
    case Ensemble::kMax:
      return *std::max_element(values.begin(), values.end());
    case Ensemble::kVote:
      return votes / count;
    case Ensemble::kAgree:
      return std::abs(votes) == count ? nearest : 0;
  }
  return 0;
}

// The variance (divisor n - 1) of the last `window` log returns of the bars before `end`; NaN if
// there are fewer.
double ReturnVariance(const CandleSeries& bars, size_t end, size_t window) {
  if (end < window + 1) return kNan;
  double sum = 0, squares = 0;
  for (size_t i = end - window; i < end; ++i) sum += std::log(bars.close[i] / bars.close[i - 1]);
  const double mean = sum / static_cast<double>(window);
  for (size_t i = end - window; i < end; ++i) {
    const double difference = std::log(bars.close[i] / bars.close[i - 1]) - mean;
    squares += difference * difference;
  }
  return squares / static_cast<double>(window - 1);
}

// f* of a bet that wins `take` with probability p and loses `stop` otherwise, as a weight.
double KellyOfBet(double signal, double stop, double take) {
  const double p = (1 + std::abs(signal)) / 2;
  return std::max(0.0, (p - (1 - p) * stop / take) / stop);
}

}  // namespace

void SignalTable::Validate() const {
  const auto check_length = [&](const Column& column) {
    if (column.values.size() == rows()) return;
    throw Error(ErrorCode::kUsage, fmt::format("signal column \"{}\"", column.name),
                fmt::format("{} values for {} rows", column.values.size(), rows()),
                "pass one a row");
  };
  if (made_at.empty()) {
    throw Error(ErrorCode::kBadData, "backtest", "no forecasts", "widen the test period");
  }
  for (const Column& column : sizes) check_length(column);
  for (const Column& column : signals) {
    check_length(column);
    for (size_t row = 0; row < rows(); ++row) {
      if (std::isfinite(column.values[row])) continue;
      throw Error(
          ErrorCode::kBadData,
          fmt::format("signal \"{}\" row {}, {}", column.name, row, FormatTime(made_at[row])),
          fmt::format("is {}", column.values[row]), "leave out rows without a finite forecast");
    }
  }
}

void CheckConfig(const SignalTable& table, const SignalConfig& config) {
  const SignalRule& rule = config.rule;
  const auto check = [](const char* option, double threshold) {
    if (threshold >= 0 && std::isfinite(threshold)) return;
    Refuse(option, fmt::format("a threshold of {}", threshold), "at least 0, such as 0.001");
  };
  check("long_above", rule.long_above);
  check("short_below", rule.short_below);
  if (rule.decide_every == 0) Refuse("decide_every", "every 0 rows", "at least 1");
  if (rule.signal >= table.signals.size() || rule.size >= table.sizes.size()) {
    Refuse("signal", fmt::format("column {} or size {}", rule.signal, rule.size),
           "columns of the table");
  }
  CheckRules(config.trade);
}

std::string_view Name(Ensemble ensemble) { return kEnsembles[static_cast<size_t>(ensemble)]; }
std::vector<std::string> EnsembleNames() { return {std::begin(kEnsembles), std::end(kEnsembles)}; }
Ensemble ParseEnsemble(std::string_view name) {
  return static_cast<Ensemble>(IndexOf(kEnsembles, name, "strategy.ensemble"));
}

std::string_view Name(Sizing sizing) { return kSizings[static_cast<size_t>(sizing)]; }
std::vector<std::string> SizingNames() { return {std::begin(kSizings), std::end(kSizings)}; }
Sizing ParseSizing(std::string_view name) {
  return static_cast<Sizing>(IndexOf(kSizings, name, "strategy.sizing"));
}

std::vector<double> JoinSignals(Ensemble ensemble,
                                std::span<const std::span<const double>> models) {
  if (models.empty()) Refuse("ensemble", "of no model", "name at least one model");
  for (const auto& model : models) {
    if (model.size() == models.front().size()) continue;
    Refuse("ensemble", "models with different numbers of rows", "join them by instant first");
  }
  std::vector<double> joined(models.front().size()), values(models.size());
  for (size_t row = 0; row < joined.size(); ++row) {
    for (size_t m = 0; m < models.size(); ++m) values[m] = models[m][row];
    joined[row] = Join(ensemble, values);
  }
  return joined;
}

void CheckSizing(const SizingOptions& options) {
  const auto positive = [](const char* name, double value) {
    if (!(value > 0) || !std::isfinite(value)) Refuse(name, fmt::format("{}", value), "above 0");
  };
  positive("size", options.size);
  positive("target_volatility", options.target_volatility);
  positive("kelly_fraction", options.kelly_fraction);
  positive("max_weight", options.max_weight);
  if (options.kelly_fraction > 1) {
    Refuse("kelly_fraction", fmt::format("{}", options.kelly_fraction), "at most 1");
  }
  if (options.volatility_window < 2) {
    Refuse("volatility_window", fmt::format("{} bars", options.volatility_window), "at least 2");
  }
}

std::vector<double> Sizes(const SizingOptions& options, const SizingInput& input) {
  CheckSizing(options);
  std::vector<double> sizes(input.made_at.size(), std::min(options.size, options.max_weight));
  if (options.sizing == Sizing::kFixed) return sizes;
  const bool bet = options.sizing == Sizing::kKelly && input.probability;
  if (bet && !(input.stop_loss > 0 && input.take_profit > 0)) {
    Refuse("sizing", "kelly on probabilities without a stop-loss and a take-profit",
           "set both: they are what the bet wins and loses");
  }
  const double year = PeriodsPerYear(input.bars.key.timeframe, input.year);
  size_t known = 0;  // bars that are known when the decision is made
  for (size_t row = 0; row < sizes.size(); ++row) {
    double size = 0;
    if (bet) {
      size = options.kelly_fraction *
             KellyOfBet(input.signal[row], input.stop_loss, input.take_profit);
    } else {
      while (known < input.bars.size() && input.bars.KnownAt(known) <= input.made_at[row]) ++known;
      const double variance = ReturnVariance(input.bars, known, options.volatility_window);
      if (variance > 0) {
        size =
            options.sizing == Sizing::kVolatilityTarget
                ? options.target_volatility / std::sqrt(variance * year)
                : options.kelly_fraction * std::abs(input.signal[row]) / (input.horizon * variance);
      }
    }
    sizes[row] = std::min(size, options.max_weight);
  }
  return sizes;
}

std::vector<std::string> Describe(const SignalRule& rule, std::string_view signal) {
  std::vector<std::string> lines;
  if (rule.allow_long) {
    lines.push_back(fmt::format("Long when {} is above {:.6g}.", signal, rule.long_above));
  }
  if (rule.allow_short) {
    lines.push_back(fmt::format("Short when {} is below -{:.6g}.", signal, rule.short_below));
  }
  lines.push_back(rule.decide_every == 1
                      ? std::string("A decision at every forecast.")
                      : fmt::format("A decision at every {}th forecast.", rule.decide_every));
  return lines;
}

std::string Describe(const SizingOptions& options) {
  switch (options.sizing) {
    case Sizing::kFixed:
      return fmt::format("{:.6g} % of the equity is put on.",
                         100 * std::min(options.size, options.max_weight));
    case Sizing::kVolatilityTarget:
      return fmt::format(
          "Positions are sized for {:.6g} % volatility a year by the last {} bars, at most {:.6g} "
          "times the equity.",
          100 * options.target_volatility, options.volatility_window, options.max_weight);
    case Sizing::kKelly:
      return fmt::format("Positions are {:.6g} of the Kelly size, at most {:.6g} times the equity.",
                         options.kelly_fraction, options.max_weight);
  }
  return "";
}

}  // namespace almanac
