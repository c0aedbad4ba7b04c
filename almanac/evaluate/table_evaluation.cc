#include "almanac/evaluate/table_evaluation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "almanac/base/error.h"
#include "almanac/base/text.h"
#include "almanac/evaluate/breakdown.h"
#include "almanac/forecast/baseline.h"

namespace almanac {
namespace {

constexpr size_t kFewestOutcomes = 30;  // before the forecasts, for a naive distribution

// At one horizon.
struct Outcomes {
  std::vector<Labels> labels;  // volatilities or returns, a symbol each
  std::vector<SymbolOutcome> symbols;
};

// What a table of this quantity is judged by.
Labels LabelsFor(Quantity quantity, const CandleSeries& bars, int64_t horizon) {
  if (quantity == Quantity::kVolatility) return BuildLabels(VolatilitySpec{horizon}, bars);
  TargetSpec spec;
  spec.horizon = horizon;
  return BuildLabels(spec, bars);
}

Outcomes OutcomesAt(std::span<const CandleSeries> series, Quantity quantity, int64_t horizon) {
  Outcomes outcomes;
  for (const CandleSeries& bars : series) {
    outcomes.labels.push_back(LabelsFor(quantity, bars, horizon));
  }
  const Quantity judged =
      quantity == Quantity::kVolatility ? Quantity::kVolatility : Quantity::kReturn;
  for (size_t s = 0; s < series.size(); ++s) {
    outcomes.symbols.push_back({&series[s], &outcomes.labels[s], judged});
  }
  return outcomes;
}

// The naive forecasts of a table's quantity; what they need of the bars is made on first use.
class NaiveForecasts {
 public:
  NaiveForecasts(Quantity quantity, std::span<const CandleSeries> series)
      : quantity_(quantity), series_(series) {}

  // NaN where it is not known, as of a volatility before a whole horizon has passed.
  double Of(const Forecast& forecast) {
    if (quantity_ == Quantity::kPrice) return forecast.price;
    if (quantity_ != Quantity::kVolatility) return 0;
    const auto [found, is_new] = last_.try_emplace({forecast.symbol, forecast.horizon});
    std::map<TimeMs, double>& last = found->second;
    if (is_new) {
      for (const CandleSeries& bars : series_) {
        if (bars.key.symbol != forecast.symbol) continue;
        const Labels labels = LabelsFor(quantity_, bars, forecast.horizon);
        const std::vector<double> ended = LastEnded(labels.t0, labels.t1, labels.value);
        for (size_t i = 0; i < ended.size(); ++i) last.emplace(labels.t0[i], ended[i]);
      }
    }
    const auto known = last.find(forecast.made_at);
    return known == last.end() ? std::numeric_limits<double>::quiet_NaN() : known->second;
  }

