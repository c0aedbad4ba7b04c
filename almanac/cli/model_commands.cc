// almanac models: the trials that the registry knows, and networks' files.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "almanac/cli/command.h"
#include "almanac/cli/model_commands.h"
#include "almanac/registry/registry.h"

namespace almanac {
namespace {

Json Parsed(const std::string& text) { return Json::parse(text, nullptr, false); }

std::string Number(const Json& metrics, const char* name, const char* format) {
  const auto found = metrics.find(name);
  if (found == metrics.end() || !found->is_number()) return "-";
  return fmt::format(fmt::runtime(format), found->get<double>());
}

int List(int64_t limit, const Invocation& invocation) {
  Json document = Json::array();
  TextTable table({"run", "model", "recorded", ">MAE", ">MAE of naive", ">IC", ">Sharpe (annual)"});
  if (std::filesystem::exists(invocation.home().registry())) {
    const Registry registry(invocation.home().registry());
    for (const RunRecord& run : registry.Runs(static_cast<size_t>(limit))) {
      for (const TrialRecord& trial : registry.TrialsOfRun(run.id)) {
        const Json metrics = Parsed(trial.metrics_json);
        const double annual = trial.sharpe * std::sqrt(trial.periods_per_year);
        table.AddRow({run.id, trial.model, FormatTime(trial.recorded / 1000 * 1000),
                      Number(metrics, "mae", "{:.6f}"), Number(metrics, "mae_naive", "{:.6f}"),
                      Number(metrics, "ic", "{:.4f}"),
                      std::isfinite(annual) ? fmt::format("{:.2f}", annual) : "-"});
        document.push_back({{"run", run.id},
                            {"recipe", run.recipe_name},
                            {"model", trial.model},
                            {"baseline", trial.baseline},
                            {"problem", trial.key.problem},
                            {"dataset", trial.key.dataset},
                            {"config", trial.key.config},
                            {"recorded", FormatTime(trial.recorded)},
                            {"metrics", metrics}});
      }
    }
  }
  invocation.PrintJson(document);
  invocation.Say(document.empty() ? "no models yet; almanac run RECIPE trains some"
                                  : table.Render());
  return 0;
}

}  // namespace

void RegisterModelCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* models = app.add_subcommand("models", "Models that were trained and judged");
  models->require_subcommand(1);
  const auto limit = std::make_shared<int64_t>(20);
  CLI::App* list = models->add_subcommand("list", "Every trial, newest run first");
  list->add_option("--runs", *limit, "Of the newest so many runs (0: all)")
      ->check(CLI::Range(0, 1000000))
      ->capture_default_str();
  list->callback([limit, &invocation] {
    invocation.action = [limit, &invocation] { return List(*limit, invocation); };
  });
  AddNetworkFileCommands(*models, invocation);
}

}  // namespace almanac
