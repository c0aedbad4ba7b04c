// almanac gbdt train|predict|explain|screen: boosted trees on files, for people who know LightGBM's
// command line.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "almanac/base/error.h"
#include "almanac/base/parallel.h"
#include "almanac/base/text.h"
#include "almanac/cli/command.h"
#include "almanac/cli/gbdt_explain.h"
#include "almanac/cli/gbdt_screen.h"
#include "almanac/gbdt/config_file.h"
#include "almanac/gbdt/file_job.h"

namespace almanac {
namespace {

struct Flags {
  std::string config, data, model, output;
  std::vector<std::string> valid, settings;
  bool exact = false, raw = false, leaf = false, shap = false;
};

gbdt::JobSettings JobOf(const Flags& flags, const char* task, const Invocation& invocation) {
  gbdt::Settings given = gbdt::ParseAssignments(flags.settings);
  const auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) given.emplace_back(key, value);
  };
  const bool trains = std::string_view(task) == "train";
  add("data", flags.data);
  add("valid", Join(flags.valid, ","));
  add("input_model", flags.model);
  add(trains ? "output_model" : "output_result", flags.output);
  if (flags.raw) add("predict_raw_score", "true");
  if (flags.leaf) add("predict_leaf_index", "true");
  if (flags.shap) add("predict_contrib", "true");
  const gbdt::Settings config =
      flags.config.empty() ? gbdt::Settings() : gbdt::ReadConfig(flags.config);
  gbdt::JobSettings job =
      gbdt::JobSettings::Read(config, given, flags.config.empty() ? "almanac gbdt" : flags.config);
  // A configuration may be meant for both; what the command says counts.
  job.task = task;
  if (job.threads > 0 && invocation.threads == 0) SetThreadCount(job.threads);
  return job;
}

std::string MetricsText(const std::vector<gbdt::Evaluation>& evaluations, int round) {
  std::string text;
  for (const gbdt::Evaluation& evaluation : evaluations) {
    text += fmt::format("  {} {}: {:.6g}", evaluation.validation, evaluation.metric,
                        evaluation.values[static_cast<size_t>(round) - 1]);
  }
  return text;
}

Json TrainJson(const gbdt::TrainReport& report, const gbdt::JobSettings& job) {
  Json metrics = Json::object();
  for (const gbdt::Evaluation& evaluation : report.evaluations) {
    metrics[evaluation.validation][evaluation.metric] = evaluation.values;
  }
  return {{"model", job.output_model.string()},
          {"rows", report.rows},
          {"columns", report.columns},
          {"used_columns", report.used_columns},
          {"trees", report.model.trees.size()},
          {"rounds", report.model.rounds()},
          {"best_round", report.best_round},
          {"metrics", metrics},
          {"seconds",
           {{"read", report.read_seconds},
            {"bin", report.bin_seconds},
            {"train", report.train_seconds}}}};
}

int RunTrain(const Flags& flags, Invocation& invocation) {
  const gbdt::JobSettings job = JobOf(flags, "train", invocation);
  const gbdt::TrainReport report = gbdt::TrainFromFiles(
      job, flags.exact, [&](int rounds, const std::vector<gbdt::Evaluation>& evaluations) {
        if (evaluations.empty() || rounds % job.metric_freq != 0) return;
        invocation.Say(fmt::format("[{}]{}", rounds, MetricsText(evaluations, rounds)));
      });
  invocation.PrintJson(TrainJson(report, job));
  invocation.Say(fmt::format(
      "{} rows, {} columns ({} of use): read in {:.2f} s, binned in {:.2f} s, trained in {:.2f} s",
      FormatCount(static_cast<int64_t>(report.rows)),
      FormatCount(static_cast<int64_t>(report.columns)),
      FormatCount(static_cast<int64_t>(report.used_columns)), report.read_seconds,
      report.bin_seconds, report.train_seconds));
  if (report.best_round > 0) {
    invocation.Say(fmt::format("the best round is {}:{}", report.best_round,
                               MetricsText(report.evaluations, report.best_round)));
  }
  invocation.Say(fmt::format("{}: {} trees", job.output_model.string(),
                             FormatCount(static_cast<int64_t>(report.model.trees.size()))));
  return 0;
}

int RunPredict(const Flags& flags, Invocation& invocation) {
  const gbdt::JobSettings job = JobOf(flags, "predict", invocation);
  const gbdt::PredictReport report = gbdt::PredictFromFiles(job);
  invocation.PrintJson(
      {{"output", job.output_result.string()},
       {"rows", report.rows},
       {"columns", report.columns},
       {"seconds", {{"read", report.read_seconds}, {"predict", report.predict_seconds}}}});
  invocation.Say(fmt::format("{}: {} rows of {}", job.output_result.string(),
                             FormatCount(static_cast<int64_t>(report.rows)),
                             FormatCount(static_cast<int64_t>(report.columns))));
  return 0;
}

void AddSharedFlags(CLI::App& command, Flags& flags, const char* output) {
  command.add_option("--config", flags.config, "Settings in LightGBM's form, a key = value a line")
      ->type_name("FILE");
  command.add_option("--data", flags.data, "CSV, TSV or .npy")->type_name("FILE");
  command.add_option("--output,-o", flags.output, output)->type_name("FILE");
  command.add_option("settings", flags.settings, "key=value, counting more than the file's")
      ->type_name("");
}

}  // namespace

void RegisterGbdtCommand(CLI::App& app, Invocation& invocation) {
  CLI::App* gbdt = app.add_subcommand("gbdt", "Boosted trees on files, with LightGBM's settings");
  gbdt->require_subcommand(1);
  const auto flags = std::make_shared<Flags>();

  CLI::App* train = gbdt->add_subcommand("train", "Train a model");
  AddSharedFlags(*train, *flags, "The model, LightGBM's text format");
  train->add_option("--valid", flags->valid, "Data to judge on (may be repeated)")
      ->type_name("FILE")
      ->allow_extra_args(false);
  train->add_option("--model,--input-model", flags->model, "A model to go on from")
      ->type_name("FILE");
  train->add_flag("--exact", flags->exact, "LightGBM's sums in doubles: its model, bit for bit");
  train->callback([flags, &invocation] {
    invocation.uses_home = false;
    invocation.action = [flags, &invocation] { return RunTrain(*flags, invocation); };
  });

  CLI::App* predict = gbdt->add_subcommand("predict", "Predict with a model");
  AddSharedFlags(*predict, *flags, "The predictions, CSV without a header");
  predict->add_option("--model", flags->model, "LightGBM's text format")->type_name("FILE");
  predict->add_flag("--raw", flags->raw, "Raw scores, not probabilities");
  predict->add_flag("--leaf", flags->leaf, "The leaf of every tree");
  predict->add_flag("--shap", flags->shap, "Shapley values of the raw scores");
  predict->callback([flags, &invocation] {
    invocation.uses_home = false;
    invocation.action = [flags, &invocation] { return RunPredict(*flags, invocation); };
  });
  AddGbdtExplain(*gbdt, invocation);
  AddGbdtScreen(*gbdt, invocation);
}

}  // namespace almanac
