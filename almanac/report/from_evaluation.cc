#include "almanac/report/from_results.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "almanac/base/error.h"
#include "almanac/base/text.h"
#include "almanac/report/number_text.h"

namespace almanac {
namespace {

using Better = ReportColumn::Better;

NumberFormat FormatOf(Space space, Metric metric) {
  switch (metric) {
    case Metric::kMae:
    case Metric::kRmse:
      return space == Space::kPrice ? NumberFormat::kPrice : NumberFormat::kPercent;
    case Metric::kMape:
    case Metric::kSmape:
    case Metric::kDirection:
      return NumberFormat::kPercent;
    case Metric::kR2:
      return NumberFormat::kSignedPercent;
    case Metric::kQlike:
    case Metric::kMase:
    case Metric::kIc:
    case Metric::kRankIc:
      break;
  }
  return NumberFormat::kPlain;
}

std::string_view HintOf(Metric metric) {
  switch (metric) {
    case Metric::kMae:
      return "mean absolute error";
    case Metric::kRmse:
      return "root of the mean squared error: large errors weigh more";
    case Metric::kMape:
      return "mean absolute error as a share of the actual price";
    case Metric::kSmape:
      return "the same as a share of the mean of actual and forecast price";
    case Metric::kQlike:
      return "Patton's loss of the variance, 0 is perfect: it asks for the right proportion and "
             "weighs forecasts that are too low more";
    case Metric::kMase:
      return "mean absolute error divided by the naive forecast's on the training rows";
    case Metric::kR2:
      return "how much less squared error than the naive forecast; 0% is naive";
    case Metric::kDirection:
      return "how often the forecast had the right sign; 50% is a coin";
    case Metric::kIc:
      return "information coefficient: correlation of forecast and actual; 0 knows nothing";
    case Metric::kRankIc:
      return "the same for ranks (Spearman), which single large moves cannot dominate";
  }
  return "";
}

std::string Capitalized(std::string_view text) {
  // "sMAPE" is a name and stays.
  const bool word = text.size() > 1 && text[1] >= 'a' && text[1] <= 'z';
  return word ? ToUpper(text.substr(0, 1)).append(text.substr(1)) : std::string(text);
}

// A difference from naive counts where its interval excludes 0; where naive has no value, the
// metric (a correlation) is compared with 0 itself.
Standing StandingOf(const MetricResult& result) {
  const bool naive_defined = std::isfinite(result.naive.value);
  const Interval& interval = naive_defined ? result.difference.interval : result.model.interval;
  if (!std::isfinite(interval.low) || !std::isfinite(interval.high)) return Standing::kNotCompared;
  if (interval.low <= 0 && interval.high >= 0) return Standing::kSame;
  return (interval.high < 0) == SmallerIsBetter(result.metric) ? Standing::kBetter
                                                               : Standing::kWorse;
}

Tone ToneOf(Standing standing) {
  switch (standing) {
    case Standing::kBetter:
      return Tone::kGood;
    case Standing::kWorse:
      return Tone::kBad;
    case Standing::kSame:
      return Tone::kCaution;
    case Standing::kNotCompared:
      break;
  }
  return Tone::kNeutral;
}

ReportCell CellOf(const Estimate& estimate, Standing standing = Standing::kNotCompared) {
  return {estimate.value, estimate.interval.low, estimate.interval.high, standing};
}

void RequireEvaluations(std::span<const Evaluation> evaluations) {
  if (evaluations.empty()) {
    throw Error(ErrorCode::kUsage, "report", "a table of metrics needs at least one evaluation");
  }
}

// The metrics of `space` for which any evaluation has a value.
std::vector<Metric> MetricsPresent(std::span<const Evaluation> evaluations, Space space) {
  std::vector<Metric> present;
  for (const Metric metric : MetricsOf(space)) {
    const bool any = std::any_of(evaluations.begin(), evaluations.end(), [&](const Evaluation& e) {
      const MetricResult* result = e.Find(space, metric);
      return result && std::isfinite(result->model.value);
    });
    if (any) present.push_back(metric);
  }
  return present;
}

std::string MetricsNote(const Evaluation& evaluation) {
  std::string note = fmt::format(
      "{} forecasts, made {} to {}.", FormatCount(static_cast<int64_t>(evaluation.rows)),
      FormatMinute(evaluation.first_made_at), FormatMinute(evaluation.last_made_at));
  if (evaluation.bootstrap.replicates > 0) {
    note += fmt::format(
        " {:.0f}% intervals from {} resamples in blocks of {:.0f} forecasts on "
        "average.",
        evaluation.bootstrap.confidence * 100, FormatCount(evaluation.bootstrap.replicates),
        evaluation.block_length);
  }
  return note;
}

ReportKeyFigure FigureOf(const Evaluation& evaluation, Space space, Metric metric,
                         std::string label) {
  const MetricResult* result = evaluation.Find(space, metric);
  ReportKeyFigure figure;
  figure.label = std::move(label);
  figure.format = FormatOf(space, metric);
  figure.hint = std::string(HintOf(metric));
  if (!result) return figure;
  figure.value = result->model.value;
  figure.tone = ToneOf(StandingOf(*result));
  if (std::isfinite(result->naive.value)) {
    figure.benchmark = result->naive.value;
    figure.benchmark_name = evaluation.naive;
  } else {
    figure.benchmark = 0;
    figure.benchmark_name = "no skill";
  }
  return figure;
}

}  // namespace

ReportVerdict VerdictOf(const Evaluation& evaluation, double significance) {
  ReportVerdict verdict{Tone::kCaution, evaluation.verdict};
  if (evaluation.squared.p_value < significance) {
    verdict.tone = evaluation.squared.mean_difference < 0 ? Tone::kGood : Tone::kBad;
  }
  return verdict;
}

ReportTable MetricsTable(std::span<const Evaluation> evaluations, Space space) {
  RequireEvaluations(evaluations);
  const std::vector<Metric> metrics = MetricsPresent(evaluations, space);
  ReportTable table;
  table.title = fmt::format("Metrics of the forecast {}", Name(space));
  table.note = MetricsNote(evaluations.front());
  for (const Metric metric : metrics) {
    table.columns.push_back({Capitalized(Title(metric)), FormatOf(space, metric),
                             SmallerIsBetter(metric) ? Better::kSmaller : Better::kLarger,
                             std::string(HintOf(metric))});
  }
  ReportRow naive{evaluations.front().naive, true, {}};
  for (const Evaluation& evaluation : evaluations) {
    ReportRow row{evaluation.model, false, {}};
    for (const Metric metric : metrics) {
      const MetricResult* result = evaluation.Find(space, metric);
      row.cells.push_back(result ? CellOf(result->model, StandingOf(*result)) : ReportCell{});
    }
    table.rows.push_back(std::move(row));
  }
  for (const Metric metric : metrics) {
    const MetricResult* result = evaluations.front().Find(space, metric);
    naive.cells.push_back(result ? CellOf(result->naive) : ReportCell{});
  }
  table.rows.push_back(std::move(naive));
  return table;
}

std::vector<ReportTable> MetricsTables(std::span<const Evaluation> evaluations) {
  RequireEvaluations(evaluations);
  const Space space = evaluations.front().space;
  std::vector<ReportTable> tables = {MetricsTable(evaluations, space)};
  if (space == Space::kReturn) tables.push_back(MetricsTable(evaluations, Space::kPrice));
  return tables;
}

ReportHeatTable MonthsTable(std::span<const Evaluation> evaluations, Space space, Metric metric) {
  RequireEvaluations(evaluations);
  ReportHeatTable table;
  table.title = fmt::format("{} of the {} by month", Title(metric), Name(space));
  table.note = "By month of making the forecast, UTC.";
  table.format = FormatOf(space, metric);
  table.smaller_is_better = SmallerIsBetter(metric);
  // R² is measured against naive already.
  if (metric != Metric::kR2) table.baseline = evaluations.size();
  const auto add_value = [&](const std::string& month, size_t column, double value) {
    auto row = std::lower_bound(
        table.rows.begin(), table.rows.end(), month,
        [](const ReportHeatTable::Row& a, const std::string& label) { return a.label < label; });
    if (row == table.rows.end() || row->label != month) {
      row = table.rows.insert(row, {month, std::vector<double>(evaluations.size() + 1)});
      std::fill(row->values.begin(), row->values.end(), kNotANumber);
    }
    row->values[column] = value;
  };
  for (size_t i = 0; i < evaluations.size(); ++i) {
    table.columns.push_back(evaluations[i].model);
    for (const GroupResult& month : evaluations[i].months) {
      for (const MetricResult& result : month.metrics) {
        if (result.space != space || result.metric != metric) continue;
        add_value(month.label, i, result.model.value);
        if (i == 0) add_value(month.label, evaluations.size(), result.naive.value);
      }
    }
  }
  table.columns.push_back(evaluations.front().naive);
  return table;
}

std::vector<ReportKeyFigure> KeyFiguresOf(const Evaluation& evaluation) {
  std::vector<ReportKeyFigure> figures = {
      FigureOf(evaluation, Space::kReturn, Metric::kMae, "MAE of the return"),
      FigureOf(evaluation, Space::kReturn, Metric::kRmse, "RMSE of the return"),
      FigureOf(evaluation, Space::kReturn, Metric::kDirection, "Direction right"),
      FigureOf(evaluation, Space::kReturn, Metric::kIc, "Information coefficient"),
      FigureOf(evaluation, Space::kVolatility, Metric::kMae, "MAE of the volatility"),
      FigureOf(evaluation, Space::kVolatility, Metric::kRmse, "RMSE of the volatility"),
      FigureOf(evaluation, Space::kVolatility, Metric::kQlike, "QLIKE of the volatility"),
      FigureOf(evaluation, Space::kVolatility, Metric::kR2, "Squared error less than naive"),
      FigureOf(evaluation, Space::kPrice, Metric::kMae, "MAE of the price"),
      FigureOf(evaluation, Space::kPrice, Metric::kRmse, "RMSE of the price"),
      FigureOf(evaluation, Space::kPrice, Metric::kMape, "MAPE of the price")};
  std::erase_if(figures, [](const ReportKeyFigure& figure) { return std::isnan(figure.value); });
  return figures;
}

}  // namespace almanac
