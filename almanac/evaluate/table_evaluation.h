// Everything that can be said about a forecast table: for each horizon every model beside naive,
// its quantiles, its class probabilities, its ranking of symbols, and the models beside each other.
#ifndef ALMANAC_EVALUATE_TABLE_EVALUATION_H_
#define ALMANAC_EVALUATE_TABLE_EVALUATION_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "almanac/base/json.h"
#include "almanac/evaluate/class_metrics.h"
#include "almanac/evaluate/comparison.h"
#include "almanac/evaluate/cross_section.h"
#include "almanac/evaluate/judged_rows.h"
#include "almanac/evaluate/metrics.h"
#include "almanac/evaluate/quantile_metrics.h"
#include "almanac/forecast/table.h"
#include "almanac/market/candle.h"
#include "almanac/target/any_target.h"

namespace almanac {

struct TableOptions {
  // Made where the table has no such model: "no change", of a volatility that of the last equally
  // long time.
  std::string naive = "naive";
  BootstrapOptions bootstrap = {};
  double significance = 0.05;
  CrossSectionOptions cross_section = {};
  // What the columns p_CLASS forecast; its labels have classes. None: such columns are refused.
  std::optional<AnyTarget> class_target = std::nullopt;
  // The naive forecast of its classes; empty: their frequencies (NaiveFrequencies) among the
  // outcomes known before the first forecast.
  std::vector<double> naive_frequencies = {};
};

struct ModelRanking {
  std::string model;
  CrossSection ranking;
};

// Of rows in order of time and symbol; none where fewer symbols than options.fewest are ranked at
// all but one instant, and of volatilities, whose order nobody is paid for.
std::optional<ModelRanking> RankSymbols(const std::string& model, const JudgedRows& rows,
                                        const CrossSectionOptions& options);

struct HorizonEvaluation {
  int64_t horizon = 1;
  std::vector<Evaluation> models;  // of those that give values, but the naive one
  std::vector<QuantileEvaluation> quantiles;
  std::vector<ClassEvaluation> classes;
  std::vector<ModelRanking> rankings;  // where enough symbols are forecast at one instant
  std::optional<Comparison> comparison;
};

struct TableEvaluation {
  std::vector<HorizonEvaluation> horizons;
  std::vector<std::string> symbols;
  // What could not be judged, and why: sentences.
  std::vector<std::string> notes;
};

// `series`: the bars of every symbol in the table. The naive distribution, the naive frequencies
// and the scale of mase come from outcomes known before the first forecast. Throws as JoinOutcomes
// and the metrics do; Error(kUsage) for class columns without a target that has those classes, for
// a table without rows.
TableEvaluation EvaluateTable(const ForecastTable& table, std::span<const CandleSeries> series,
                              const TableOptions& options);

// An object with a key a model.
Json ToJson(const std::vector<ModelRanking>& rankings);
Json ToJson(const TableEvaluation& evaluation);

}  // namespace almanac

#endif  // ALMANAC_EVALUATE_TABLE_EVALUATION_H_
