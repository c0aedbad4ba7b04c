// The point metrics of parts of the rows: by symbol, by how volatile the market was.
#ifndef ALMANAC_EVALUATE_BREAKDOWN_H_
#define ALMANAC_EVALUATE_BREAKDOWN_H_

#include <cstddef>
#include <vector>

#include "almanac/evaluate/judged_rows.h"
#include "almanac/evaluate/metrics.h"

namespace almanac {

// Symbols in order of their names.
std::vector<GroupResult> EvaluateSymbols(const JudgedRows& rows);

// "calm", "ordinary", "turbulent": each symbol's rows in three equal parts by the volatility that
// was known when the forecast was made (JudgedRows::volatility). Rows without one are left out. The
// thresholds come from the judged rows themselves: the parts describe, they do not select.
std::vector<GroupResult> EvaluateRegimes(const JudgedRows& rows);

// Sets `symbols` (where there are several) and `regimes` of the evaluation of these rows.
void AddBreakdowns(const JudgedRows& rows, Evaluation& evaluation);

}  // namespace almanac

#endif  // ALMANAC_EVALUATE_BREAKDOWN_H_
