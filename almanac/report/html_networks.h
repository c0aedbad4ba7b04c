// Drawings of the HTML report about networks: forecasts of every step, and what a network with
// attention looked at. Inline SVG, no script.
#ifndef ALMANAC_REPORT_HTML_NETWORKS_H_
#define ALMANAC_REPORT_HTML_NETWORKS_H_

#include <span>
#include <string>

#include "almanac/report/report.h"

namespace almanac {

// One figure a fan: every origin's path over the closes, some of them with their intervals. At most
// `most_bars` bars, the last ones. Nothing for no fans.
std::string FanFigures(std::span<const ReportFan> fans, size_t most_bars = 144);
// For each model its error by step beside naive's, and the interval's coverage by step beside what
// it promises.
std::string StepFigures(std::span<const ReportSteps> models);
// For each model the shares of its inputs as bars, and the attention over the steps as lines.
std::string AttentionFigures(std::span<const ReportAttention> models);

}  // namespace almanac

#endif  // ALMANAC_REPORT_HTML_NETWORKS_H_
