// almanac run RECIPE.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/cli/command.h"
#include "almanac/cli/recipe_flags.h"
#include "almanac/pipeline/pipeline.h"

namespace almanac {
namespace {

std::string_view Name(StageStatus status) {
  switch (status) {
    case StageStatus::kComplete:
      return "complete";
    case StageStatus::kMade:
      return "made";
    case StageStatus::kToDo:
      return "to do";
    case StageStatus::kUnknown:
      return "after the stages before it";
  }
  return "";
}

Json ToJson(const RunResult& result) {
  Json stages = Json::array();
  for (const StageReport& stage : result.stages) {
    stages.push_back({{"stage", stage.stage},
                      {"detail", stage.detail},
                      {"status", Name(stage.status)},
                      {"artifact", stage.artifact.string()},
                      {"result", stage.result}});
  }
  Json reports = Json::array();
  for (const auto& report : result.reports) reports.push_back(report.string());
  Json results = Json::object();
  for (const auto& [symbol, text] : result.results) results[symbol] = Json::parse(text);
  return {{"run", result.run_id},
          {"folder", result.folder.string()},
          {"did_nothing", result.did_nothing},
          {"stages", std::move(stages)},
          {"reports", std::move(reports)},
          {"results", std::move(results)}};
}

void SayPlan(const RunResult& result, const Invocation& invocation) {
  TextTable table({"stage", "of", "status", "artifact"});
  for (const StageReport& stage : result.stages) {
    table.AddRow({stage.stage, stage.detail, std::string(Name(stage.status)),
                  stage.artifact.empty() ? "" : stage.artifact.filename().string()});
  }
  invocation.Say("plan of " + result.run_id + " (nothing was done):");
  invocation.Say(table.Render());
}

void SayResult(const RunResult& result, const Invocation& invocation) {
  if (result.did_nothing) {
    invocation.Say(fmt::format("nothing to do: all {} stages of {} are complete\n",
                               result.stages.size(), result.run_id));
  }
  if (!result.summary.empty()) invocation.Say(result.summary);
  for (const auto& report : result.reports) invocation.Say("report  " + report.string());
}

int Run(const RecipeFlags& flags, const RunOptions& options, Invocation& invocation) {
  const Recipe recipe = LoadRecipe(flags.file, ToConfigOptions(flags), invocation.home());
  const RunResult result = RunRecipe(recipe, invocation.home(), options, invocation.progress());
  invocation.PrintJson(ToJson(result));
  if (options.dry_run) {
    SayPlan(result, invocation);
  } else {
    SayResult(result, invocation);
  }
  return 0;
}

}  // namespace

void RegisterRunCommand(CLI::App& app, Invocation& invocation) {
  const auto flags = std::make_shared<RecipeFlags>();
  const auto options = std::make_shared<RunOptions>();
  CLI::App* command = app.add_subcommand("run", "Run a recipe from data to report; resumable");
  AddRecipeFlags(*command, *flags);
  command->add_flag("--dry-run", options->dry_run, "Print the plan and do nothing");
  command->add_option("--force", options->force,
                      "Make this stage again, and what depends on it (repeatable)");
  command->add_option("--until", options->until, "Stop after this stage");
  command->callback([flags, options, &invocation] {
    invocation.action = [flags, options, &invocation] { return Run(*flags, *options, invocation); };
  });
}

}  // namespace almanac
