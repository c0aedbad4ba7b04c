#include "almanac/backtest/panel.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "almanac/backtest/large_pages.h"
#include "almanac/base/error.h"
#include "almanac/base/parallel.h"

namespace almanac {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::vector<const CandleSeries*> SortedBySymbol(std::span<const CandleSeries* const> series) {
  std::vector<const CandleSeries*> sorted(series.begin(), series.end());
  std::sort(sorted.begin(), sorted.end(), [](const CandleSeries* a, const CandleSeries* b) {
    return a->key.symbol < b->key.symbol;
  });
  if (sorted.empty()) {
    throw Error(ErrorCode::kUsage, "panel", "no symbols", "give the bars of at least one");
  }
  for (size_t i = 1; i < sorted.size(); ++i) {
    if (sorted[i]->key.symbol == sorted[i - 1]->key.symbol) {
      throw Error(ErrorCode::kUsage, "panel", sorted[i]->key.symbol + " comes twice",
                  "give every symbol once");
    }
    if (sorted[i]->key.timeframe != sorted[0]->key.timeframe) {
      throw Error(ErrorCode::kUsage, "panel",
                  ToString(sorted[i]->key) + " beside " + ToString(sorted[0]->key),
                  "all symbols have one timeframe");
    }
  }
  return sorted;
}

std::vector<TimeMs> UnionOfTimes(std::span<const CandleSeries* const> series) {
  std::vector<TimeMs> all, merged;
  for (const CandleSeries* one : series) {
    if (one->open_time == all) continue;  // most symbols trade on the same days
    merged.clear();
    merged.reserve(all.size() + one->size());
    std::set_union(all.begin(), all.end(), one->open_time.begin(), one->open_time.end(),
                   std::back_inserter(merged));
    all.swap(merged);
  }
  return all;
}

void CheckPrices(const CandleSeries& series) {
  constexpr double kMost = std::numeric_limits<double>::max();
  int64_t fine = 0;
  for (size_t i = 0; i < series.size(); ++i) {
    int64_t one = series.open[i] > 0 ? 1 : 0;
    one = series.open[i] <= kMost ? one : 0;
    one = series.close[i] > 0 ? one : 0;
    one = series.close[i] <= kMost ? one : 0;
    fine += one;
  }
  if (fine == static_cast<int64_t>(series.size())) return;
  for (size_t i = 0; i < series.size(); ++i) {
    const double open = series.open[i], close = series.close[i];
    if (open > 0 && close > 0 && std::isfinite(open) && std::isfinite(close)) continue;
    throw Error(ErrorCode::kBadData,
                fmt::format("{} {}", ToString(series.key), FormatTime(series.open_time[i])),
                fmt::format("open {}, close {}", open, close),
                "prices above 0 are needed; audit the series");
  }
}

// The grids are filled in tiles, one after the other: the cells of 8 symbols in a row are one cache
// line, and the lines of so many rows of one grid stay in a first-level cache, although rows that
// lie as far apart as ours share few of its sets. Column by column every line would be fetched once
// a symbol.
constexpr size_t kTileSymbols = 8, kTileRows = 64;

// One symbol's way down the rows.
struct Column {
  const CandleSeries* series;
  bool whole;  // a bar in every row
  size_t next = 0;
  double mark = kNan;
};

// The rows [from, to) of the symbols from `first` on that have a bar in every row.
void FillWhole(std::span<const Column> columns, std::vector<double> CandleSeries::*field,
               size_t from, size_t to, size_t first, PanelGrid& grid) {
  for (size_t s = 0; s < columns.size(); ++s) {
    if (!columns[s].whole) continue;
    const double* values = (columns[s].series->*field).data();
    for (size_t row = from; row < to; ++row) grid.At(row, first + s) = values[row];
  }
}

void FillWithGaps(Column& way, size_t from, size_t to, size_t column, PanelBars& panel) {
  const CandleSeries& series = *way.series;
  for (size_t row = from; row < to; ++row) {
    const size_t bar = way.next;
    const bool trades = bar < series.size() && series.open_time[bar] == panel.time[row];
    panel.open.At(row, column) = trades ? series.open[bar] : kNan;
    panel.close.At(row, column) = trades ? series.close[bar] : kNan;
    panel.volume.At(row, column) = trades ? series.volume[bar] : kNan;
    if (trades) {
      way.mark = series.close[bar];
      panel.last_bar[column] = row;
      ++way.next;
    }
    panel.mark.At(row, column) = way.mark;
  }
}

void FillGroup(std::span<const CandleSeries* const> series, size_t first, PanelBars& panel) {
  std::vector<Column> columns;
  for (const CandleSeries* one : series) columns.push_back({one, one->open_time == panel.time});
  for (size_t from = 0; from < panel.size(); from += kTileRows) {
    const size_t to = std::min(from + kTileRows, panel.size());
    FillWhole(columns, &CandleSeries::open, from, to, first, panel.open);
    FillWhole(columns, &CandleSeries::close, from, to, first, panel.close);
    FillWhole(columns, &CandleSeries::volume, from, to, first, panel.volume);
    FillWhole(columns, &CandleSeries::close, from, to, first, panel.mark);
    for (size_t s = 0; s < columns.size(); ++s) {
      if (columns[s].whole) {
        panel.last_bar[first + s] = panel.size() - 1;
      } else {
        FillWithGaps(columns[s], from, to, first + s, panel);
      }
    }
  }
}

}  // namespace

