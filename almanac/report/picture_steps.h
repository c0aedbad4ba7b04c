// The picture of forecasts of every step: the fan of all origins, errors and coverage by step.
#ifndef ALMANAC_REPORT_PICTURE_STEPS_H_
#define ALMANAC_REPORT_PICTURE_STEPS_H_

#include <cstddef>
#include <string>

#include "almanac/report/picture_script.h"
#include "almanac/report/report.h"

namespace almanac {

// The fan has at least two bars and an origin. `steps` may be empty: only the fan is drawn then.
void AddStepsPicture(Script& script, const ReportFan& fan, const ReportSteps& steps,
                     const std::string& file, size_t width);

}  // namespace almanac

#endif  // ALMANAC_REPORT_PICTURE_STEPS_H_
