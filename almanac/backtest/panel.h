// Many symbols side by side: their bars on one time axis, and the forecasts of one model for them.
//
// Times are open times in UTC; a cell where a symbol has no bar (or no forecast) is NaN.
#ifndef ALMANAC_BACKTEST_PANEL_H_
#define ALMANAC_BACKTEST_PANEL_H_

#include <cstddef>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "almanac/base/time.h"
#include "almanac/forecast/table.h"
#include "almanac/market/candle.h"
#include "almanac/market/timeframe.h"

namespace almanac {

// Leaves numbers that are not given unset: for arrays that are written whole.
template <typename T>
struct UnsetAllocator : std::allocator<T> {
  template <typename U>
  struct rebind {
    using other = UnsetAllocator<U>;
  };
  template <typename U>
  void construct(U* place) {
    ::new (static_cast<void*>(place)) U;
  }
  template <typename U, typename... Values>
  void construct(U* place, Values&&... values) {
    ::new (static_cast<void*>(place)) U(std::forward<Values>(values)...);
  }
};

// Rows are bars or instants, columns are symbols; a row lies together.
class PanelGrid {
 public:
  PanelGrid() = default;
  // Every cell has to be written.
  static PanelGrid Unset(size_t rows, size_t columns);
  PanelGrid(size_t rows, size_t columns)
      : columns_(columns), cells_(rows * columns, std::numeric_limits<double>::quiet_NaN()) {}
  double& At(size_t row, size_t column) { return cells_[row * columns_ + column]; }
  double At(size_t row, size_t column) const { return cells_[row * columns_ + column]; }
  std::span<const double> Row(size_t row) const {
    return std::span(cells_).subspan(row * columns_, columns_);
  }

 private:
  size_t columns_ = 0;
  std::vector<double, UnsetAllocator<double>> cells_;
};

struct PanelBars {
  Timeframe timeframe;
  std::vector<std::string> symbols;  // sorted
  std::vector<TimeMs> time;          // every open time that any symbol has
  PanelGrid open, close, volume;
  PanelGrid mark;                // the last close so far
  std::vector<size_t> last_bar;  // of each symbol: the row of its last bar

  size_t size() const { return time.size(); }
  TimeMs KnownAt(size_t bar) const { return time[bar] + timeframe.duration(); }
  size_t FirstBarAt(TimeMs instant) const;  // the first that opens at or after it, else size()
  bool Trades(size_t bar, size_t symbol) const;
};

// Throws Error(kUsage) for no series, two of one symbol or several timeframes; Error(kBadData) for
// an open or close that is not positive and finite.
PanelBars AlignPanel(std::span<const CandleSeries* const> series);

// The forward returns that one model forecasts, at one horizon.
struct PanelForecasts {
  std::vector<TimeMs> made_at;  // increasing
  TimeMs last_target = 0;
  PanelGrid value;  // a row an instant, a column a symbol of the bars
};
// Throws Error(kUsage) if the table has no row of the model at the horizon, Error(kBadData) for a
// symbol that is not among `symbols`.
PanelForecasts AlignForecasts(const ForecastTable& table, std::string_view model, int64_t horizon,
                              std::span<const std::string> symbols);

}  // namespace almanac

#endif  // ALMANAC_BACKTEST_PANEL_H_