 private:
  Quantity quantity_;
  std::span<const CandleSeries> series_;
  std::map<std::pair<std::string, int64_t>, std::map<TimeMs, double>> last_;
};

// The rows that give a value, beside a naive forecast of every one of which there is one.
ForecastTable WithNaive(const ForecastTable& table, const std::string& naive,
                        std::span<const CandleSeries> series) {
  ForecastTable result;
  result.quantity = table.quantity;
  std::set<std::tuple<std::string, TimeMs, int64_t>> known;
  std::vector<Forecast> made;
  for (size_t row = 0; row < table.rows(); ++row) {
    if (std::isnan(table.value[row])) continue;
    Forecast forecast{table.model[row],       table.symbol[row],  table.made_at[row],
                      table.target_time[row], table.horizon[row], table.price[row],
                      table.value[row]};
    if (forecast.model == naive) {
      known.emplace(forecast.symbol, forecast.made_at, forecast.horizon);
    } else {
      made.push_back(forecast);
    }
    result.Append(forecast);
  }
  NaiveForecasts forecasts(table.quantity, series);
  for (Forecast& forecast : made) {
    if (!known.emplace(forecast.symbol, forecast.made_at, forecast.horizon).second) continue;
    forecast.model = naive;
    forecast.value = forecasts.Of(forecast);
    if (std::isnan(forecast.value)) continue;
    result.Append(forecast);
  }
  result.Sort();
  return result;
}

// The outcomes of a symbol that were known at `before`.
std::vector<double> KnownOutcomes(const Labels& labels, TimeMs before) {
  std::vector<double> known;
  for (size_t i = 0; i < labels.rows(); ++i) {
    if (labels.t1[i] <= before && !std::isnan(labels.value[i])) known.push_back(labels.value[i]);
  }
  return known;
}

size_t LabelAt(const Labels& labels, TimeMs made_at) {
  const auto found = std::lower_bound(labels.t0.begin(), labels.t0.end(), made_at);
  if (found == labels.t0.end() || *found != made_at) return labels.rows();
  const auto row = static_cast<size_t>(found - labels.t0.begin());
  return std::isnan(labels.value[row]) ? labels.rows() : row;
}

// The rows of one model at one horizon, in order of time and symbol.
std::vector<size_t> RowsOf(const ForecastTable& table, const std::string& model, int64_t horizon) {
  std::vector<size_t> rows;
  for (size_t row = 0; row < table.rows(); ++row) {
    if (table.model[row] == model && table.horizon[row] == horizon) rows.push_back(row);
  }
  std::stable_sort(rows.begin(), rows.end(), [&](size_t a, size_t b) {
    return std::tie(table.made_at[a], table.symbol[a]) <
           std::tie(table.made_at[b], table.symbol[b]);
  });
  return rows;
}

// The columns that every one of the rows has, or none.
std::vector<const ForecastTable::Extra*> ColumnsGiven(const ForecastTable& table,
                                                      const std::vector<size_t>& rows,
                                                      std::string_view prefix) {
  std::vector<const ForecastTable::Extra*> given;
  for (const ForecastTable::Extra& extra : table.extra) {
    const bool probability = extra.name.starts_with("p_");
    if (probability != (prefix == "p_")) continue;
    const bool any = std::any_of(rows.begin(), rows.end(),
                                 [&](size_t row) { return !std::isnan(extra.values[row]); });
    if (any) given.push_back(&extra);
  }
  return given;
}

class Judge {
 public:
  Judge(const ForecastTable& table, std::span<const CandleSeries> series,
        const TableOptions& options)
      : table_(table),
        series_(series),
        options_(options),
        values_(WithNaive(table, options.naive, series)) {
    for (size_t s = 0; s < series.size(); ++s) place_[series[s].key.symbol] = s;
    for (const std::string& symbol : table.symbol) {
      if (place_.contains(symbol)) continue;
      throw Error(ErrorCode::kUsage, "forecast table", fmt::format("no outcomes of {}", symbol),
                  "pass the bars of every symbol in it");
    }
    first_made_at_ = *std::min_element(table.made_at.begin(), table.made_at.end());
  }

  TableEvaluation Run() {
    TableEvaluation evaluation;
    for (const auto& [symbol, place] : place_) evaluation.symbols.push_back(symbol);
    const std::set<int64_t> horizons(table_.horizon.begin(), table_.horizon.end());
    for (const int64_t horizon : horizons) {
      evaluation.horizons.push_back(At(horizon));
    }
    evaluation.notes = notes_;
    return evaluation;
  }

 private:
  EvaluateOptions OptionsFor(const std::string& model) const {
    EvaluateOptions options;
    options.model = model;
    options.naive = options_.naive;
    options.bootstrap = options_.bootstrap;
    options.significance = options_.significance;
    return options;
  }

  HorizonEvaluation At(int64_t horizon) {
    HorizonEvaluation result;
    result.horizon = horizon;
    const Outcomes outcomes = OutcomesAt(series_, table_.quantity, horizon);
    std::vector<std::string> names;
    std::vector<JudgedRows> judged;
    for (const std::string& model : table_.Models()) {
      const std::vector<size_t> rows = RowsOf(table_, model, horizon);
      if (rows.empty() || model == options_.naive) continue;
      if (std::any_of(rows.begin(), rows.end(),
                      [&](size_t row) { return !std::isnan(table_.value[row]); })) {
        AddPoint(model, outcomes, result, judged);
        names.push_back(model);
      }
      AddQuantiles(model, rows, outcomes, result);
      AddClasses(model, rows, result);
    }
    std::vector<NamedRows> named;
    for (size_t m = 0; m < names.size(); ++m) named.push_back({names[m], &judged[m]});
    if (!named.empty()) {
      result.comparison =
          CompareModels(named, options_.naive, options_.bootstrap, options_.significance);
    }
    return result;
  }

