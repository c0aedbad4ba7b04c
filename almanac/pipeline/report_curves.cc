#include "almanac/pipeline/report_curves.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "almanac/base/error.h"
#include "almanac/base/text.h"

namespace almanac {
namespace {

double PriceOf(Quantity quantity, double value, double price) {
  switch (quantity) {
    case Quantity::kReturn:
      return price * (1.0 + value);
    case Quantity::kLogReturn:
      return price * std::exp(value);
    case Quantity::kPrice:
      return value;
    case Quantity::kVolatility:
      break;
  }
  throw Error(ErrorCode::kUsage, "report", "a volatility cannot be drawn as a price",
              "leave it out");
}

ReportAttention::Shares SharesOf(const Json& json) {
  ReportAttention::Shares shares;
  for (const auto& [name, share] : json.items()) shares.emplace_back(name, share.get<double>());
  return shares;
}

}  // namespace

QuantileEnds WidestInterval(const ForecastTable& table) {
  QuantileEnds ends;
  double lowest = 0, highest = 0;
  for (const ForecastTable::Extra& extra : table.extra) {
    const auto percent =
        extra.name.starts_with("q") ? ParseDouble(extra.name.substr(1)) : std::optional<double>();
    if (!percent) continue;
    if (ends.low == nullptr || *percent < lowest) ends.low = &extra, lowest = *percent;
    if (ends.high == nullptr || *percent > highest) ends.high = &extra, highest = *percent;
  }
  return ends.low == ends.high ? QuantileEnds() : ends;
}

ForecastTable RowsAtHorizon(const ForecastTable& table, int64_t horizon) {
  return table.Where([&](size_t row) { return table.horizon[row] == horizon; });
}

ReportForecast ForecastCurve(const ForecastTable& all, const std::string& symbol,
                             const ModelSection& model, int64_t horizon) {
  ReportForecast curve;
  curve.model = model.name;
  curve.naive = model.kind == "naive";
  const QuantileEnds interval = WidestInterval(all);
  for (size_t i = 0; i < all.rows(); ++i) {
    if (all.symbol[i] != symbol || all.horizon[i] != horizon) continue;
    const auto price = [&](double value) { return PriceOf(all.quantity, value, all.price[i]); };
    curve.made_at.push_back(all.made_at[i]);
    curve.target_time.push_back(all.target_time[i]);
    curve.price.push_back(price(all.value[i]));
    if (interval.low == nullptr) continue;
    curve.low.push_back(price(interval.low->values[i]));
    curve.high.push_back(price(interval.high->values[i]));
  }
  return curve;
}

ReportFan FanOf(const ForecastTable& table, const CandleSeries& bars, const std::string& currency) {
  ReportFan fan;
  fan.symbol = bars.key.symbol;
  fan.currency = currency;
  const QuantileEnds interval = WidestInterval(table);
  for (size_t i = 0; i < table.rows(); ++i) {
    if (table.symbol[i] != fan.symbol) continue;
    fan.model = table.model[i];
    if (fan.origins.empty() || fan.origins.back().made_at != table.made_at[i]) {
      fan.origins.emplace_back().made_at = table.made_at[i];
    }
    ReportFan::Origin& origin = fan.origins.back();
    const auto price = [&](double value) { return PriceOf(table.quantity, value, table.price[i]); };
    origin.price = table.price[i];
    origin.target_time.push_back(table.target_time[i]);
    origin.forecast.push_back(price(table.value[i]));
    if (interval.low == nullptr) continue;
    origin.low.push_back(price(interval.low->values[i]));
    origin.high.push_back(price(interval.high->values[i]));
  }
  for (size_t i = 0; i < bars.size() && !fan.origins.empty(); ++i) {
    const TimeMs known = bars.KnownAt(i);
    if (known < fan.origins.front().made_at) continue;
    fan.time.push_back(known);
    fan.close.push_back(bars.close[i]);
  }
  return fan;
}

ReportSteps StepsOf(const TableEvaluation& evaluation, const std::string& currency) {
  ReportSteps steps;
  steps.currency = currency;
  for (const HorizonEvaluation& horizon : evaluation.horizons) {
    if (horizon.models.empty()) continue;
    const Evaluation& model = horizon.models.front();
    steps.model = model.model;
    ReportSteps::Step step;
    step.horizon = horizon.horizon;
    const auto take = [&](Metric metric, double& own, double& naive) {
      const MetricResult* result = model.Find(Space::kPrice, metric);
      if (result == nullptr) return;
      own = result->model.value;
      naive = result->naive.value;
    };
    take(Metric::kMae, step.mae, step.naive_mae);
    take(Metric::kRmse, step.rmse, step.naive_rmse);
    take(Metric::kMape, step.mape, step.naive_mape);
    for (const QuantileEvaluation& quantiles : horizon.quantiles) {
      if (quantiles.model != model.model || quantiles.intervals.empty()) continue;
      steps.nominal = quantiles.intervals.front().nominal;
      step.coverage = quantiles.intervals.front().coverage.model.value;
    }
    steps.steps.push_back(step);
  }
  return steps;
}

std::optional<ReportAttention> AttentionOf(const std::string& model, const Json& learnt) {
  if (learnt.contains("model")) return AttentionOf(model, learnt.at("model"));
  if (!learnt.contains("training") || !learnt.at("training").contains("importance")) {
    return std::nullopt;
  }
  const Json& importance = learnt.at("training").at("importance");
  ReportAttention attention;
  attention.model = model;
  attention.past = SharesOf(importance.at("past"));
  attention.future = SharesOf(importance.at("future"));
  attention.attention = importance.at("attention").get<std::vector<std::vector<double>>>();
  return attention;
}

}  // namespace almanac
