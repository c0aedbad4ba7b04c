// The forecast table, the one thing between models and their users: anything that forecasts writes
// it, anything that judges or trades reads it. docs/forecasts.md specifies the file.
#ifndef ALMANAC_FORECAST_TABLE_H_
#define ALMANAC_FORECAST_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/base/time.h"
#include "almanac/dataset/dataset.h"
#include "almanac/forecast/forecaster.h"
#include "almanac/market/candle.h"
#include "almanac/target/any_target.h"

namespace almanac {

// What `value` (and every quantile) is, for the whole table.
enum class Quantity {
  kReturn,     // close(target) / close(made_at) - 1
  kLogReturn,  // ln(close(target) / close(made_at))
  kPrice,      // close(target)
  kVolatility  // sqrt(sum of the squared log returns until target), as forward_volatility
};
std::string_view Name(Quantity quantity);  // "return", "log_return", "price", "volatility"
Quantity QuantityOf(TargetKind kind);
// Of classes, which have no values: kReturn.
Quantity QuantityOf(const AnyTarget& target);

// One row at a time, without the extra columns.
struct Forecast {
  std::string model;  // which one, unique in a run: "ridge"
  std::string symbol;
  TimeMs made_at = 0;      // everything that it used was known at this instant
  TimeMs target_time = 0;  // when it is due by the market's calendar (due_times.h)
  int64_t horizon = 1;     // bars
  double price = 0;        // the close known at made_at
  double value = 0;
};

// Columns of equal length, ordered by (model, symbol, made_at, horizon) once sorted.
struct ForecastTable {
  // A further column: "q5", "q97.5" for the quantile at that percentage, "p_up" for the
  // probability of class "up". NaN: the row's model does not give it.
  struct Extra {
    std::string name;
    std::vector<double> values;
  };

  Quantity quantity = Quantity::kReturn;
  std::vector<std::string> model, symbol;
  std::vector<TimeMs> made_at, target_time;
  std::vector<int64_t> horizon;
  std::vector<double> price, value;
  std::vector<Extra> extra;

  size_t rows() const { return value.size(); }
  // The new row's extra columns are NaN.
  void Append(const Forecast& forecast);
  // All rows of `other`, which must have the same quantity (Error(kUsage)); extra columns are
  // united.
  void Append(const ForecastTable& other);
  void Sort();
  // Throws Error(kBadData) naming the row for: columns of different lengths; rows out of order or
  // twice; target_time <= made_at; horizon < 1; a price that is not positive and finite; a value
  // that is not finite (NaN is allowed where the row has an extra column instead); an extra column
  // whose name is not of the form above, or a probability outside [0, 1].
  void Validate() const;

  // The rows of one model, symbol and horizon, in order.
  ForecastTable Select(std::string_view model_name, std::string_view symbol_name,
                       int64_t horizon_bars) const;
  std::vector<std::string> Models() const;  // distinct, in order of first appearance

  // The rows that `keep(row)` says yes to, in order.
  template <typename Keep>
  ForecastTable Where(const Keep& keep) const {
    std::vector<size_t> chosen;
    for (size_t row = 0; row < rows(); ++row) {
      if (keep(row)) chosen.push_back(row);
    }
    return Rows(chosen);
  }
  // These rows, in this order.
  ForecastTable Rows(std::span<const size_t> places) const;

  // Forward returns, from a return, its logarithm or a price. Throws Error(kUsage) for a
  // volatility, which has no direction.
  std::vector<double> Returns() const;

  // Sorted, validated, then written whole or not at all. Equal tables give equal bytes. Load
  // validates; Error(kBadData) naming the file if it is not a forecast table.
  void Save(const std::filesystem::path& file) const;
  static ForecastTable Load(const std::filesystem::path& file);
};

// The forecasts for `rows` of `data` as a table. Rows without a value (a feature is NaN) or, of a
// target of classes, without probabilities are left out; `skipped` receives their number. The price
// comes from `series`, whose KnownAt are the rows' times (Error(kBadData) if a row has no bar).
ForecastTable MakeForecasts(const std::string& model, const Forecaster& forecaster,
                            const Dataset& data, std::span<const uint32_t> rows,
                            const AnyTarget& target, const CandleSeries& series,
                            size_t* skipped = nullptr);

}  // namespace almanac

#endif  // ALMANAC_FORECAST_TABLE_H_