  void AddPoint(const std::string& model, const Outcomes& outcomes, HorizonEvaluation& result,
                std::vector<JudgedRows>& judged) {
    JudgedRows rows =
        JoinOutcomes(values_, model, options_.naive, result.horizon, outcomes.symbols);
    if (rows.rows() == 0) {
      throw Error(ErrorCode::kBadData, fmt::format("forecasts of {}", model),
                  fmt::format("none of {} has an outcome at horizon {}", rows.without_outcome,
                              result.horizon),
                  "give bars that reach beyond the forecasts");
    }
    if (rows.without_outcome > 0) {
      notes_.push_back(fmt::format("{} forecasts of {} at horizon {} have no outcome yet",
                                   rows.without_outcome, model, result.horizon));
    }
    SetTrainingScale(outcomes.symbols, kMinTime, first_made_at_, rows);
    Evaluation evaluation = Evaluate(rows.Sample(), OptionsFor(model));
    AddBreakdowns(rows, evaluation);
    result.models.push_back(std::move(evaluation));
    if (auto ranking = RankSymbols(model, rows, options_.cross_section)) {
      result.rankings.push_back(std::move(*ranking));
    }
    judged.push_back(std::move(rows));
  }

  void AddQuantiles(const std::string& model, const std::vector<size_t>& rows,
                    const Outcomes& outcomes, HorizonEvaluation& result) {
    std::vector<std::pair<double, const ForecastTable::Extra*>> columns;
    for (const ForecastTable::Extra* extra : ColumnsGiven(table_, rows, "q")) {
      columns.emplace_back(*ParseDouble(extra->name.substr(1)) / 100, extra);
    }
    if (columns.empty()) return;
    std::sort(columns.begin(), columns.end());
    QuantileSample sample;
    sample.horizon = static_cast<size_t>(result.horizon);
    for (const auto& [level, column] : columns) sample.levels.push_back(level);
    sample.model.resize(columns.size());
    sample.naive.resize(columns.size());
    std::map<size_t, std::vector<double>> naive;
    for (const size_t row : rows) {
      const size_t place = place_.at(table_.symbol[row]);
      const Labels& labels = outcomes.labels[place];
      const size_t label = LabelAt(labels, table_.made_at[row]);
      const bool whole = std::all_of(columns.begin(), columns.end(), [row](const auto& column) {
        return !std::isnan(column.second->values[row]);
      });
      if (label == labels.rows() || !whole) continue;
      if (!naive.contains(place)) {
        std::vector<double> known = KnownOutcomes(labels, first_made_at_);
        if (known.size() < kFewestOutcomes) {
          notes_.push_back(fmt::format(
              "the quantiles of {} are not judged: {} outcomes of {} before the first forecast, "
              "{} are needed for the naive distribution",
              model, known.size(), table_.symbol[row], kFewestOutcomes));
          return;
        }
        naive[place] = NaiveQuantiles(std::move(known), sample.levels);
      }
      sample.made_at.push_back(table_.made_at[row]);
      sample.actual.push_back(labels.value[label]);
      for (size_t k = 0; k < columns.size(); ++k) {
        sample.model[k].push_back(
            JudgedValue(table_.quantity, columns[k].second->values[row], table_.price[row]));
        sample.naive[k].push_back(naive[place][k]);
      }
    }
    if (sample.size() == 0) return;
    result.quantiles.push_back(EvaluateQuantiles(sample, OptionsFor(model)));
  }

  // The labels of the class target, made once, and where each of its classes is.
  const std::vector<Labels>& ClassLabels() {
    if (!class_labels_.empty()) return class_labels_;
    for (const CandleSeries& bars : series_) {
      class_labels_.push_back(BuildLabels(*options_.class_target, bars));
      if (class_labels_.back().has_classes()) continue;
      throw Error(ErrorCode::kUsage, "--target",
                  fmt::format("{} has no classes", ColumnName(*options_.class_target)),
                  "name a target of classes: direction, triple_barrier, swing");
    }
    return class_labels_;
  }

  std::vector<double> NaiveClasses() {
    if (!options_.naive_frequencies.empty()) return options_.naive_frequencies;
    std::vector<uint32_t> known;
    for (const Labels& labels : ClassLabels()) {
      for (const double value : KnownOutcomes(labels, first_made_at_)) {
        known.push_back(static_cast<uint32_t>(value));
      }
    }
    return NaiveFrequencies(known, ClassLabels().front().classes.size());
  }

