// The files under assets/ and the chart library, as they are inside the program (see assets.S).
#ifndef ALMANAC_REPORT_ASSETS_H_
#define ALMANAC_REPORT_ASSETS_H_

#include <string_view>

namespace almanac {

std::string_view ReportStyle();   // assets/report.css
std::string_view ReportScript();  // assets/report.js
std::string_view ChartLibrary();  // lightweight-charts, with its licence comment

}  // namespace almanac

#endif  // ALMANAC_REPORT_ASSETS_H_
