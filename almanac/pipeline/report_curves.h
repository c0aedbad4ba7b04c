// What a report draws of forecasts, from the tables and manifests that a run has.
#ifndef ALMANAC_PIPELINE_REPORT_CURVES_H_
#define ALMANAC_PIPELINE_REPORT_CURVES_H_

#include <cstdint>
#include <optional>
#include <string>

#include "almanac/base/json.h"
#include "almanac/evaluate/table_evaluation.h"
#include "almanac/forecast/table.h"
#include "almanac/market/candle.h"
#include "almanac/pipeline/recipe.h"
#include "almanac/report/report.h"

namespace almanac {

// The lowest and the highest of the table's quantiles; both null if it has fewer than two.
struct QuantileEnds {
  const ForecastTable::Extra* low = nullptr;
  const ForecastTable::Extra* high = nullptr;
};
QuantileEnds WidestInterval(const ForecastTable& table);

ForecastTable RowsAtHorizon(const ForecastTable& table, int64_t horizon);

// Of the rows of one symbol at the target's horizon, in prices.
ReportForecast ForecastCurve(const ForecastTable& all, const std::string& symbol,
                             const ModelSection& model, int64_t horizon);

// Every origin's forecasts of all steps, in prices, of the symbol of `bars`; the table is of one
// model and sorted. Of the bars those from the first origin on.
ReportFan FanOf(const ForecastTable& table, const CandleSeries& bars, const std::string& currency);

// The first model's errors and the coverage of its widest interval at every horizon.
ReportSteps StepsOf(const TableEvaluation& evaluation, const std::string& currency);

// What a network says in training.json that it looked at; nothing of other models. Of a model
// inside another one (conformal), the inner's.
std::optional<ReportAttention> AttentionOf(const std::string& model, const Json& learnt);

}  // namespace almanac

#endif  // ALMANAC_PIPELINE_REPORT_CURVES_H_
