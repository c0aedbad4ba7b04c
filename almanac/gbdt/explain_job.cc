#include "almanac/gbdt/explain_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>
#include <numeric>

#include "almanac/base/config.h"
#include "almanac/base/error.h"
#include "almanac/base/parallel.h"
#include "almanac/base/text.h"
#include "almanac/gbdt/shap.h"

namespace almanac::gbdt {
namespace {

// The rows of a file that are looked at, columns in the model's order.
class Rows {
 public:
  Rows(const JobSettings& job, const Model& model, size_t most)
      : table_(LoadNumberTable(job.data, job.header)),
        columns_(MatchFeatures(model.feature_names, table_, job.roles)) {
    const size_t count = most == 0 ? table_.rows : std::min(most, table_.rows);
    for (size_t i = 0; i < count; ++i) rows_.push_back(i * table_.rows / count);
  }

  size_t size() const { return rows_.size(); }
  std::vector<double> Column(size_t c) const {
    std::vector<double> values;
    for (const size_t row : rows_) values.push_back(table_.columns[columns_[c]][row]);
    return values;
  }
  std::vector<double> Row(size_t r) const {
    std::vector<double> values;
    for (const size_t column : columns_) values.push_back(table_.columns[column][rows_[r]]);
    return values;
  }
  ColumnSource Source(const Model& model) const {
    return {size(), model.feature_names, [this](size_t c, std::span<double> out) {
              const std::vector<double> values = Column(c);
              std::copy(values.begin(), values.end(), out.begin());
            }};
  }

 private:
  NumberTable table_;
  std::vector<size_t> columns_, rows_;
};

size_t ColumnOf(const Model& model, const std::string& name) {
  const auto found = std::find(model.feature_names.begin(), model.feature_names.end(), name);
  if (found != model.feature_names.end()) {
    return static_cast<size_t>(found - model.feature_names.begin());
  }
  const std::optional<std::string> near = NearestWord(name, model.feature_names);
  throw Error(ErrorCode::kUsage, "--partial " + name, "the model has no such column",
              near ? "did you mean " + *near + "?" : "its file's feature_names lists them");
}

HeldColumns Hold(const Model& model, const Rows& rows, const std::vector<std::string>& names,
                 const ExplainSettings& settings) {
  if (names.empty() || names.size() > 2 || (names.size() == 2 && names[0] == names[1])) {
    throw Error(ErrorCode::kUsage, "--partial " + Join(names, ","),
                fmt::format("names {} columns", names.size()),
                "give one column, or two different ones");
  }
  HeldColumns held;
  DependenceGrid grid = settings.grid;
  if (names.size() == 2) grid.points = settings.points_of_two;
  for (const std::string& name : names) {
    held.columns.push_back(ColumnOf(model, name));
    held.axes.push_back(grid.Along(rows.Column(held.columns.back())));
  }
  return held;
}

std::vector<double> MeanShap(const Model& model, const Rows& rows) {
  const size_t width = model.columns() + 1;
  std::vector<std::vector<double>> of_row(rows.size());
  ParallelFor(rows.size(), [&](size_t r) { of_row[r] = ShapValues(model, rows.Row(r)); });
  std::vector<double> means(model.columns(), 0.0);
  const double weight = 1.0 / (static_cast<double>(rows.size()) * model.classes);
  for (const std::vector<double>& values : of_row) {
    for (size_t i = 0; i < values.size(); ++i) {
      if (i % width < means.size()) means[i % width] += std::abs(values[i]) * weight;
    }
  }
  return means;
}

std::vector<ColumnImportance> ImportanceOf(const Model& model, const std::vector<double>& shap) {
  const std::vector<double> splits = model.FeatureImportance(Importance::kSplits);
  const std::vector<double> gain = model.FeatureImportance(Importance::kGain);
  std::vector<ColumnImportance> columns;
  for (size_t c = 0; c < model.columns(); ++c) {
    if (splits[c] <= 0) continue;
    columns.push_back({model.feature_names[c], splits[c], gain[c], shap.empty() ? 0.0 : shap[c]});
  }
  std::stable_sort(columns.begin(), columns.end(),
                   [&](const ColumnImportance& a, const ColumnImportance& b) {
                     return shap.empty() ? a.gain > b.gain : a.shap > b.shap;
                   });
  return columns;
}

}  // namespace

Json Explanation::ToJson() const {
  Json importance = Json::array(), dependences = Json::array();
  for (const ColumnImportance& column : columns) {
    Json entry = {{"column", column.name}, {"splits", column.splits}, {"gain", column.gain}};
    if (has_shap) entry["mean_abs_shap"] = column.shap;
    importance.push_back(std::move(entry));
  }
  for (const Dependence& of : partial) {
    Json points = Json::array();
    for (size_t p = 0; p < of.held.points(); ++p) {
      const auto first = of.values.begin() + static_cast<std::ptrdiff_t>(p * classes);
      points.push_back(
          {{"at", of.held.Point(p)},
           {"values", std::vector<double>(first, first + static_cast<std::ptrdiff_t>(classes))}});
    }
    dependences.push_back({{"columns", of.names}, {"points", points}});
  }
  return {{"rows", rows}, {"importance", importance}, {"partial_dependence", dependences}};
}

std::string Explanation::PartialCsv() const {
  std::string text = "partial,x,y,class,value\n";
  for (const Dependence& of : partial) {
    for (size_t p = 0; p < of.held.points(); ++p) {
      const std::vector<double> at = of.held.Point(p);
      const std::string y = at.size() > 1 ? fmt::format("{:.17g}", at[1]) : "";
      for (size_t k = 0; k < classes; ++k) {
        fmt::format_to(std::back_inserter(text), "{},{:.17g},{},{},{:.17g}\n",
                       fmt::join(of.names, "*"), at[0], y, k, of.values[p * classes + k]);
      }
    }
  }
  return text;
}

Explanation ExplainFromFiles(const JobSettings& job, const ExplainSettings& settings) {
  if (job.input_model.empty()) {
    throw Error(ErrorCode::kUsage, "almanac gbdt", "no model is given", "give --model FILE");
  }
  const Model model = Model::Load(job.input_model);
  Explanation explanation;
  explanation.classes = static_cast<size_t>(model.classes);
  explanation.has_shap = settings.shap;
  if (!settings.shap && settings.partial.empty()) {
    explanation.columns = ImportanceOf(model, {});
    return explanation;
  }
  if (job.data.empty()) {
    throw Error(ErrorCode::kUsage, "almanac gbdt",
                "no data to look at is given, which SHAP values and partial dependence need",
                "give --data FILE");
  }
  const Rows rows(job, model, settings.most_rows);
  explanation.rows = rows.size();
  explanation.columns =
      ImportanceOf(model, settings.shap ? MeanShap(model, rows) : std::vector<double>());
  for (const std::vector<std::string>& names : settings.partial) {
    Dependence& of = explanation.partial.emplace_back();
    of.names = names;
    of.held = Hold(model, rows, names, settings);
    of.values = settings.by_paths
                    ? PathDependence(model, of.held)
                    : AverageDependence(model, rows.Source(model), of.held,
                                        job.raw ? Output::kRaw : Output::kTransformed);
  }
  return explanation;
}

}  // namespace almanac::gbdt
