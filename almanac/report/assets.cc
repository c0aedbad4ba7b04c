#include "almanac/report/assets.h"

extern "C" {
extern const char almanac_report_style[], almanac_report_style_end[];
extern const char almanac_report_script[], almanac_report_script_end[];
extern const char almanac_report_charts[], almanac_report_charts_end[];
}

namespace almanac {

std::string_view ReportStyle() { return {almanac_report_style, almanac_report_style_end}; }
std::string_view ReportScript() { return {almanac_report_script, almanac_report_script_end}; }
std::string_view ChartLibrary() { return {almanac_report_charts, almanac_report_charts_end}; }

}  // namespace almanac
