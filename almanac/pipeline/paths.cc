#include "almanac/pipeline/paths.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "almanac/lake/database.h"

namespace almanac {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

using Row = std::tuple<std::string, std::string, TimeMs, int64_t>;

Row RowOf(const ForecastTable& table, size_t row) {
  return {table.model[row], table.symbol[row], table.made_at[row], table.horizon[row]};
}

// Of those that are there; NaN if none is.
double MeanOf(const std::vector<double>& values, size_t first, size_t last) {
  double sum = 0, count = 0;
  for (size_t i = first; i < last; ++i) {
    if (std::isnan(values[i])) continue;
    sum += values[i];
    count += 1;
  }
  return count > 0 ? sum / count : kNone;
}

void AppendRow(const ForecastTable& from, size_t row, ForecastTable* to) {
  to->Append({from.model[row], from.symbol[row], from.made_at[row], from.target_time[row],
              from.horizon[row], from.price[row], from.value[row]});
  for (size_t e = 0; e < from.extra.size(); ++e)
    to->extra[e].values.back() = from.extra[e].values[row];
}

ForecastTable EmptyLike(const ForecastTable& table) {
  ForecastTable empty;
  empty.quantity = table.quantity;
  for (const ForecastTable::Extra& extra : table.extra) empty.extra.push_back({extra.name, {}});
  return empty;
}

Json NumberOrNull(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json Numbers(const std::vector<double>& values) {
  Json json = Json::array();
  for (const double value : values) json.push_back(NumberOrNull(value));
  return json;
}

}  // namespace

ForecastTable MeanOfRepeats(ForecastTable table) {
  table.Sort();
  ForecastTable mean = EmptyLike(table);
  for (size_t first = 0; first < table.rows();) {
    size_t last = first + 1;
    while (last < table.rows() && RowOf(table, last) == RowOf(table, first)) ++last;
    AppendRow(table, first, &mean);
    mean.value.back() = MeanOf(table.value, first, last);
    for (size_t e = 0; e < table.extra.size(); ++e) {
      mean.extra[e].values.back() = MeanOf(table.extra[e].values, first, last);
    }
    first = last;
  }
  return mean;
}

std::vector<ForecastTable> PathTables(const std::vector<ForecastTable>& forecasts,
                                      const std::vector<Fold>& folds,
                                      std::span<const TimeMs> times) {
  std::vector<ForecastTable> paths;
  std::map<TimeMs, size_t> tested;  // how many folds before
  for (size_t f = 0; f < folds.size(); ++f) {
    std::map<TimeMs, size_t> path_of;
    for (const uint32_t row : folds[f].test) path_of.emplace(times[row], 0);
    for (auto& [time, path] : path_of) path = tested[time]++;
    std::map<size_t, ForecastTable> parts;
    for (size_t row = 0; row < forecasts[f].rows(); ++row) {
      const size_t path = path_of.at(forecasts[f].made_at[row]);
      const auto part = parts.try_emplace(path, EmptyLike(forecasts[f])).first;
      AppendRow(forecasts[f], row, &part->second);
    }
    for (const auto& [path, part] : parts) {
      paths.resize(std::max(paths.size(), path + 1));
      paths[path].Append(part);
    }
  }
  for (ForecastTable& path : paths) path.Sort();
  return paths;
}

void SavePaths(const std::filesystem::path& file, const std::vector<ForecastTable>& paths) {
  ForecastTable all;
  std::vector<int64_t> number;
  for (size_t p = 0; p < paths.size(); ++p) {
    all.Append(paths[p]);
    number.resize(all.rows(), static_cast<int64_t>(p) + 1);
  }
  std::vector<InputColumn> columns = {
      {"path", ColumnType::kInt64, number.data()},
      {"model", ColumnType::kText, all.model.data()},
      {"symbol", ColumnType::kText, all.symbol.data()},
      {"made_at", ColumnType::kTimestampMs, all.made_at.data()},
      {"target_time", ColumnType::kTimestampMs, all.target_time.data()},
      {"horizon", ColumnType::kInt64, all.horizon.data()},
      {"price", ColumnType::kDouble, all.price.data()},
      {"value", ColumnType::kDouble, all.value.data(), true}};
  for (const ForecastTable::Extra& extra : all.extra) {
    columns.push_back({extra.name, ColumnType::kDouble, extra.values.data(), true});
  }
  DatabaseOptions options;
  options.threads = 1;
  WriteParquet(Database(options), file, columns, all.rows());
}

std::vector<double> PathFigure::Known() const {
  std::vector<double> known;
  for (const double value : values) {
    if (!std::isnan(value)) known.push_back(value);
  }
  return known;
}

double PathFigure::Mean() const { return MeanOf(values, 0, values.size()); }

double PathFigure::Deviation() const {
  const double mean = Mean();
  const std::vector<double> known = Known();
  double squares = 0;
  for (const double value : known) squares += (value - mean) * (value - mean);
  return known.size() > 1 ? std::sqrt(squares / (static_cast<double>(known.size()) - 1)) : kNone;
}

double PathFigure::Least() const {
  const std::vector<double> known = Known();
  return known.empty() ? kNone : *std::min_element(known.begin(), known.end());
}

double PathFigure::Most() const {
  const std::vector<double> known = Known();
  return known.empty() ? kNone : *std::max_element(known.begin(), known.end());
}

double PathFigure::ShareBetter() const {
  double better = 0, compared = 0;
  for (size_t p = 0; p < values.size(); ++p) {
    const double yardstick = naive.empty() ? 0 : naive[p];
    if (std::isnan(values[p]) || std::isnan(yardstick)) continue;
    better += (smaller_is_better ? values[p] < yardstick : values[p] > yardstick) ? 1 : 0;
    compared += 1;
  }
  return compared > 0 ? better / compared : kNone;
}

Json ToJson(const std::vector<PathFigure>& figures) {
  Json json = Json::array();
  for (const PathFigure& figure : figures) {
    json.push_back({{"name", figure.name},
                    {"figure", figure.figure},
                    {"paths", Numbers(figure.values)},
                    {"naive", Numbers(figure.naive)},
                    {"mean", NumberOrNull(figure.Mean())},
                    {"deviation", NumberOrNull(figure.Deviation())},
                    {"least", NumberOrNull(figure.Least())},
                    {"most", NumberOrNull(figure.Most())},
                    {"share_better", NumberOrNull(figure.ShareBetter())}});
  }
  return json;
}

ReportTable PathsTable(const std::string& title, const std::vector<PathFigure>& figures) {
  ReportTable table;
  table.title = title;
  table.note = fmt::format(
      "Each of the {} paths forecasts every row once, by models that did not learn from it.",
      figures.empty() ? 0 : figures.front().values.size());
  const auto add = [&](const char* name, NumberFormat format, const char* hint) {
    table.columns.push_back({name, format, ReportColumn::Better::kNeither, hint});
  };
  add("mean", NumberFormat::kPlain, "over the paths");
  add("deviation", NumberFormat::kPlain, "standard deviation over the paths, divisor n - 1");
  add("least", NumberFormat::kPlain, "of the paths");
  add("most", NumberFormat::kPlain, "of the paths");
  add("better than naive", NumberFormat::kPercent,
      "share of the paths; of an account, on which it is above 0");
  for (const PathFigure& figure : figures) {
    ReportRow row;
    row.label = figure.name + " " + figure.figure;
    for (const double value :
         {figure.Mean(), figure.Deviation(), figure.Least(), figure.Most(), figure.ShareBetter()}) {
      row.cells.push_back({value});
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace almanac
