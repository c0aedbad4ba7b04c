// The triple-barrier method (M. López de Prado, "Advances in Financial Machine Learning", Wiley
// 2018, chapter 3): profit-taking and stop-loss barriers scaled by volatility, and a time limit.
//
// sigma[i] is the exponentially weighted standard deviation of the one-bar returns
// close[j] / close[j-1] - 1, j <= i, as pandas' ewm(span=S).std() (snippet 3.1, with bars in the
// place of days): weights (1-a)^(i-j), a = 2 / (S + 1), unbiased. Rows with fewer than S returns
// before them, or with sigma 0, have no label.
//   upper barrier  close[i] * (1 + upper * sigma[i])     (upper = 0: none)
//   lower barrier  close[i] * (1 - lower * sigma[i])     (lower = 0: none)
//   vertical       bar i + h
// `touch` says what touches a barrier: the bars' highs and lows, ordered as in first_touch.h, or
// closes alone, as in the book. Classes: 0 "down" if the lower barrier is touched first, 2 "up" if
// the upper is. At the vertical barrier the class is 1 "neither" or, with at_vertical: sign, that
// of the return there (snippet 3.5), "neither" if it is 0. t1 is KnownAt of the bar that touched,
// or KnownAt(i + h). A row whose horizon ends after the last bar has no label even if a barrier was
// touched.
#ifndef ALMANAC_TARGET_TRIPLE_BARRIER_H_
#define ALMANAC_TARGET_TRIPLE_BARRIER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "almanac/market/candle.h"
#include "almanac/target/fields.h"
#include "almanac/target/first_touch.h"
#include "almanac/target/labels.h"

namespace almanac {

struct TripleBarrierSpec {
  static constexpr const char* kKind = "triple_barrier";
  enum class TouchBy { kHighLow, kClose };
  enum class AtVertical { kNeither, kSign };

  double upper = 1, lower = 1;  // in sigmas; 0: there is no such barrier
  int64_t horizon = 24;         // bars
  int64_t volatility_span = 100;
  TouchBy touch = TouchBy::kHighLow;
  AtVertical at_vertical = AtVertical::kNeither;
  SameBar same_bar = SameBar::kNearestToOpen;
  bool drop_gaps = false;

  void VisitFields(FieldVisitor& fields);
  std::string ColumnName() const;  // "triple_barrier_1_1_24"
  std::vector<std::string> Classes() const;
  friend bool operator==(const TripleBarrierSpec&, const TripleBarrierSpec&) = default;
};

// sigma, one value a bar, NaN before `span` returns are known.
std::vector<double> ReturnVolatility(const CandleSeries& series, int64_t span);

// Throws Error(kUsage) for fields out of range, Error(kBadData) for bad prices.
Labels BuildLabels(const TripleBarrierSpec& spec, const CandleSeries& series);

}  // namespace almanac

#endif  // ALMANAC_TARGET_TRIPLE_BARRIER_H_
