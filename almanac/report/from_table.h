// Parts of a report from the evaluation of a whole forecast table: quantiles, classes, rankings,
// models beside each other, breakdowns.
#ifndef ALMANAC_REPORT_FROM_TABLE_H_
#define ALMANAC_REPORT_FROM_TABLE_H_

#include <span>
#include <string>
#include <vector>

#include "almanac/evaluate/table_evaluation.h"
#include "almanac/report/report.h"

namespace almanac {

// Each throws Error(kUsage) for nothing to show. Naive is the last row.
ReportTable QuantilesTable(std::span<const QuantileEvaluation> evaluations);
ReportTable ClassesTable(std::span<const ClassEvaluation> evaluations);
// A row a class of one model: how often it happened, average precision, AUC, precision, recall.
ReportTable ClassDetailTable(const ClassEvaluation& evaluation);
// Rows are what happened, columns what was most probable.
ReportTable ConfusionTable(const ClassEvaluation& evaluation);
ReportTable RankingTable(std::span<const ModelRanking> rankings);
ReportTable BucketTable(std::span<const ModelRanking> rankings);
// Loss, Diebold-Mariano against naive, stepwise p-value, p-value in the confidence set.
ReportTable ComparisonTable(const Comparison& comparison, double significance = 0.05);
// The p-values of all pairs; a cell is better where the row's model has the smaller loss.
ReportTable PairsTable(const Comparison& comparison, double significance = 0.05);

// A row a step: errors in prices beside naive's, and the interval's coverage if there is one.
ReportTable StepsTable(const ReportSteps& model);

ReportPit PitOf(const QuantileEvaluation& evaluation);
std::vector<ReportReliability> ReliabilityOf(const ClassEvaluation& evaluation);

// Log loss, accuracy, AUC and average precision, each beside the classes' frequencies.
std::vector<ReportKeyFigure> KeyFiguresOf(const ClassEvaluation& evaluation);

// One metric over the groups of the evaluations ("symbol", "volatility"), naive last.
ReportHeatTable GroupsTable(std::span<const Evaluation> evaluations, const std::string& by,
                            std::vector<GroupResult> Evaluation::*groups, Space space,
                            Metric metric);
// The same over horizons: evaluations of one model set each.
ReportHeatTable HorizonsTable(std::span<const HorizonEvaluation> horizons, Space space,
                              Metric metric);

// All of it as a report: verdicts, tables, figures. Titles name the horizon where there are
// several.
ReportData ReportOf(const TableEvaluation& evaluation, const std::string& title,
                    double significance = 0.05);

}  // namespace almanac

#endif  // ALMANAC_REPORT_FROM_TABLE_H_
