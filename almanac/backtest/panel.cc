#include "almanac/backtest/panel.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "almanac/base/error.h"

namespace almanac {
namespace {

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
    merged.clear();
    merged.reserve(all.size() + one->size());
    std::set_union(all.begin(), all.end(), one->open_time.begin(), one->open_time.end(),
                   std::back_inserter(merged));
    all.swap(merged);
  }
  return all;
}

void FillColumn(const CandleSeries& series, size_t symbol, PanelBars& panel) {
  size_t row = 0;
  for (size_t i = 0; i < series.size(); ++i) {
    while (panel.time[row] < series.open_time[i]) ++row;
    const double open = series.open[i], close = series.close[i];
    if (!(open > 0 && close > 0) || !std::isfinite(open) || !std::isfinite(close)) {
      throw Error(ErrorCode::kBadData,
                  fmt::format("{} {}", ToString(series.key), FormatTime(series.open_time[i])),
                  fmt::format("open {}, close {}", open, close),
                  "prices above 0 are needed; audit the series");
    }
    panel.open.At(row, symbol) = open;
    panel.close.At(row, symbol) = close;
    panel.volume.At(row, symbol) = series.volume[i];
    panel.last_bar[symbol] = row;
  }
}

}  // namespace

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
  panel.open = panel.close = panel.volume = PanelGrid(panel.size(), symbols);
  panel.last_bar.assign(symbols, 0);
  for (size_t s = 0; s < symbols; ++s) {
    panel.symbols.push_back(sorted[s]->key.symbol);
    FillColumn(*sorted[s], s, panel);
  }
  panel.mark = panel.close;
  for (size_t row = 1; row < panel.size(); ++row) {
    for (size_t s = 0; s < symbols; ++s) {
      if (std::isnan(panel.mark.At(row, s))) panel.mark.At(row, s) = panel.mark.At(row - 1, s);
    }
  }
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