  void AddClasses(const std::string& model, const std::vector<size_t>& rows,
                  HorizonEvaluation& result) {
    const std::vector<const ForecastTable::Extra*> columns = ColumnsGiven(table_, rows, "p_");
    if (columns.empty()) return;
    if (!options_.class_target) {
      notes_.push_back(fmt::format(
          "the class probabilities of {} are not judged: say what they forecast (--target)",
          model));
      return;
    }
    const std::vector<Labels>& all = ClassLabels();
    ClassSample sample;
    sample.horizon = static_cast<size_t>(result.horizon);
    sample.classes = all.front().classes;
    std::vector<const ForecastTable::Extra*> of_class;
    for (const std::string& name : sample.classes) {
      const auto found = std::find_if(columns.begin(), columns.end(), [&](const auto* column) {
        return column->name == "p_" + name;
      });
      if (found == columns.end()) {
        throw Error(ErrorCode::kUsage, fmt::format("class probabilities of {}", model),
                    fmt::format("no column p_{}", name),
                    fmt::format("the target's classes are {}", fmt::join(sample.classes, ", ")));
      }
      of_class.push_back(*found);
    }
    sample.probability.resize(of_class.size());
    sample.naive = NaiveClasses();
    for (const size_t row : rows) {
      const Labels& labels = all[place_.at(table_.symbol[row])];
      const size_t label = LabelAt(labels, table_.made_at[row]);
      if (label == labels.rows() || std::isnan(of_class.front()->values[row])) continue;
      sample.made_at.push_back(table_.made_at[row]);
      sample.actual.push_back(static_cast<uint32_t>(labels.value[label]));
      for (size_t c = 0; c < of_class.size(); ++c) {
        sample.probability[c].push_back(of_class[c]->values[row]);
      }
    }
    if (sample.size() == 0) return;
    result.classes.push_back(EvaluateClasses(sample, OptionsFor(model)));
  }

  const ForecastTable& table_;
  std::span<const CandleSeries> series_;
  const TableOptions& options_;
  ForecastTable values_;
  std::map<std::string, size_t> place_;  // of a symbol in series_
  TimeMs first_made_at_ = 0;
  std::vector<Labels> class_labels_;
  std::vector<std::string> notes_;
};

}  // namespace

std::optional<ModelRanking> RankSymbols(const std::string& model, const JudgedRows& rows,
                                        const CrossSectionOptions& options) {
  if (rows.space != Space::kReturn) return std::nullopt;
  const std::set<std::string> symbols(rows.symbol.begin(), rows.symbol.end());
  if (symbols.size() < options.fewest) return std::nullopt;
  ModelRanking result{
      model, EvaluateCrossSection(
                 {rows.made_at, rows.symbol, rows.forecast, rows.actual, rows.horizon}, options)};
  if (result.ranking.instants < 2) return std::nullopt;
  return result;
}

TableEvaluation EvaluateTable(const ForecastTable& table, std::span<const CandleSeries> series,
                              const TableOptions& options) {
  if (table.rows() == 0) {
    throw Error(ErrorCode::kUsage, "forecast table", "no rows to judge", "widen the time");
  }
  CheckOptions(options.bootstrap);
  return Judge(table, series, options).Run();
}

Json ToJson(const std::vector<ModelRanking>& rankings) {
  Json json = Json::object();
  for (const ModelRanking& model : rankings) json[model.model] = ToJson(model.ranking);
  return json;
}

Json ToJson(const TableEvaluation& evaluation) {
  Json horizons = Json::array();
  for (const HorizonEvaluation& horizon : evaluation.horizons) {
    Json json = {{"horizon", horizon.horizon},
                 {"models", Json::array()},
                 {"quantiles", Json::object()},
                 {"classes", Json::object()},
                 {"cross_section", ToJson(horizon.rankings)}};
    for (const Evaluation& model : horizon.models) json["models"].push_back(ToJson(model));
    for (const auto& model : horizon.quantiles) json["quantiles"][model.model] = ToJson(model);
    for (const auto& model : horizon.classes) json["classes"][model.model] = ToJson(model);
    json["comparison"] = horizon.comparison ? ToJson(*horizon.comparison) : Json(nullptr);
    horizons.push_back(std::move(json));
  }
  return Json{{"symbols", evaluation.symbols},
              {"notes", evaluation.notes},
              {"horizons", std::move(horizons)}};
}

}  // namespace almanac
