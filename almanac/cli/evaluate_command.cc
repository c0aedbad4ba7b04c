// almanac evaluate FORECASTS: what forecasts are worth, beside naive and beside each other.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "almanac/base/config.h"
#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/cli/command.h"
#include "almanac/cli/data_commands.h"
#include "almanac/evaluate/table_evaluation.h"
#include "almanac/pipeline/code_version.h"
#include "almanac/pipeline/forecast_files.h"
#include "almanac/report/from_table.h"

namespace almanac {
namespace fs = std::filesystem;
namespace {

struct EvaluateFlags {
  ForecastRequest request;
  TableOptions options;
  std::string from, to;
  std::string target;  // YAML
  fs::path report;
};

AnyTarget ParseTarget(const std::string& text) {
  const ConfigDocument document = ConfigDocument::Parse(text, "--target");
  AnyTarget target = AnyTargetFromConfig(document.root());
  document.RefuseUnknownKeys();
  return target;
}

std::string TitleOf(const EvaluateFlags& flags) {
  std::string title = "Forecasts of " + flags.request.sources.front();
  if (flags.request.sources.size() > 1) {
    title += fmt::format(" and {} more", flags.request.sources.size() - 1);
  }
  return title;
}

int Run(EvaluateFlags flags, Invocation& invocation) {
  if (!flags.from.empty()) flags.request.from = ParseTimeFlag("--from", flags.from);
  if (!flags.to.empty()) flags.request.to = ParseTimeFlag("--to", flags.to);
  if (!flags.target.empty()) flags.options.class_target = ParseTarget(flags.target);
  CheckOptions(flags.options.bootstrap);
  const ForecastsWithBars forecasts = LoadForecasts(flags.request, invocation.home());
  for (const std::string& note : forecasts.notes) invocation.Say(note);
  const TableEvaluation evaluation =
      EvaluateTable(forecasts.table, forecasts.series, flags.options);
  ReportData report = ReportOf(evaluation, TitleOf(flags), flags.options.significance);
  report.code_version = ProgramVersion();
  const bool us_stocks =
      std::any_of(forecasts.series.begin(), forecasts.series.end(),
                  [](const CandleSeries& bars) { return bars.key.market.starts_with("us-"); });
  if (us_stocks) {
    report.warnings.insert(report.warnings.begin(),
                           "survivorship bias: a list of symbols that exist today leaves out those "
                           "that failed");
  }
  const Json document = ToJson(evaluation);
  if (!flags.report.empty()) {
    fs::create_directories(flags.report);
    WriteFileAtomic(flags.report / "evaluation.json", document.dump(2) + "\n");
    WriteFileAtomic(flags.report / "report.html", RenderHtml(report));
  }
  invocation.PrintJson(document);
  std::string text = RenderText(report);
  if (!text.empty()) text.pop_back();
  invocation.Say(text);
  if (!flags.report.empty()) {
    invocation.Say("\nreport: " + (flags.report / "report.html").string());
  }
  return 0;
}

}  // namespace

void RegisterEvaluateCommand(CLI::App& app, Invocation& invocation) {
  const auto flags = std::make_shared<EvaluateFlags>();
  CLI::App* command =
      app.add_subcommand("evaluate", "Judge forecasts beside naive and beside each other");
  ForecastRequest& request = flags->request;
  TableOptions& options = flags->options;
  command
      ->add_option("FORECASTS", request.sources,
                   "Forecast tables (Parquet), artifacts' folders or runs (by name, recipe or "
                   "beginning)")
      ->required();
  command->add_option("--market", request.market, "Market of the bars, for tables and folders");
  command->add_option("--timeframe", request.timeframe, "Timeframe of the bars, likewise");
  command->add_option("--model", request.models, "Only this model (repeatable)")
      ->allow_extra_args(false);
  command->add_option("--from", flags->from, "Forecasts made from this time on (ISO 8601, UTC)");
  command->add_option("--to", flags->to, "Forecasts made before this time");
  command->add_option("--naive", options.naive, "The model that is the yardstick")
      ->capture_default_str();
  command->add_option("--target", flags->target,
                      "What class probabilities forecast, such as "
                      "'{kind: direction, horizon: 4}'");
  command->add_option("--replicates", options.bootstrap.replicates, "Resamples; 0: no intervals")
      ->capture_default_str();
  command->add_option("--seed", options.bootstrap.seed, "Of the resamples")->capture_default_str();
  command
      ->add_option("--block-length", options.bootstrap.block_length,
                   "Mean block of the resamples in instants; 0: chosen from the data")
      ->capture_default_str();
  command->add_option("--significance", options.significance, "Of the verdicts")
      ->check(CLI::Range(0.0001, 0.5))
      ->capture_default_str();
  command->add_option("--buckets", options.cross_section.buckets, "Parts of a ranking of symbols")
      ->check(CLI::Range(2, 100))
      ->capture_default_str();
  command->add_option("--report", flags->report,
                      "Write report.html and evaluation.json into this folder");
  command->callback([flags, &invocation] {
    invocation.action = [flags, &invocation] { return Run(*flags, invocation); };
  });
}

}  // namespace almanac
