#include "almanac/forecast/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <tuple>

#include "almanac/base/error.h"
#include "almanac/base/text.h"
#include "almanac/forecast/due_times.h"

namespace almanac {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

template <typename T>
std::vector<T> Pick(const std::vector<T>& values, std::span<const size_t> rows) {
  std::vector<T> picked;
  picked.reserve(rows.size());
  for (const size_t row : rows) picked.push_back(values[row]);
  return picked;
}

template <typename T>
void Extend(std::vector<T>& values, const std::vector<T>& more) {
  values.insert(values.end(), more.begin(), more.end());
}

auto OrderKey(const ForecastTable& table, size_t row) {
  return std::tie(table.model[row], table.symbol[row], table.made_at[row], table.horizon[row]);
}

[[noreturn]] void ThrowRow(const ForecastTable& table, size_t row, std::string what,
                           std::string remedy) {
  throw Error(ErrorCode::kBadData,
              fmt::format("forecast row {} ({} {} {})", row, table.model[row], table.symbol[row],
                          FormatTime(table.made_at[row])),
              std::move(what), std::move(remedy));
}

void CheckLengths(const ForecastTable& table) {
  const size_t rows = table.rows();
  bool equal = table.model.size() == rows && table.symbol.size() == rows &&
               table.made_at.size() == rows && table.target_time.size() == rows &&
               table.horizon.size() == rows && table.price.size() == rows;
  for (const ForecastTable::Extra& extra : table.extra) {
    equal = equal && extra.values.size() == rows;
  }
  if (equal) return;
  throw Error(ErrorCode::kBadData, "forecast table",
              fmt::format("its columns are not all of {} rows", rows),
              "every column has one entry a row");
}

bool IsProbability(const ForecastTable::Extra& extra) { return extra.name.starts_with("p_"); }

void CheckExtraName(const std::string& name) {
  if (name.size() > 2 && name.starts_with("p_")) return;
  const std::optional<double> level =
      name.starts_with("q") ? ParseDouble(name.substr(1)) : std::nullopt;
  if (level && *level > 0 && *level < 100) return;
  throw Error(ErrorCode::kBadData, "forecast table", fmt::format("a column called \"{}\"", name),
              "quantiles are q and a percentage such as q5 or q97.5, class probabilities p_ and "
              "the class such as p_up");
}

void CheckExtra(const ForecastTable& table) {
  for (size_t e = 0; e < table.extra.size(); ++e) {
    const ForecastTable::Extra& extra = table.extra[e];
    CheckExtraName(extra.name);
    for (size_t other = 0; other < e; ++other) {
      if (table.extra[other].name != extra.name) continue;
      throw Error(ErrorCode::kBadData, "forecast table",
                  fmt::format("two columns called \"{}\"", extra.name), "names are distinct");
    }
    for (size_t row = 0; row < table.rows(); ++row) {
      const double value = extra.values[row];
      const bool in_range = !IsProbability(extra) || (value >= 0 && value <= 1);
      if (std::isnan(value) || (std::isfinite(value) && in_range)) continue;
      ThrowRow(table, row, fmt::format("{} is {}", extra.name, value),
               "quantiles are finite, probabilities in 0 to 1");
    }
  }
}

void CheckRow(const ForecastTable& table, size_t row) {
  if (table.model[row].empty() || table.symbol[row].empty()) {
    ThrowRow(table, row, "no model or no symbol", "name both");
  }
  if (table.target_time[row] <= table.made_at[row]) {
    ThrowRow(table, row, "its target time is " + FormatTime(table.target_time[row]),
             "the target lies after made_at");
  }
  if (table.horizon[row] < 1) {
    ThrowRow(table, row, fmt::format("its horizon is {}", table.horizon[row]),
             "horizons are 1 bar or more");
  }
  if (!std::isfinite(table.price[row]) || table.price[row] <= 0) {
    ThrowRow(table, row, fmt::format("its price is {}", table.price[row]),
             "prices are positive and finite");
  }
  const bool has_extra =
      std::any_of(table.extra.begin(), table.extra.end(),
                  [row](const auto& extra) { return !std::isnan(extra.values[row]); });
  const double value = table.value[row];
  if (!std::isfinite(value) && !(std::isnan(value) && has_extra)) {
    ThrowRow(table, row, fmt::format("its value is {}", value),
             "values are finite; a row that cannot be forecast is left out");
  }
}

}  // namespace

std::string_view Name(Quantity quantity) {
  switch (quantity) {
    case Quantity::kReturn:
      return "return";
    case Quantity::kLogReturn:
      return "log_return";
    case Quantity::kPrice:
      return "price";
    case Quantity::kVolatility:
      return "volatility";
  }
  return "";
}

Quantity QuantityOf(TargetKind kind) {
  switch (kind) {
    case TargetKind::kForwardReturn:
      return Quantity::kReturn;
    case TargetKind::kForwardLogReturn:
      return Quantity::kLogReturn;
    case TargetKind::kForwardClose:
      return Quantity::kPrice;
  }
  return Quantity::kReturn;
}

Quantity QuantityOf(const AnyTarget& target) {
  if (std::holds_alternative<VolatilitySpec>(target)) return Quantity::kVolatility;
  const auto* price = std::get_if<TargetSpec>(&target);
  return price == nullptr ? Quantity::kReturn : QuantityOf(price->kind);
}

void ForecastTable::Append(const Forecast& forecast) {
  model.push_back(forecast.model);
  symbol.push_back(forecast.symbol);
  made_at.push_back(forecast.made_at);
  target_time.push_back(forecast.target_time);
  horizon.push_back(forecast.horizon);
  price.push_back(forecast.price);
  value.push_back(forecast.value);
  for (Extra& column : extra) column.values.push_back(kMissing);
}

