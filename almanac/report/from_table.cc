#include "almanac/report/from_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "almanac/base/error.h"
#include "almanac/base/text.h"
#include "almanac/report/from_results.h"
#include "almanac/report/number_text.h"

namespace almanac {
namespace {

using Better = ReportColumn::Better;

[[noreturn]] void RefuseEmpty(const char* what) {
  throw Error(ErrorCode::kUsage, "report", fmt::format("a table of {} needs at least one", what));
}

// Where the interval of the difference from naive excludes 0.
Standing StandingOf(const PairedEstimate& estimate, bool smaller_is_better) {
  const Interval& interval = estimate.difference.interval;
  if (!std::isfinite(interval.low) || !std::isfinite(interval.high)) return Standing::kNotCompared;
  if (interval.low <= 0 && interval.high >= 0) return Standing::kSame;
  return (interval.high < 0) == smaller_is_better ? Standing::kBetter : Standing::kWorse;
}

ReportCell CellOf(const Estimate& estimate, Standing standing = Standing::kNotCompared) {
  return {estimate.value, estimate.interval.low, estimate.interval.high, standing};
}

// A column of a table whose rows are models and whose last row is naive.
struct PairedColumn {
  ReportColumn column;
  const PairedEstimate* estimate = nullptr;  // of one model
};

ReportRow RowOf(const std::string& label, const std::vector<PairedColumn>& columns, bool naive) {
  ReportRow row{label, naive, {}};
  for (const PairedColumn& column : columns) {
    const bool smaller = column.column.better == Better::kSmaller;
    const bool compared = column.column.better != Better::kNeither;
    row.cells.push_back(
        naive ? CellOf(column.estimate->naive)
              : CellOf(column.estimate->model,
                       compared ? StandingOf(*column.estimate, smaller) : Standing::kNotCompared));
  }
  return row;
}

template <typename Item, typename ColumnsOf>
ReportTable PairedTable(std::string title, std::span<const Item> evaluations,
                        const std::string& naive_label, const ColumnsOf& columns_of) {
  ReportTable table;
  table.title = std::move(title);
  for (const PairedColumn& column : columns_of(evaluations.front())) {
    table.columns.push_back(column.column);
  }
  for (const Item& evaluation : evaluations) {
    std::vector<PairedColumn> columns = columns_of(evaluation);
    // Models may give other levels: what the first has not is not shown.
    std::erase_if(columns, [&](const PairedColumn& column) {
      return std::none_of(table.columns.begin(), table.columns.end(),
                          [&](const ReportColumn& c) { return c.title == column.column.title; });
    });
    ReportRow row{evaluation.model, false, std::vector<ReportCell>(table.columns.size())};
    const ReportRow given = RowOf(evaluation.model, columns, false);
    for (size_t i = 0; i < columns.size(); ++i) {
      for (size_t c = 0; c < table.columns.size(); ++c) {
        if (table.columns[c].title == columns[i].column.title) row.cells[c] = given.cells[i];
      }
    }
    table.rows.push_back(std::move(row));
  }
  table.rows.push_back(RowOf(naive_label, columns_of(evaluations.front()), true));
  return table;
}

std::string RowsNote(size_t rows, size_t instants, const BootstrapOptions& bootstrap,
                     double block_length) {
  std::string note =
      fmt::format("{} forecasts at {} instants.", FormatCount(static_cast<int64_t>(rows)),
                  FormatCount(static_cast<int64_t>(instants)));
  if (bootstrap.replicates > 0) {
    note +=
        fmt::format(" {:.0f}% intervals from {} resamples in blocks of {:.0f} on average.",
                    100 * bootstrap.confidence, FormatCount(bootstrap.replicates), block_length);
  }
  return note;
}

ReportCell Plain(double value) { return {value, kNotANumber, kNotANumber, Standing::kNotCompared}; }

ReportCell MeanCell(const TimeMean& mean) {
  constexpr double kNormal95 = 1.959963984540054;
  const double reach = kNormal95 * mean.error;
  Standing standing = Standing::kNotCompared;
  if (std::isfinite(reach)) {
    standing = mean.mean - reach > 0   ? Standing::kBetter
               : mean.mean + reach < 0 ? Standing::kWorse
                                       : Standing::kSame;
  }
  return {mean.mean, mean.mean - reach, mean.mean + reach, standing};
}

Standing StandingOfPair(const DieboldMariano& test, double significance) {
  if (std::isnan(test.p_value)) return Standing::kNotCompared;
  if (test.p_value >= significance) return Standing::kSame;
  return test.mean_difference < 0 ? Standing::kBetter : Standing::kWorse;
}

Tone ToneOfTest(const DieboldMariano& test, double significance) {
  if (std::isnan(test.p_value) || test.p_value >= significance) return Tone::kCaution;
  return test.mean_difference < 0 ? Tone::kGood : Tone::kBad;
}

const PairTest* PairWith(const Comparison& comparison, size_t a, size_t b) {
  for (const PairTest& pair : comparison.pairs) {
    if (pair.a == std::min(a, b) && pair.b == std::max(a, b)) return &pair;
  }
  return nullptr;
}

// The value of a metric in a group, or NaN.
std::pair<double, double> ValueIn(const GroupResult& group, Space space, Metric metric) {
  for (const MetricResult& result : group.metrics) {
    if (result.space == space && result.metric == metric) {
      return {result.model.value, result.naive.value};
    }
  }
  return {kNotANumber, kNotANumber};
}

NumberFormat FormatOf(Metric metric) {
  switch (metric) {
    case Metric::kMae:
    case Metric::kRmse:
    case Metric::kDirection:
      return NumberFormat::kPercent;
    case Metric::kR2:
      return NumberFormat::kSignedPercent;
    default:
      return NumberFormat::kPlain;
  }
}

// A heat table without rows: a column a model, naive last and, where it is defined, the baseline.
ReportHeatTable EmptyHeat(std::string title, std::string note, Metric metric,
                          const std::vector<std::string>& models, const std::string& naive) {
  ReportHeatTable table;
  table.title = std::move(title);
  table.note = std::move(note);
  table.format = FormatOf(metric);
  table.smaller_is_better = SmallerIsBetter(metric);
  table.columns = models;
  table.columns.push_back(naive);
  // R² is measured against naive already.
  if (metric != Metric::kR2) table.baseline = models.size();
  return table;
}

}  // namespace

ReportTable QuantilesTable(std::span<const QuantileEvaluation> evaluations) {
  if (evaluations.empty()) RefuseEmpty("quantiles");
  ReportTable table = PairedTable(
      "Forecast distributions", evaluations, "past returns",
      [](const QuantileEvaluation& evaluation) {
        std::vector<PairedColumn> columns = {
            {{"CRPS", NumberFormat::kPercent, Better::kSmaller,
              "continuous ranked probability score from the quantiles: the distance of the whole "
              "distribution from what happened"},
             &evaluation.crps},
            {{"Pinball", NumberFormat::kPercent, Better::kSmaller,
              "mean quantile loss over the levels"},
             &evaluation.pinball}};
        for (const CoverageResult& interval : evaluation.intervals) {
          const std::string name = fmt::format("{:.3g}%", 100 * interval.nominal);
          columns.push_back({{name + " covers", NumberFormat::kPercent, Better::kNeither,
                              "share of what happened inside this interval"},
                             &interval.coverage});
          columns.push_back({{name + " width", NumberFormat::kPercent, Better::kNeither,
                              "mean width of this interval"},
                             &interval.width});
          columns.push_back({{name + " score", NumberFormat::kPercent, Better::kSmaller,
                              "width and how far outside things happened"},
                             &interval.score});
        }
        return columns;
      });
  const QuantileEvaluation& first = evaluations.front();
  table.note = RowsNote(first.rows, first.instants, first.bootstrap, first.block_length);
  return table;
}

ReportTable ClassesTable(std::span<const ClassEvaluation> evaluations) {
  if (evaluations.empty()) RefuseEmpty("classes");
  ReportTable table = PairedTable(
      "Class forecasts", evaluations, "frequencies", [](const ClassEvaluation& evaluation) {
        return std::vector<PairedColumn>{
            {{"Log loss", NumberFormat::kPlain, Better::kSmaller,
              "mean of -log of the probability of what happened"},
             &evaluation.log_loss},
            {{"Brier", NumberFormat::kPlain, Better::kSmaller,
              "mean squared error of the probabilities"},
             &evaluation.brier},
            {{"Accuracy", NumberFormat::kPercent, Better::kLarger,
              "share of rows whose most probable class happened"},
             &evaluation.accuracy},
            {{"AP macro", NumberFormat::kPlain, Better::kLarger,
              "average precision, mean over the classes"},
             &evaluation.macro_average_precision},
            {{"AUC macro", NumberFormat::kPlain, Better::kLarger,
              "area under the ROC curve, mean over the classes; 0.5 knows nothing"},
             &evaluation.macro_auc}};
      });
  const ClassEvaluation& first = evaluations.front();
  table.note = RowsNote(first.rows, first.instants, first.bootstrap, first.block_length);
  return table;
}

ReportTable ClassDetailTable(const ClassEvaluation& evaluation) {
  ReportTable table;
  table.title = fmt::format("Classes of {}", evaluation.model);
  table.note =
      "A ranking without skill has the class's frequency as average precision and AUC 0.5.";
  table.columns = {
      {"happened", NumberFormat::kCount, Better::kNeither, "rows of the class"},
      {"chosen", NumberFormat::kCount, Better::kNeither, "rows in which it was the most probable"},
      {"AP", NumberFormat::kPlain, Better::kNeither, "average precision"},
      {"AP of none", NumberFormat::kPlain, Better::kNeither, "the same without skill"},
      {"AUC", NumberFormat::kPlain, Better::kNeither, "area under the ROC curve"},
      {"precision", NumberFormat::kPercent, Better::kNeither, "of the chosen, how many happened"},
      {"recall", NumberFormat::kPercent, Better::kNeither,
       "of those that happened, how many chosen"},
      {"ECE", NumberFormat::kPercent, Better::kNeither,
       "mean distance of probability and frequency"}};
  for (const ClassResult& result : evaluation.classes) {
    table.rows.push_back(
        {result.name,
         false,
         {Plain(static_cast<double>(result.rows)), Plain(static_cast<double>(result.chosen)),
          CellOf(result.average_precision.model, StandingOf(result.average_precision, false)),
          Plain(result.average_precision.naive.value),
          CellOf(result.auc.model, StandingOf(result.auc, false)), Plain(result.precision),
          Plain(result.recall), Plain(result.calibration_error)}});
  }
  return table;
}

ReportTable ConfusionTable(const ClassEvaluation& evaluation) {
  ReportTable table;
  table.title =
      fmt::format("What happened against what {} thought most probable", evaluation.model);
  table.note = "Rows: what happened. Columns: the most probable class.";
  for (const ClassResult& result : evaluation.classes) {
    table.columns.push_back({result.name, NumberFormat::kCount, Better::kNeither, ""});
  }
  for (size_t c = 0; c < evaluation.classes.size(); ++c) {
    ReportRow row{evaluation.classes[c].name, false, {}};
    for (const size_t count : evaluation.confusion[c]) {
      row.cells.push_back(Plain(static_cast<double>(count)));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

ReportTable RankingTable(std::span<const ModelRanking> rankings) {
  if (rankings.empty()) RefuseEmpty("rankings");
  ReportTable table;
  const CrossSection& first = rankings.front().ranking;
  table.title = "Ranking of the symbols";
  table.note = fmt::format(
      "{} instants with {:.0f} symbols on average, {} left out. 95% intervals with Newey-West "
      "errors, {} lags.",
      FormatCount(static_cast<int64_t>(first.instants)), first.mean_symbols,
      FormatCount(static_cast<int64_t>(first.left_out)), first.ic.lag);
  table.columns = {
      {"IC", NumberFormat::kPlain, Better::kLarger, "mean correlation over the symbols"},
      {"IC p", NumberFormat::kProbability, Better::kNeither, "two-sided, H0: 0"},
      {"Rank IC", NumberFormat::kPlain, Better::kLarger, "the same for ranks"},
      {"Rank IC p", NumberFormat::kProbability, Better::kNeither, "two-sided, H0: 0"},
      {"ICIR", NumberFormat::kRatio, Better::kLarger, "mean IC / its standard deviation"},
      {"IC > 0", NumberFormat::kPercent, Better::kLarger, "share of the instants"}};
  for (const auto& [model, ranking] : rankings) {
    table.rows.push_back(
        {model,
         false,
         {MeanCell(ranking.ic), Plain(ranking.ic.p_value), MeanCell(ranking.rank_ic),
          Plain(ranking.rank_ic.p_value), Plain(ranking.icir), Plain(ranking.share_positive[0])}});
  }
  ReportRow naive{"no skill", true, std::vector<ReportCell>(table.columns.size())};
  for (const size_t column : {0, 2, 4}) naive.cells[column] = Plain(0);
  naive.cells[5] = Plain(0.5);
  table.rows.push_back(std::move(naive));
  return table;
}

ReportTable BucketTable(std::span<const ModelRanking> rankings) {
  if (rankings.empty()) RefuseEmpty("rankings");
  ReportTable table;
  table.title = "Return by part of the ranking";
  table.note =
      "Mean return over the horizon, lowest forecasts first. Without skill every part "
      "returns what all symbols do.";
  const size_t parts = rankings.front().ranking.buckets.size();
  for (size_t b = 0; b < parts; ++b) {
    const std::string end = b == 0 ? " (low)" : b + 1 == parts ? " (high)" : "";
    table.columns.push_back(
        {fmt::format("{}{}", b + 1, end), NumberFormat::kSignedPercent, Better::kNeither, ""});
  }
  const ReportColumn earned[] = {
      {"Spread", NumberFormat::kSignedPercent, Better::kLarger,
       "return of the highest less the lowest part"},
      {"Spread p", NumberFormat::kProbability, Better::kNeither, "two-sided, H0: 0"},
      {"Turnover", NumberFormat::kPlain, Better::kNeither,
       "1 less the rank correlation with the ranking before"},
      {"Top new", NumberFormat::kPercent, Better::kNeither,
       "share of the highest part that was not in it before"}};
  table.columns.insert(table.columns.end(), std::begin(earned), std::end(earned));
  for (const auto& [model, ranking] : rankings) {
    ReportRow row{model, false, {}};
    for (const TimeMean& bucket : ranking.buckets) row.cells.push_back(Plain(bucket.mean));
    for (const ReportCell& cell : {MeanCell(ranking.spread), Plain(ranking.spread.p_value),
                                   Plain(ranking.ranking_turnover), Plain(ranking.top_turnover)}) {
      row.cells.push_back(cell);
    }
    table.rows.push_back(std::move(row));
  }
  const double all = rankings.front().ranking.mean_return.mean;
  ReportRow naive{"all symbols", true, std::vector<ReportCell>(parts, Plain(all))};
  naive.cells.resize(table.columns.size());
  naive.cells[parts] = Plain(0);
  table.rows.push_back(std::move(naive));
  return table;
}

ReportTable ComparisonTable(const Comparison& comparison, double significance) {
  ReportTable table;
  table.title = "Models beside each other";
  table.note = fmt::format(
      "Squared error of the {} on the same {} rows. DM: Diebold-Mariano against {}. Stepwise "
      "(Romano-Wolf): better than {} although all were tried. MCS: below {:g}, the model is worse "
      "than the best.",
      Name(comparison.space), FormatCount(static_cast<int64_t>(comparison.rows)),
      comparison.models.back(), comparison.models.back(), significance);
  table.columns = {{"Mean loss", NumberFormat::kPlain, Better::kSmaller, "mean squared error"},
                   {"DM", NumberFormat::kRatio, Better::kNeither, "negative: better than naive"},
                   {"DM p", NumberFormat::kProbability, Better::kNeither, "two-sided, taken alone"},
                   {"Stepwise p", NumberFormat::kProbability, Better::kNeither,
                    "one-sided, corrected for all models"},
                   {"MCS p", NumberFormat::kProbability, Better::kNeither,
                    "model confidence set of Hansen, Lunde and Nason"}};
  const size_t naive = comparison.models.size() - 1;
  for (size_t m = 0; m < comparison.models.size(); ++m) {
    ReportRow row{comparison.models[m], m == naive, {Plain(comparison.mean_loss[m])}};
    const PairTest* pair = m == naive ? nullptr : PairWith(comparison, m, naive);
    row.cells.push_back(pair ? Plain(pair->test.statistic) : Plain(kNotANumber));
    row.cells.push_back(pair ? ReportCell{pair->test.p_value, kNotANumber, kNotANumber,
                                          StandingOfPair(pair->test, significance)}
                             : Plain(kNotANumber));
    const bool stepwise = comparison.superior && m != naive;
    row.cells.push_back(Plain(stepwise ? comparison.superior->stepwise[m] : kNotANumber));
    row.cells.push_back(
        Plain(comparison.confidence_set ? comparison.confidence_set->p_value[m] : kNotANumber));
    table.rows.push_back(std::move(row));
  }
  return table;
}

ReportTable PairsTable(const Comparison& comparison, double significance) {
  ReportTable table;
  table.title = "Every pair of models";
  table.note =
      "p-values of the Diebold-Mariano test, each taken alone; marked where the row's model "
      "has a smaller or larger squared error than the column's.";
  for (const std::string& model : comparison.models) {
    table.columns.push_back({model, NumberFormat::kProbability, Better::kNeither, ""});
  }
  for (size_t a = 0; a < comparison.models.size(); ++a) {
    ReportRow row{comparison.models[a], a + 1 == comparison.models.size(), {}};
    for (size_t b = 0; b < comparison.models.size(); ++b) {
      const PairTest* pair = a == b ? nullptr : PairWith(comparison, a, b);
      if (pair == nullptr) {
        row.cells.push_back(Plain(kNotANumber));
        continue;
      }
      DieboldMariano test = pair->test;
      if (pair->a != a) test.mean_difference = -test.mean_difference;
      row.cells.push_back(
          {test.p_value, kNotANumber, kNotANumber, StandingOfPair(test, significance)});
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

ReportTable StepsTable(const ReportSteps& model) {
  ReportTable table;
  table.title = fmt::format("Errors of {} by step", model.model);
  table.note = "Rows are bars ahead; errors are of prices, naive is no change.";
  table.columns = {{"MAE", NumberFormat::kPlain, Better::kNeither, "mean absolute error"},
                   {"naive", NumberFormat::kPlain, Better::kNeither, "the naive forecast's MAE"},
                   {"RMSE", NumberFormat::kPlain, Better::kNeither, "root mean squared error"},
                   {"naive ", NumberFormat::kPlain, Better::kNeither, "the naive forecast's RMSE"},
                   {"MAPE", NumberFormat::kPercent, Better::kNeither, "mean error by price"},
                   {"naive  ", NumberFormat::kPercent, Better::kNeither, "the naive MAPE"}};
  const bool covers = std::isfinite(model.nominal);
  if (covers) {
    table.columns.push_back({fmt::format("{:.3g}% covers", 100 * model.nominal),
                             NumberFormat::kPercent, Better::kNeither,
                             "share of the outcomes inside the interval"});
  }
  for (const ReportSteps::Step& step : model.steps) {
    ReportRow row{std::to_string(step.horizon), false, {}};
    for (const double value :
         {step.mae, step.naive_mae, step.rmse, step.naive_rmse, step.mape, step.naive_mape}) {
      row.cells.push_back(Plain(value));
    }
    if (covers) row.cells.push_back(Plain(step.coverage));
    table.rows.push_back(std::move(row));
  }
  return table;
}

ReportPit PitOf(const QuantileEvaluation& evaluation) {
  ReportPit pit;
  pit.model = evaluation.model;
  for (const PitCell& cell : evaluation.pit) {
    pit.cells.push_back({cell.from, cell.to, cell.share.value, cell.share.interval.low,
                         cell.share.interval.high, cell.naive_share});
  }
  return pit;
}

std::vector<ReportReliability> ReliabilityOf(const ClassEvaluation& evaluation) {
  std::vector<ReportReliability> diagrams;
  for (const ClassResult& result : evaluation.classes) {
    const bool forecast =
        result.reliability[0].rows < evaluation.rows || result.reliability[0].mean_probability > 0;
    if (result.rows == 0 && !forecast) continue;  // there is nothing to see
    ReportReliability diagram{evaluation.model, result.name, {}};
    for (const ReliabilityBin& bin : result.reliability) {
      if (bin.rows == 0) continue;
      diagram.points.push_back({bin.mean_probability, bin.frequency.value,
                                bin.frequency.interval.low, bin.frequency.interval.high, bin.rows});
    }
    diagrams.push_back(std::move(diagram));
  }
  return diagrams;
}

std::vector<ReportKeyFigure> KeyFiguresOf(const ClassEvaluation& evaluation) {
  const auto figure = [](const char* label, const PairedEstimate& estimate, bool smaller,
                         NumberFormat format, const char* hint) {
    const Standing standing = StandingOf(estimate, smaller);
    const Tone tone = standing == Standing::kBetter  ? Tone::kGood
                      : standing == Standing::kWorse ? Tone::kBad
                                                     : Tone::kNeutral;
    return ReportKeyFigure{
        label, estimate.model.value, estimate.naive.value, "frequencies", format, tone, hint};
  };
  return {figure("Log loss", evaluation.log_loss, true, NumberFormat::kPlain,
                 "mean of -log of the probability of what happened; smaller is better"),
          figure("Accuracy", evaluation.accuracy, false, NumberFormat::kPercent,
                 "share of rows whose most probable class happened"),
          figure("AUC", evaluation.macro_auc, false, NumberFormat::kPlain,
                 "area under the ROC curve, mean over the classes; 0.5 knows nothing"),
          figure("Average precision", evaluation.macro_average_precision, false,
                 NumberFormat::kPlain, "mean over the classes")};
}

ReportHeatTable GroupsTable(std::span<const Evaluation> evaluations, const std::string& by,
                            std::vector<GroupResult> Evaluation::*groups, Space space,
                            Metric metric) {
  if (evaluations.empty()) RefuseEmpty("metrics");
  std::vector<std::string> models;
  for (const Evaluation& evaluation : evaluations) models.push_back(evaluation.model);
  ReportHeatTable table =
      EmptyHeat(fmt::format("{} of the {} by {}", Title(metric), Name(space), by), "", metric,
                models, evaluations.front().naive);
  for (const GroupResult& group : evaluations.front().*groups) {
    ReportHeatTable::Row row{group.label, std::vector<double>(models.size() + 1, kNotANumber)};
    row.values.back() = ValueIn(group, space, metric).second;
    for (size_t m = 0; m < evaluations.size(); ++m) {
      for (const GroupResult& own : evaluations[m].*groups) {
        if (own.label == group.label) row.values[m] = ValueIn(own, space, metric).first;
      }
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

ReportHeatTable HorizonsTable(std::span<const HorizonEvaluation> horizons, Space space,
                              Metric metric) {
  std::vector<std::string> models;
  std::string naive;
  for (const HorizonEvaluation& horizon : horizons) {
    for (const Evaluation& evaluation : horizon.models) {
      naive = evaluation.naive;
      if (std::find(models.begin(), models.end(), evaluation.model) == models.end()) {
        models.push_back(evaluation.model);
      }
    }
  }
  if (models.empty()) RefuseEmpty("metrics");
  ReportHeatTable table =
      EmptyHeat(fmt::format("{} of the {} by horizon", Title(metric), Name(space)),
                "Horizons in bars.", metric, models, naive);
  for (const HorizonEvaluation& horizon : horizons) {
    ReportHeatTable::Row row{std::to_string(horizon.horizon),
                             std::vector<double>(models.size() + 1, kNotANumber)};
    for (const Evaluation& evaluation : horizon.models) {
      const MetricResult* result = evaluation.Find(space, metric);
      if (result == nullptr) continue;
      const auto place = std::find(models.begin(), models.end(), evaluation.model);
      row.values[static_cast<size_t>(place - models.begin())] = result->model.value;
      row.values.back() = result->naive.value;
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

namespace {

// Of a table's values, which all have one.
Space SpaceOf(std::span<const HorizonEvaluation> horizons) {
  for (const HorizonEvaluation& horizon : horizons) {
    if (!horizon.models.empty()) return horizon.models.front().space;
  }
  return Space::kReturn;
}

void AddHorizon(const HorizonEvaluation& horizon, const std::string& suffix, double significance,
                ReportData& report) {
  const auto add = [&](ReportTable table) {
    table.title += suffix;
    report.forecast_tables.push_back(std::move(table));
  };
  for (const Evaluation& evaluation : horizon.models) {
    report.verdict.push_back(VerdictOf(evaluation, significance));
    report.verdict.back().text += suffix;
    for (const std::string& line : evaluation.assumptions) {
      if (std::find(report.assumptions.begin(), report.assumptions.end(), line) ==
          report.assumptions.end()) {
        report.assumptions.push_back(line);
      }
    }
  }
  for (const QuantileEvaluation& evaluation : horizon.quantiles) {
    report.verdict.push_back(
        {ToneOfTest(evaluation.test, significance), evaluation.verdict + suffix});
    report.pit.push_back(PitOf(evaluation));
    report.pit.back().model += suffix;
  }
  for (const ClassEvaluation& evaluation : horizon.classes) {
    report.verdict.push_back(
        {ToneOfTest(evaluation.log_loss_test, significance), evaluation.verdict + suffix});
  }
  if (horizon.comparison && horizon.comparison->models.size() > 2) {
    report.verdict.push_back({Tone::kNeutral, horizon.comparison->verdict + suffix});
  }
  if (!horizon.models.empty()) {
    for (ReportTable& table : MetricsTables(horizon.models)) add(std::move(table));
  }
  if (horizon.comparison) {
    add(ComparisonTable(*horizon.comparison, significance));
    if (horizon.comparison->models.size() > 2) add(PairsTable(*horizon.comparison, significance));
  }
  if (!horizon.rankings.empty()) {
    add(RankingTable(horizon.rankings));
    add(BucketTable(horizon.rankings));
  }
  if (!horizon.quantiles.empty()) add(QuantilesTable(horizon.quantiles));
  if (!horizon.classes.empty()) add(ClassesTable(horizon.classes));
  for (const ClassEvaluation& evaluation : horizon.classes) {
    add(ClassDetailTable(evaluation));
    add(ConfusionTable(evaluation));
    for (ReportReliability& diagram : ReliabilityOf(evaluation)) {
      diagram.model += suffix;
      report.reliability.push_back(std::move(diagram));
    }
  }
  if (horizon.models.empty()) return;
  const auto add_heat = [&](ReportHeatTable table) {
    table.title += suffix;
    if (!table.rows.empty()) report.by_month.push_back(std::move(table));
  };
  const Space space = horizon.models.front().space;
  for (const Metric metric : {Metric::kMae, Metric::kR2}) {
    add_heat(MonthsTable(horizon.models, space, metric));
    add_heat(GroupsTable(horizon.models, "volatility", &Evaluation::regimes, space, metric));
    add_heat(GroupsTable(horizon.models, "symbol", &Evaluation::symbols, space, metric));
  }
}

}  // namespace

ReportData ReportOf(const TableEvaluation& evaluation, const std::string& title,
                    double significance) {
  ReportData report;
  report.title = title;
  report.warnings = evaluation.notes;
  const bool several = evaluation.horizons.size() > 1;
  bool any_model = false;
  for (const HorizonEvaluation& horizon : evaluation.horizons) {
    const std::string suffix = several ? fmt::format(", {} {} ahead", horizon.horizon,
                                                     horizon.horizon == 1 ? "bar" : "bars")
                                       : "";
    AddHorizon(horizon, suffix, significance, report);
    any_model = any_model || !horizon.models.empty();
  }
  if (several && any_model) {
    const Space space = SpaceOf(evaluation.horizons);
    const Metric third = space == Space::kVolatility ? Metric::kQlike : Metric::kDirection;
    for (const Metric metric : {Metric::kMae, Metric::kR2, third}) {
      report.by_month.push_back(HorizonsTable(evaluation.horizons, space, metric));
    }
  }
  report.assumptions.push_back(fmt::format(
      "Volatility is the standard deviation of the last {} log returns known when a forecast was "
      "made; its three parts hold equally many rows of each symbol.",
      kVolatilityBars));
  report.facts = {{"symbols", fmt::format("{}", fmt::join(evaluation.symbols, ", "))}};
  return report;
}

}  // namespace almanac
