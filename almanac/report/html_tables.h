// The tables of the HTML report. Each function returns a whole block, or nothing for empty input.
#ifndef ALMANAC_REPORT_HTML_TABLES_H_
#define ALMANAC_REPORT_HTML_TABLES_H_

#include <cstddef>
#include <span>
#include <string>

#include "almanac/report/report.h"

namespace almanac {

std::string MetricTableHtml(const ReportTable& table);
std::string HeatTableHtml(const ReportHeatTable& table);
std::string MonthlyReturnsHtml(const ReportMonthlyReturns& returns);
std::string TradesHtml(std::span<const ReportTrade> trades, size_t at_each_end);
std::string ErrorSummaryHtml(std::span<const ReportErrors> errors);
std::string SplitHtml(std::span<const ReportSplit> split);
std::string FeaturesHtml(std::span<const ReportFeature> features);
std::string ModelsHtml(std::span<const ReportModel> models);
std::string AuditHtml(std::span<const SeriesAudit> audits, const std::string& fill);
std::string StagesHtml(std::span<const ReportStage> stages);

}  // namespace almanac

#endif  // ALMANAC_REPORT_HTML_TABLES_H_