PanelGrid PanelGrid::Unset(size_t rows, size_t columns) {
  PanelGrid grid;
  grid.columns_ = columns;
  ReserveLarge(grid.cells_, rows * columns);
  grid.cells_.resize(rows * columns);
  return grid;
}

size_t PanelBars::FirstBarAt(TimeMs instant) const {
  return static_cast<size_t>(std::lower_bound(time.begin(), time.end(), instant) - time.begin());
}

bool PanelBars::Trades(size_t bar, size_t symbol) const {
  return !std::isnan(open.At(bar, symbol));
}

PanelBars AlignPanel(std::span<const CandleSeries* const> series) {
  const std::vector<const CandleSeries*> sorted = SortedBySymbol(series);
  PanelBars panel;
  panel.timeframe = sorted[0]->key.timeframe;
  panel.time = UnionOfTimes(sorted);
  const size_t symbols = sorted.size();
  for (PanelGrid* grid : {&panel.open, &panel.close, &panel.volume, &panel.mark}) {
    *grid = PanelGrid::Unset(panel.size(), symbols);
  }
  panel.last_bar.assign(symbols, 0);
  for (const CandleSeries* one : sorted) {
    panel.symbols.push_back(one->key.symbol);
    CheckPrices(*one);
  }
  ParallelFor((symbols + kTileSymbols - 1) / kTileSymbols, [&](size_t group) {
    const size_t first = group * kTileSymbols;
    const size_t count = std::min(kTileSymbols, symbols - first);
    FillGroup(std::span(sorted).subspan(first, count), first, panel);
  });
  return panel;
}

PanelForecasts AlignForecasts(const ForecastTable& table, std::string_view model, int64_t horizon,
                              std::span<const std::string> symbols) {
  PanelForecasts forecasts;
  std::vector<size_t> rows;
  for (size_t i = 0; i < table.rows(); ++i) {
    if (table.model[i] != model || table.horizon[i] != horizon) continue;
    rows.push_back(i);
    forecasts.made_at.push_back(table.made_at[i]);
    forecasts.last_target = std::max(forecasts.last_target, table.target_time[i]);
  }
  if (rows.empty()) {
    throw Error(ErrorCode::kUsage, "panel",
                fmt::format("no forecasts of {} for {} bars", model, horizon),
                "widen the test period");
  }
  std::sort(forecasts.made_at.begin(), forecasts.made_at.end());
  const auto end = std::unique(forecasts.made_at.begin(), forecasts.made_at.end());
  forecasts.made_at.erase(end, forecasts.made_at.end());
  forecasts.value = PanelGrid(forecasts.made_at.size(), symbols.size());
  const std::vector<double> returns = table.Returns();
  for (const size_t i : rows) {
    const auto symbol = std::lower_bound(symbols.begin(), symbols.end(), table.symbol[i]);
    if (symbol == symbols.end() || *symbol != table.symbol[i]) {
      throw Error(ErrorCode::kBadData, "panel", "forecasts of " + table.symbol[i] + " without bars",
                  "give the bars of every symbol");
    }
    const auto instant =
        std::lower_bound(forecasts.made_at.begin(), forecasts.made_at.end(), table.made_at[i]);
    forecasts.value.At(static_cast<size_t>(instant - forecasts.made_at.begin()),
                       static_cast<size_t>(symbol - symbols.begin())) = returns[i];
  }
  return forecasts;
}

}  // namespace almanac
