#include "almanac/evaluate/judged_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include "almanac/base/error.h"
#include "almanac/evaluate/statistics.h"

namespace almanac {
namespace {

using Key = std::pair<TimeMs, std::string>;  // made_at, symbol

// The close in a table may have passed through a file; a wrong bar differs by more.
constexpr double kSamePrice = 1e-9;

std::map<Key, size_t> RowsOf(const ForecastTable& table, std::string_view model, int64_t horizon) {
  std::map<Key, size_t> rows;
  for (size_t row = 0; row < table.rows(); ++row) {
    if (table.model[row] == model && table.horizon[row] == horizon) {
      rows.emplace(Key{table.made_at[row], table.symbol[row]}, row);
    }
  }
  if (rows.empty()) {
    throw Error(ErrorCode::kUsage, "forecast table",
                fmt::format("no forecast of '{}' at horizon {}", model, horizon),
                "name a model and a horizon that it holds");
  }
  return rows;
}

const SymbolOutcome& OutcomeOf(std::span<const SymbolOutcome> outcomes, const std::string& symbol) {
  for (const SymbolOutcome& outcome : outcomes) {
    if (outcome.series->key.symbol == symbol) return outcome;
  }
  throw Error(ErrorCode::kUsage, "forecast table", fmt::format("no outcomes of {}", symbol),
              "pass the labels and bars of every symbol in it");
}

constexpr size_t kNoRow = static_cast<size_t>(-1);

// The row whose label starts at `made_at` and is known, or kNoRow.
size_t LabelAt(const Labels& labels, TimeMs made_at) {
  const auto found = std::lower_bound(labels.t0.begin(), labels.t0.end(), made_at);
  if (found == labels.t0.end() || *found != made_at) return kNoRow;
  const auto row = static_cast<size_t>(found - labels.t0.begin());
  return std::isnan(labels.value[row]) ? kNoRow : row;
}

void CheckPrice(const ForecastTable& table, size_t row, const SymbolOutcome& outcome, size_t bar) {
  const double close = outcome.series->close[bar];
  if (std::abs(table.price[row] - close) <= kSamePrice * close) return;
  throw Error(
      ErrorCode::kBadData,
      fmt::format("forecast table, {} {}", table.symbol[row], FormatTime(table.made_at[row])),
      fmt::format("price {}, but the bar closed at {}", table.price[row], close),
      "judge forecasts with the series they were made from");
}

bool IsVolatility(Quantity quantity) { return quantity == Quantity::kVolatility; }

// The naive forecast at each bar.
std::vector<double> NaiveValues(const SymbolOutcome& outcome) {
  const Labels& labels = *outcome.labels;
  if (!IsVolatility(outcome.quantity)) return std::vector<double>(labels.rows(), 0.0);
  return LastEnded(labels.t0, labels.t1, labels.value);
}

void CheckQuantities(const ForecastTable& table, std::span<const SymbolOutcome> outcomes) {
  for (const SymbolOutcome& outcome : outcomes) {
    if (IsVolatility(outcome.quantity) == IsVolatility(table.quantity)) continue;
    throw Error(ErrorCode::kUsage, "forecast table",
                fmt::format("forecasts of {} beside outcomes of {}", Name(table.quantity),
                            Name(outcome.quantity)),
                "judge volatilities by volatilities");
  }
}

}  // namespace

ForecastSample JudgedRows::Sample() const {
  ForecastSample sample;
  sample.made_at = made_at;
  sample.forecast = forecast;
  sample.actual = actual;
  sample.naive = naive;
  sample.space = space;
  if (space == Space::kReturn) sample.price = price;
  sample.horizon = horizon;
  sample.return_scale = return_scale;
  sample.price_scale = price_scale;
  return sample;
}

double JudgedValue(Quantity quantity, double value, double price) {
  switch (quantity) {
    case Quantity::kReturn:
    case Quantity::kVolatility:
      return value;
    case Quantity::kLogReturn:
      return ToReturn(TargetKind::kForwardLogReturn, value, price);
    case Quantity::kPrice:
      return ToReturn(TargetKind::kForwardClose, value, price);
  }
  return value;
}

std::vector<double> TrailingVolatility(const CandleSeries& series) {
  std::vector<double> volatility(series.size(), std::numeric_limits<double>::quiet_NaN());
  std::vector<double> returns(series.size(), 0.0);
  for (size_t i = 1; i < series.size(); ++i) {
    returns[i] = std::log(series.close[i] / series.close[i - 1]);
  }
  for (size_t i = kVolatilityBars; i < series.size(); ++i) {
    volatility[i] =
        std::sqrt(Variance(std::span(returns).subspan(i + 1 - kVolatilityBars, kVolatilityBars)));
  }
  return volatility;
}

JudgedRows JoinOutcomes(const ForecastTable& table, std::string_view model, std::string_view naive,
                        int64_t horizon, std::span<const SymbolOutcome> outcomes) {
  const std::map<Key, size_t> model_rows = RowsOf(table, model, horizon);
  const std::map<Key, size_t> naive_rows = RowsOf(table, naive, horizon);
  CheckQuantities(table, outcomes);
  const auto value_of = [&](size_t row) {
    return JudgedValue(table.quantity, table.value[row], table.price[row]);
  };
  std::map<std::string, std::vector<double>> volatility;
  for (const SymbolOutcome& outcome : outcomes) {
    volatility[outcome.series->key.symbol] = TrailingVolatility(*outcome.series);
  }
  JudgedRows judged;
  judged.horizon = static_cast<size_t>(horizon);
  if (IsVolatility(table.quantity)) judged.space = Space::kVolatility;
  for (const auto& [key, row] : model_rows) {
    const auto& [made_at, symbol] = key;
    const SymbolOutcome& outcome = OutcomeOf(outcomes, symbol);
    const size_t bar = LabelAt(*outcome.labels, made_at);
    if (bar == kNoRow) {
      ++judged.without_outcome;
      continue;
    }
    const auto naive_row = naive_rows.find(key);
    if (naive_row == naive_rows.end()) {
      ++judged.without_naive;
      continue;
    }
    CheckPrice(table, row, outcome, bar);
    const double price = table.price[row];
    judged.symbol.push_back(symbol);
    judged.made_at.push_back(made_at);
    judged.known_at.push_back(outcome.labels->t1[bar]);
    judged.forecast.push_back(value_of(row));
    judged.actual.push_back(JudgedValue(outcome.quantity, outcome.labels->value[bar], price));
    judged.naive.push_back(value_of(naive_row->second));
    judged.price.push_back(price);
    judged.volatility.push_back(volatility.at(symbol)[bar]);
  }
  return judged;
}

void SetTrainingScale(std::span<const SymbolOutcome> outcomes, TimeMs from, TimeMs to,
                      JudgedRows& rows) {
  std::vector<double> actual, naive, price;
  for (const SymbolOutcome& outcome : outcomes) {
    const Labels& labels = *outcome.labels;
    const std::vector<double> naive_of_bar = NaiveValues(outcome);
    for (size_t bar = 0; bar < labels.rows(); ++bar) {
      if (std::isnan(labels.value[bar]) || labels.t0[bar] < from || labels.t1[bar] > to) continue;
      if (std::isnan(naive_of_bar[bar])) continue;
      price.push_back(outcome.series->close[bar]);
      naive.push_back(naive_of_bar[bar]);
      actual.push_back(JudgedValue(outcome.quantity, labels.value[bar], price.back()));
    }
  }
  rows.return_scale = NaiveScale(actual, naive);
  rows.price_scale = NaivePriceScale(actual, naive, price);
}

}  // namespace almanac
