#include "almanac/report/assets.h"

extern "C" {
extern const char kAlmanacReportStyle[], kAlmanacReportStyleEnd[];
extern const char kAlmanacReportScript[], kAlmanacReportScriptEnd[];
extern const char kAlmanacReportCharts[], kAlmanacReportChartsEnd[];
}

namespace almanac {

std::string_view ReportStyle() { return {kAlmanacReportStyle, kAlmanacReportStyleEnd}; }
std::string_view ReportScript() { return {kAlmanacReportScript, kAlmanacReportScriptEnd}; }
std::string_view ChartLibrary() { return {kAlmanacReportCharts, kAlmanacReportChartsEnd}; }

}  // namespace almanac
