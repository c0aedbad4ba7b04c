// Where a symbol stands among all symbols of a panel at the same time.
//
// A panel is a table for each symbol, of the same columns, whose histories may begin, pause and end
// when they like. A cross-section at time T is made of the symbols that have a row at T and whose
// value is known there; a row of history and the live row go through the same PanelRow.
//
//   rank    the average rank of the value among the known ones / their number, in (0, 1]; pandas:
//           groupby(time).rank(pct=True)
//   zscore  (value - mean) / standard deviation with divisor n - 1, n the number of known values;
//           NaN where the deviation is 0 or n is 1
//
// Each symbol's row at T is known at T, so the new columns are known when the last of the symbols'
// bars at T is.
#ifndef ALMANAC_FEATURE_PANEL_H_
#define ALMANAC_FEATURE_PANEL_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/feature/build.h"

namespace almanac {

enum class CrossSection { kRank, kZScore };
std::string_view Name(CrossSection kind);  // "rank", "zscore"

// Of the values of one column at one time, one a symbol (NaN: no row, or not known); NaN goes to
// NaN. `out` has a place for each and may be `values`.
void StandAmong(CrossSection kind, std::span<const float> values, std::span<float> out);

// One time of a panel, for history and for the live bar alike.
class PanelRow {
 public:
  // Of these columns of the symbols' rows.
  PanelRow(CrossSection kind, std::vector<size_t> columns);

  // `rows[s]`: the row of symbol s, empty where it has none at this time. Gives for each symbol and
  // each of the columns where it stands, `columns` values a symbol; valid until the next call.
  std::span<const float> Step(std::span<const std::span<const float>> rows);

 private:
  CrossSection kind_;
  std::vector<size_t> columns_;
  std::vector<float> values_, out_;
};

// Appends to every table a column "NAME_among_rank" (or "..._zscore") for each of `columns`. Throws
// Error(kUsage) for a column that a table lacks or tables of different columns.
void AppendCrossSection(CrossSection kind, const std::vector<std::string>& columns,
                        std::vector<FeatureTable>& tables);

}  // namespace almanac

#endif  // ALMANAC_FEATURE_PANEL_H_