void ForecastTable::Append(const ForecastTable& other) {
  if (rows() == 0 && extra.empty()) quantity = other.quantity;
  if (quantity != other.quantity) {
    throw Error(
        ErrorCode::kUsage, "forecast table",
        fmt::format("forecasts of {} beside forecasts of {}", Name(other.quantity), Name(quantity)),
        "keep them in tables of their own");
  }
  const size_t before = rows();
  Extend(model, other.model);
  Extend(symbol, other.symbol);
  Extend(made_at, other.made_at);
  Extend(target_time, other.target_time);
  Extend(horizon, other.horizon);
  Extend(price, other.price);
  Extend(value, other.value);
  for (const Extra& column : other.extra) {
    auto own = std::find_if(extra.begin(), extra.end(),
                            [&](const Extra& e) { return e.name == column.name; });
    if (own == extra.end()) {
      own = extra.insert(own, {column.name, std::vector<double>(before, kMissing)});
    }
    Extend(own->values, column.values);
  }
  for (Extra& column : extra) column.values.resize(rows(), kMissing);
}

void ForecastTable::Sort() {
  CheckLengths(*this);
  std::vector<size_t> order(rows());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [this](size_t a, size_t b) { return OrderKey(*this, a) < OrderKey(*this, b); });
  std::sort(extra.begin(), extra.end(),
            [](const Extra& a, const Extra& b) { return a.name < b.name; });
  *this = Rows(order);
}

void ForecastTable::Validate() const {
  CheckLengths(*this);
  for (size_t row = 0; row < rows(); ++row) {
    CheckRow(*this, row);
    if (row > 0 && !(OrderKey(*this, row - 1) < OrderKey(*this, row))) {
      ThrowRow(*this, row, "it does not come after the row before",
               "rows are ordered by model, symbol, made_at, horizon, each once");
    }
  }
  CheckExtra(*this);
}

ForecastTable ForecastTable::Select(std::string_view model_name, std::string_view symbol_name,
                                    int64_t horizon_bars) const {
  return Where([&](size_t row) {
    return model[row] == model_name && symbol[row] == symbol_name && horizon[row] == horizon_bars;
  });
}

ForecastTable ForecastTable::Rows(std::span<const size_t> places) const {
  ForecastTable picked;
  picked.quantity = quantity;
  picked.model = Pick(model, places);
  picked.symbol = Pick(symbol, places);
  picked.made_at = Pick(made_at, places);
  picked.target_time = Pick(target_time, places);
  picked.horizon = Pick(horizon, places);
  picked.price = Pick(price, places);
  picked.value = Pick(value, places);
  for (const Extra& column : extra)
    picked.extra.push_back({column.name, Pick(column.values, places)});
  return picked;
}

std::vector<std::string> ForecastTable::Models() const {
  std::vector<std::string> names;
  for (const std::string& name : model) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

std::vector<double> ForecastTable::Returns() const {
  if (quantity == Quantity::kReturn) return value;
  if (quantity == Quantity::kVolatility) {
    throw Error(ErrorCode::kUsage, "forecast table",
                "a volatility is no return: it has no direction",
                "take forecasts of a return or a price");
  }
  const TargetKind kind =
      quantity == Quantity::kLogReturn ? TargetKind::kForwardLogReturn : TargetKind::kForwardClose;
  std::vector<double> returns;
  returns.reserve(rows());
  for (size_t row = 0; row < rows(); ++row) {
    returns.push_back(ToReturn(kind, value[row], price[row]));
  }
  return returns;
}

ForecastTable MakeForecasts(const std::string& model, const Forecaster& forecaster,
                            const Dataset& data, std::span<const uint32_t> rows,
                            const AnyTarget& target, const CandleSeries& series, size_t* skipped) {
  const Prediction prediction = forecaster.Predict(data, rows);
  const DurationMs timeframe = series.key.timeframe.duration();
  ForecastTable table;
  table.quantity = QuantityOf(target);
  const int64_t horizon = HorizonOf(target);
  const DueTimes due(series, horizon);
  const bool of_classes = !ClassesOf(target).empty() && !prediction.extra.empty();
  for (const std::string& name : prediction.extra_names) table.extra.push_back({name, {}});
  size_t left_out = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    const bool has_probability = of_classes && !std::isnan(prediction.extra.front()[i]);
    if (std::isnan(prediction.value[i]) && !has_probability) {
      ++left_out;
      continue;
    }
    const TimeMs made_at = data.times()[rows[i]];
    const TimeMs open_time = made_at - timeframe;
    const auto bar = std::lower_bound(series.open_time.begin(), series.open_time.end(), open_time);
    if (bar == series.open_time.end() || *bar != open_time) {
      throw Error(ErrorCode::kBadData, ToString(series.key) + " " + FormatTime(made_at),
                  "a row of the dataset has no bar that closes then",
                  "give the series that the features were made from");
    }
    const double price = series.close[static_cast<size_t>(bar - series.open_time.begin())];
    const auto append = [&](const Prediction& step, int64_t bars) {
      table.Append(
          {model, data.symbol(), made_at, due.After(open_time, bars), bars, price, step.value[i]});
      for (size_t e = 0; e < table.extra.size(); ++e) {
        table.extra[e].values.back() = step.extra[e][i];
      }
    };
    for (size_t k = 0; k < prediction.earlier.size(); ++k) {
      append(prediction.earlier[k], static_cast<int64_t>(k) + 1);
    }
    append(prediction, horizon);
  }
  if (skipped != nullptr) *skipped = left_out;
  return table;
}

}  // namespace almanac
