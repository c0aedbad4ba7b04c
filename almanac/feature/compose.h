// What multiplies families: combinations of two columns, rolling transforms, lags. Inside this
// room.
//
// Transforms of a value x over the last n values (NaN while one of them is):
//   zscore_n    (x[t] - mean(x)) / std(x), std with divisor n - 1, NaN where it is 0; n >= 2
//   rank_n      the average rank of x[t] among the n values / n, in (0, 1]; pandas:
//               rolling(n).rank(pct=True); n <= 10,000
//   position_n  (x[t] - min(x)) / (max(x) - min(x)), NaN where they are equal; n >= 2
//   diff_n      x[t] - x[t-n]
//   change_n    (x[t] - x[t-n]) / |x[t-n]|, NaN where x[t-n] is 0
//   mean_n, min_n, max_n, std_n (divisor n - 1, n >= 2)
#ifndef ALMANAC_FEATURE_COMPOSE_H_
#define ALMANAC_FEATURE_COMPOSE_H_

#include <string>
#include <string_view>
#include <vector>

#include "almanac/feature/feature_set.h"
#include "almanac/feature/graph.h"

namespace almanac {

struct TransformKind {
  std::string_view name;
  std::string_view formula;  // of x and n
  std::string_view unit;     // empty: that of x
  std::string_view range;
  int64_t smallest = 1;
  int64_t largest = FeatureSet::kLargestWindow;
  bool from_before = false;  // reaches n bars back, not n - 1
  KernelGraph::Node (*add)(KernelGraph& graph, const std::string& key, KernelGraph::Node value,
                           int64_t window) = nullptr;
};
const std::vector<TransformKind>& TransformKinds();

// "zscore_100", or several joined by '.': "diff_1.zscore_100"; "none" gives none. Throws
// Error(kUsage) that names what is known.
std::vector<Transform> ParseTransforms(std::string_view text);
void CheckTransform(const Transform& transform);
const TransformKind& KindOf(const Transform& transform);

// The node of a checked specification whose symbols are all named as the frame names them: the
// family's value, combined, transformed and lagged, of the clock of its symbol and timeframe, which
// is the entered one afterwards.
KernelGraph::Node AddSpec(KernelGraph& graph, const FeatureSpec& spec);
ClockKey ClockOf(const FeatureSpec& spec);

}  // namespace almanac

#endif  // ALMANAC_FEATURE_COMPOSE_H_
