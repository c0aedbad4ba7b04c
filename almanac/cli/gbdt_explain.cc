#include "almanac/cli/gbdt_explain.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/text.h"
#include "almanac/gbdt/config_file.h"
#include "almanac/gbdt/explain_job.h"

namespace almanac {
namespace {

struct Flags {
  std::string model, data, output, method = "average";
  std::vector<std::string> partial, settings;
  int64_t top = 20, points = 0, rows = 2000;
  bool raw = false, shap = false;
};

gbdt::ExplainSettings SettingsOf(const Flags& flags) {
  gbdt::ExplainSettings settings;
  for (const std::string& text : flags.partial) {
    std::vector<std::string>& names = settings.partial.emplace_back();
    for (const std::string_view name : Split(text, ',')) names.emplace_back(Trim(name));
  }
  settings.by_paths = flags.method == "paths";
  settings.shap = flags.shap;
  settings.most_rows = static_cast<size_t>(flags.rows);
  if (flags.points > 0) {
    settings.grid.points = settings.points_of_two = static_cast<size_t>(flags.points);
  }
  if (!flags.output.empty() && flags.partial.empty()) {
    throw Error(ErrorCode::kUsage, "--output " + flags.output,
                "is for partial dependence, which is not asked for",
                "give --partial COLUMN, or --json for the rest");
  }
  return settings;
}

std::string ImportanceTable(const gbdt::Explanation& explanation, size_t top) {
  double all = 0;
  for (const gbdt::ColumnImportance& column : explanation.columns) all += column.gain;
  std::vector<std::string> headings = {"column", ">splits", ">gain", ">share"};
  if (explanation.has_shap) headings.emplace_back(">mean |SHAP|");
  TextTable table(std::move(headings));
  for (size_t i = 0; i < std::min(top, explanation.columns.size()); ++i) {
    const gbdt::ColumnImportance& column = explanation.columns[i];
    std::vector<std::string> cells = {column.name, fmt::format("{}", column.splits),
                                      fmt::format("{:.4g}", column.gain),
                                      fmt::format("{:.1f} %", 100 * column.gain / all)};
    if (explanation.has_shap) cells.push_back(fmt::format("{:.4g}", column.shap));
    table.AddRow(std::move(cells));
  }
  return table.Render();
}

std::string PartialTable(const gbdt::Dependence& of, size_t classes) {
  std::vector<std::string> headings = of.names;
  for (size_t k = 0; k < classes; ++k) {
    headings.push_back(classes == 1 ? ">mean" : fmt::format(">class {}", k));
  }
  TextTable table(std::move(headings));
  for (size_t p = 0; p < of.held.points(); ++p) {
    std::vector<std::string> cells;
    for (const double value : of.held.Point(p)) cells.push_back(fmt::format("{:.6g}", value));
    for (size_t k = 0; k < classes; ++k) {
      cells.push_back(fmt::format("{:.6g}", of.values[p * classes + k]));
    }
    table.AddRow(std::move(cells));
  }
  return table.Render();
}

int RunExplain(const Flags& flags, Invocation& invocation) {
  const gbdt::ExplainSettings settings = SettingsOf(flags);
  gbdt::Settings given = gbdt::ParseAssignments(flags.settings);
  given.emplace_back("input_model", flags.model);
  if (!flags.data.empty()) given.emplace_back("data", flags.data);
  if (flags.raw) given.emplace_back("predict_raw_score", "true");
  const gbdt::JobSettings job = gbdt::JobSettings::Read({}, given, "almanac gbdt");
  const gbdt::Explanation explanation = gbdt::ExplainFromFiles(job, settings);
  invocation.PrintJson(explanation.ToJson());
  invocation.Say(ImportanceTable(explanation, static_cast<size_t>(flags.top)));
  if (!flags.output.empty()) {
    WriteFileAtomic(flags.output, explanation.PartialCsv());
    invocation.Say(flags.output);
    return 0;
  }
  for (const gbdt::Dependence& of : explanation.partial) {
    invocation.Say(PartialTable(of, explanation.classes));
  }
  return 0;
}

}  // namespace

void AddGbdtExplain(CLI::App& gbdt, Invocation& invocation) {
  const auto flags = std::make_shared<Flags>();
  CLI::App* explain = gbdt.add_subcommand("explain", "What a model has learnt");
  explain->add_option("--model", flags->model, "LightGBM's text format")
      ->type_name("FILE")
      ->required();
  explain->add_option("--data", flags->data, "CSV, TSV or .npy: rows to look at")
      ->type_name("FILE");
  explain
      ->add_option("--partial", flags->partial,
                   "Partial dependence on a column, or on two: A,B (may be repeated)")
      ->type_name("COLUMN")
      ->allow_extra_args(false);
  explain->add_option("--method", flags->method, "average over the rows, or the trees' own paths")
      ->check(CLI::IsMember({"average", "paths"}))
      ->capture_default_str();
  explain->add_option("--points", flags->points, "Of each column (100; of two columns 30)")
      ->check(CLI::Range(2, 10000));
  explain->add_option("--rows", flags->rows, "Rows to look at, evenly spread; 0: all")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  explain->add_option("--top", flags->top, "Columns to list")->capture_default_str();
  explain->add_flag("--shap", flags->shap, "The mean |SHAP value| of the columns, over the rows");
  explain->add_flag("--raw", flags->raw, "Averages of raw scores, not of probabilities");
  explain->add_option("--output,-o", flags->output, "Partial dependence as CSV")->type_name("FILE");
  explain->add_option("settings", flags->settings, "key=value, such as label_column=name:y")
      ->type_name("");
  explain->callback([flags, &invocation] {
    invocation.uses_home = false;
    invocation.action = [flags, &invocation] { return RunExplain(*flags, invocation); };
  });
}

}  // namespace almanac
