// A report with every part filled, for tests: a seeded random walk with volatility clustering, a
// naive forecast, a model that knows a little, and accounts that follow from them.
#ifndef ALMANAC_REPORT_SAMPLE_REPORT_H_
#define ALMANAC_REPORT_SAMPLE_REPORT_H_

#include <cstddef>
#include <cstdint>

#include "almanac/report/report.h"

namespace almanac {

// `bars` >= 200: the first three quarters are training and validation, the rest is the test.
ReportData MakeSampleReport(size_t bars = 2400, uint64_t seed = 1);

}  // namespace almanac

#endif  // ALMANAC_REPORT_SAMPLE_REPORT_H_
