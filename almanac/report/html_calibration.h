// Drawings of the HTML report that show whether probabilities mean what they say, as inline SVG.
#ifndef ALMANAC_REPORT_HTML_CALIBRATION_H_
#define ALMANAC_REPORT_HTML_CALIBRATION_H_

#include <span>
#include <string>

#include "almanac/report/report.h"

namespace almanac {

// One histogram a model: the share of what happened between successive quantiles, divided by the
// share of a calibrated forecast, which is 1 everywhere. Nothing for no models.
std::string PitFigures(std::span<const ReportPit> models);
// One diagram a model and class: how often the class happened against its forecast probability; a
// calibrated forecast lies on the diagonal.
std::string ReliabilityFigures(std::span<const ReportReliability> diagrams);

}  // namespace almanac

#endif  // ALMANAC_REPORT_HTML_CALIBRATION_H_
