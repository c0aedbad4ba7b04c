#include "almanac/report/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "almanac/base/error.h"

namespace almanac {
namespace {

[[noreturn]] void Refuse(const std::string& part, const std::string& what) {
  throw Error(ErrorCode::kBadData, "report: " + part, what);
}

void RequireLength(const std::string& part, std::string_view what, size_t found, size_t wanted) {
  if (found != wanted) {
    Refuse(part, fmt::format("{} has {} entries, but there are {} times or columns", what, found,
                             wanted));
  }
}

void RequireIncreasing(const std::string& part, const std::vector<TimeMs>& times) {
  const auto wrong = std::adjacent_find(times.begin(), times.end(), std::greater_equal<>());
  if (wrong != times.end()) {
    Refuse(part, fmt::format("{} comes after {}; times must increase", FormatTime(*(wrong + 1)),
                             FormatTime(*wrong)));
  }
}

void CheckBars(const std::string& part, const CandleSeries& bars) {
  RequireIncreasing(part, bars.open_time);
  for (const auto* field : {&bars.open, &bars.high, &bars.low, &bars.close, &bars.volume}) {
    RequireLength(part, "a price or the volume", field->size(), bars.size());
  }
}

void CheckForecast(const std::string& market, const ReportForecast& forecast) {
  const std::string part = market + ", forecasts of " + forecast.model;
  const size_t rows = forecast.target_time.size();
  RequireLength(part, "made_at", forecast.made_at.size(), rows);
  RequireLength(part, "price", forecast.price.size(), rows);
  if (!forecast.low.empty() || !forecast.high.empty()) {
    RequireLength(part, "low", forecast.low.size(), rows);
    RequireLength(part, "high", forecast.high.size(), rows);
  }
  RequireIncreasing(part, forecast.target_time);
  for (size_t row = 0; row < rows; ++row) {
    if (forecast.made_at[row] < forecast.target_time[row]) continue;
    Refuse(part,
           fmt::format("the forecast for {} was made at {}, not before it",
                       FormatTime(forecast.target_time[row]), FormatTime(forecast.made_at[row])));
  }
}

void CheckEquity(const ReportEquity& equity) {
  RequireIncreasing("equity", equity.time);
  for (const ReportCurve& curve : equity.curves) {
    RequireLength("equity of " + curve.name, "equity", curve.equity.size(), equity.time.size());
    for (const double value : curve.equity) {
      if (!std::isfinite(value)) Refuse("equity of " + curve.name, "a value is not finite");
    }
  }
  if (!equity.curves.empty() && !(equity.capital > 0)) {
    Refuse("equity", fmt::format("the capital is {}, but must be above 0", equity.capital));
  }
}

void CheckTable(const ReportTable& table) {
  for (const ReportRow& row : table.rows) {
    RequireLength("table '" + table.title + "', row " + row.label, "the row", row.cells.size(),
                  table.columns.size());
  }
}

void CheckHeatTable(const ReportHeatTable& table) {
  const std::string part = "table '" + table.title + "'";
  for (const ReportHeatTable::Row& row : table.rows) {
    RequireLength(part + ", row " + row.label, "the row", row.values.size(), table.columns.size());
  }
  if (table.baseline && *table.baseline >= table.columns.size()) {
    Refuse(part,
           fmt::format("the baseline is column {} of {}", *table.baseline, table.columns.size()));
  }
}

void CheckCalibration(const ReportData& data) {
  for (const ReportPit& pit : data.pit) {
    double level = 0;
    for (const ReportPit::Cell& cell : pit.cells) {
      if (cell.from != level || !(cell.to > cell.from)) {
        Refuse("PIT of " + pit.model,
               fmt::format("a cell from {} to {} after {}", cell.from, cell.to, level));
      }
      level = cell.to;
    }
    if (level != 1) Refuse("PIT of " + pit.model, fmt::format("its cells end at {}", level));
  }
  for (const ReportReliability& diagram : data.reliability) {
    for (const ReportReliability::Point& point : diagram.points) {
      if (point.probability >= 0 && point.probability <= 1 && point.frequency >= 0 &&
          point.frequency <= 1) {
        continue;
      }
      Refuse("reliability of " + diagram.model,
             fmt::format("a point at {}, {}", point.probability, point.frequency));
    }
  }
}

void CheckFan(const ReportFan& fan) {
  const std::string part = fmt::format("fan of {}, {}", fan.model, fan.symbol);
  RequireIncreasing(part, fan.time);
  RequireLength(part, "close", fan.close.size(), fan.time.size());
  for (const ReportFan::Origin& origin : fan.origins) {
    const size_t steps = origin.target_time.size();
    RequireIncreasing(part, origin.target_time);
    RequireLength(part, "forecast", origin.forecast.size(), steps);
    if (origin.low.empty() && origin.high.empty()) continue;
    RequireLength(part, "low", origin.low.size(), steps);
    RequireLength(part, "high", origin.high.size(), steps);
  }
}

void CheckAttention(const ReportAttention& model) {
  for (size_t h = 1; h < model.attention.size(); ++h) {
    RequireLength("attention of " + model.model, "a horizon", model.attention[h].size(),
                  model.attention[0].size());
  }
}

void CheckMonths(const ReportMonthlyReturns& returns) {
  for (const ReportMonthReturn& month : returns.months) {
    if (month.month >= 1 && month.month <= 12) continue;
    Refuse("monthly returns of " + returns.name, fmt::format("there is no month {}", month.month));
  }
}

}  // namespace

void CheckReport(const ReportData& data) {
  for (const ReportMarket& market : data.markets) {
    const std::string part = ToString(market.bars.key);
    CheckBars(part, market.bars);
    for (const ReportForecast& forecast : market.forecasts) CheckForecast(part, forecast);
  }
  for (const ReportErrors& errors : data.errors) {
    for (const double error : errors.errors) {
      if (!std::isfinite(error)) Refuse("errors of " + errors.model, "an error is not finite");
    }
  }
  for (const ReportTable& table : data.forecast_tables) CheckTable(table);
  for (const ReportTable& table : data.strategy_tables) CheckTable(table);
  for (const ReportHeatTable& table : data.by_month) CheckHeatTable(table);
  for (const ReportMonthlyReturns& returns : data.monthly_returns) CheckMonths(returns);
  for (const ReportFan& fan : data.fans) CheckFan(fan);
  for (const ReportAttention& model : data.attention) CheckAttention(model);
  CheckCalibration(data);
  CheckEquity(data.equity);
}

}  // namespace almanac
