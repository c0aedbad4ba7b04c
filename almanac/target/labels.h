// Labels: what really happened after each row, with the interval [t0, t1] that was looked at.
//
// A label is a number, a class, or a vector of numbers with one step a bar:
//   number   `value`; `classes` and `path` are empty
//   class    `value` is 0, 1, ..., an index into `classes`, whose names say what each stands for
//   vector   `steps` > 1; step k = 1..steps of row i is path[i * steps + k - 1], and `value` is the
//            last step, so that whatever understands single numbers sees the label at the horizon
// Rows are either the bars of a series (row i is bar i) or events (t0 is the instant at which the
// event was known); both are joined to features by t0.
#ifndef ALMANAC_TARGET_LABELS_H_
#define ALMANAC_TARGET_LABELS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "almanac/base/time.h"
#include "almanac/market/candle.h"

namespace almanac {

// A row without a label has value NaN (and every step of it) and t1 = t0.
struct Labels {
  std::string name;
  std::string unit;  // "class" for classes
  // A level, such as a price or a volatility, that stays what it was if nothing changes: its naive
  // forecast is the last one known (LastEnded). Else the label is a change, whose naive forecast is
  // none.
  bool is_level = false;
  std::vector<double> value;
  std::vector<TimeMs> t0;  // strictly increasing
  std::vector<TimeMs> t1;  // t1 >= t0
  size_t past_end = 0;     // bars or events without a label because the series ends
  size_t dropped_gap = 0;  // ... because of a gap
  size_t ambiguous = 0;    // labels for which one bar touched both levels (docs/targets.md)
  std::vector<std::string> classes;
  size_t steps = 1;
  std::vector<double> path;

  size_t rows() const { return value.size(); }
  bool has_classes() const { return !classes.empty(); }
  // The steps of row i: one, `value`, unless the label is a vector.
  std::span<const double> vector(size_t i) const {
    return steps == 1 ? std::span(value).subspan(i, 1) : std::span(path).subspan(i * steps, steps);
  }
};

// A row a bar, all without a label.
Labels UnlabelledBars(std::string name, std::string unit, const CandleSeries& series);

// Of each row the value of the label that ends at its t0, which is known then and looked at the
// last equally long time; NaN where no label does. The spans are equally long, a row each.
std::vector<double> LastEnded(std::span<const TimeMs> t0, std::span<const TimeMs> t1,
                              std::span<const double> value);

// Whether the `horizon` bars after bar i exist and, with `drop_gaps`, none is missing among them.
// If not, counts the reason in `labels`.
bool HasHorizon(const CandleSeries& series, size_t i, int64_t horizon, bool drop_gaps,
                Labels* labels);

// Throws Error(kBadData) naming symbol, time and field for a price that is not positive and finite.
void RequireCloses(const CandleSeries& series);
void RequirePrices(const CandleSeries& series);  // open, high, low and close; high >= low too

}  // namespace almanac

#endif  // ALMANAC_TARGET_LABELS_H_
