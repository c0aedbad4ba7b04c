// The data of the interactive charts as JSON, read by assets/report.js.
#ifndef ALMANAC_REPORT_CHART_DATA_H_
#define ALMANAC_REPORT_CHART_DATA_H_

#include <string>

#include "almanac/report/report.h"

namespace almanac {

// {"markets": [{symbol, timeframe, currency, decimals, views: [{merged, t, o, h, l, c, f: [{model,
// naive, t, p, made, lo?, hi?}]}]}], "equity": {currency, merged, t, curves: [{name, role, e, d}]}}
// Times (t) are seconds since 1970, the first absolute, the others as differences. `made` is how
// many seconds before the end of its bar a forecast was made: one number, or one per forecast.
// Safe inside a <script> element.
std::string ChartData(const ReportData& data, const HtmlOptions& options);

}  // namespace almanac

#endif  // ALMANAC_REPORT_CHART_DATA_H_
