// Drawings of the HTML report that need no script: histograms of errors as inline SVG.
#ifndef ALMANAC_REPORT_HTML_PLOTS_H_
#define ALMANAC_REPORT_HTML_PLOTS_H_

#include <span>
#include <string>
#include <vector>

#include "almanac/report/report.h"

namespace almanac {

// One figure per model: histogram, the normal curve of the same mean and deviation, the 5%, 50% and
// 95% quantiles, and the outline of the naive forecast's errors behind it. All have the same axes.
std::string ErrorFigures(std::span<const ReportErrors> errors, std::string_view currency);

// About `count` round numbers (1, 2 or 5 times a power of ten apart) within [low, high].
std::vector<double> Ticks(double low, double high, int count);

}  // namespace almanac

#endif  // ALMANAC_REPORT_HTML_PLOTS_H_
