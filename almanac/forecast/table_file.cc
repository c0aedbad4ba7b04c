// The file of a forecast table: Parquet, as docs/forecasts.md specifies.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/forecast/table.h"
#include "almanac/lake/database.h"

namespace almanac {
namespace {

constexpr std::array<std::string_view, 8> kFixedColumns = {
    "model", "symbol", "made_at", "target_time", "horizon", "quantity", "price", "value"};

Quantity QuantityNamed(std::string_view name) {
  for (const Quantity quantity :
       {Quantity::kReturn, Quantity::kLogReturn, Quantity::kPrice, Quantity::kVolatility}) {
    if (Name(quantity) == name) return quantity;
  }
  throw Error(ErrorCode::kBadData, "", fmt::format("unknown quantity \"{}\"", name),
              "known are return, log_return, price, volatility");
}

ForecastTable FromColumns(const ResultTable& rows) {
  ForecastTable table;
  table.model = rows.Column("model", ColumnType::kText).texts;
  table.symbol = rows.Column("symbol", ColumnType::kText).texts;
  table.made_at = rows.Column("made_at", ColumnType::kTimestampMs).integers;
  table.target_time = rows.Column("target_time", ColumnType::kTimestampMs).integers;
  table.horizon = rows.Column("horizon", ColumnType::kInt64).integers;
  table.price = rows.Column("price", ColumnType::kDouble).doubles;
  table.value = rows.Column("value", ColumnType::kDouble).doubles;
  const std::vector<std::string>& quantities = rows.Column("quantity", ColumnType::kText).texts;
  for (const std::string& name : quantities) {
    if (name == quantities.front()) continue;
    throw Error(ErrorCode::kBadData, "",
                fmt::format("forecasts of {} beside forecasts of {}", name, quantities.front()),
                "a table has one quantity");
  }
  if (!quantities.empty()) table.quantity = QuantityNamed(quantities.front());
  for (const ResultColumn& column : rows.columns) {
    const bool is_fixed =
        std::find(kFixedColumns.begin(), kFixedColumns.end(), column.name) != kFixedColumns.end();
    if (is_fixed) continue;
    table.extra.push_back({column.name, rows.Column(column.name, ColumnType::kDouble).doubles});
  }
  return table;
}

}  // namespace

void ForecastTable::Save(const std::filesystem::path& file) const {
  ForecastTable sorted = *this;
  sorted.Sort();
  sorted.Validate();
  const std::vector<std::string> quantities(rows(), std::string(Name(quantity)));
  std::vector<InputColumn> columns = {
      {"model", ColumnType::kText, sorted.model.data()},
      {"symbol", ColumnType::kText, sorted.symbol.data()},
      {"made_at", ColumnType::kTimestampMs, sorted.made_at.data()},
      {"target_time", ColumnType::kTimestampMs, sorted.target_time.data()},
      {"horizon", ColumnType::kInt64, sorted.horizon.data()},
      {"quantity", ColumnType::kText, quantities.data()},
      {"price", ColumnType::kDouble, sorted.price.data()},
      {"value", ColumnType::kDouble, sorted.value.data(), true}};
  for (const Extra& column : sorted.extra) {
    columns.push_back({column.name, ColumnType::kDouble, column.values.data(), true});
  }
  std::error_code ignored;  // a folder that cannot be made shows when the file is written
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), ignored);
  const std::filesystem::path staged = TemporaryBeside(file);
  WriteParquet(Database(), staged, columns, sorted.rows());
  CommitRename(staged, file);
}

ForecastTable ForecastTable::Load(const std::filesystem::path& file) {
  try {
    const ResultTable rows = Database().Query(
        "SELECT * FROM read_parquet(" + SqlText(file.string()) + ")", file.string());
    ForecastTable table = FromColumns(rows);
    table.Validate();
    return table;
  } catch (const Error& error) {
    if (error.where() == file.string() || error.code() == ErrorCode::kInterrupted) throw;
    throw Error(ErrorCode::kBadData, file.string(),
                error.where().empty() ? error.problem() : error.where() + ": " + error.problem(),
                error.remedy());
  }
}

}  // namespace almanac
