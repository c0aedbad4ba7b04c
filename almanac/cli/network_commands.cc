// almanac train and predict: the networks of a recipe, trained, and their last forecasts beside
// what happened.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "almanac/base/config.h"
#include "almanac/base/error.h"
#include "almanac/base/json_file.h"
#include "almanac/base/text.h"
#include "almanac/cli/command.h"
#include "almanac/cli/recipe_flags.h"
#include "almanac/evaluate/table_evaluation.h"
#include "almanac/neural/host/module.h"
#include "almanac/neural/host/network_options.h"
#include "almanac/neural/host/pretrained_network.h"
#include "almanac/pipeline/pipeline.h"
#include "almanac/pipeline/recipe.h"
#include "almanac/pipeline/trained_forecasts.h"

namespace almanac {
namespace {

struct Flags {
  RecipeFlags recipe;
  std::string symbol, timeframe, model, device, precision;
  std::optional<int64_t> epochs, batch_size;
  std::optional<double> learning_rate;
  bool force = false;
  std::string checkpoint = "best";
  size_t predictions = 10;
};

bool IsNetwork(const std::string& kind) {
  const std::vector<std::string>& kinds = ArchitectureNames();
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

// The flags as settings over the recipe; those of training go to every network in it.
ConfigOptions SettingsOf(const Flags& flags) {
  ConfigOptions options = ToConfigOptions(flags.recipe);
  if (!flags.symbol.empty()) options.sets.push_back(fmt::format("data.symbols=[{}]", flags.symbol));
  if (!flags.timeframe.empty()) options.sets.push_back("data.timeframe=" + flags.timeframe);
  Json training = Json::object();
  if (flags.epochs) training["epochs"] = *flags.epochs;
  if (flags.batch_size) training["batch_size"] = *flags.batch_size;
  if (flags.learning_rate) training["learning_rate"] = *flags.learning_rate;
  if (!flags.device.empty()) training["device"] = flags.device;
  if (!flags.precision.empty()) training["precision"] = flags.precision;
  if (training.empty()) return options;
  Json models = ConfigDocument::Load(flags.recipe.file, options).ToJson().value("models", Json());
  for (Json& model : models) {
    if (!IsNetwork(model.value("kind", ""))) continue;
    if (!model.contains("training")) model["training"] = Json::object();
    model["training"].update(training);
  }
  options.sets.push_back("models=" + models.dump());
  return options;
}

std::vector<std::string> NetworksOf(const Recipe& recipe) {
  std::vector<std::string> names;
  for (const ModelSection& model : recipe.models) {
    if (IsNetwork(model.kind) || model.kind == kPretrained) names.push_back(model.name);
  }
  if (!names.empty()) return names;
  throw Error(ErrorCode::kUsage, recipe.name, "the recipe has no network",
              fmt::format("give it a model of kind {}, or use almanac run",
                          fmt::join(ArchitectureNames(), ", ")));
}

// What the stage train left of one network.
void SayTraining(const std::string& detail, const Json& learnt, const Invocation& invocation) {
  if (!learnt.contains("training")) {  // a pretrained one
    invocation.Say(detail);
    return;
  }
  const Json& training = learnt.at("training");
  TextTable table({">epoch", ">loss", ">validation", ">rate"});
  const Json& epochs = training.at("epochs");
  const auto best = training.at("best_epoch").get<size_t>();
  for (size_t e = 0; e < epochs.size(); ++e) {
    const Json& epoch = epochs[e];
    table.AddRow({fmt::format("{}{}", e + 1 == best ? "best " : "", e + 1),
                  fmt::format("{:.6f}", epoch.at("training").get<double>()),
                  fmt::format("{:.6f}", epoch.at("validation").get<double>()),
                  fmt::format("{:.3g}", epoch.at("learning_rate").get<double>())});
  }
  invocation.Say(fmt::format("{}: {} parameters, {} windows learnt from, {} judged on, on {}",
                             detail, FormatCount(learnt.at("parameters").get<int64_t>()),
                             FormatCount(training.at("windows").get<int64_t>()),
                             FormatCount(training.at("validation_windows").get<int64_t>()),
                             training.at("device").get<std::string>()));
  invocation.Say(table.Render());
  if (!training.contains("collapse")) return;
  const auto verdict = training.at("collapse").at("verdict").get<std::string>();
  if (!verdict.empty()) invocation.Warn("warning: " + detail + ": " + verdict);
}

int RunTrain(const Flags& flags, Invocation& invocation) {
  const Recipe recipe = LoadRecipe(flags.recipe.file, SettingsOf(flags), invocation.home());
  const std::vector<std::string> networks = NetworksOf(recipe);
  RunOptions options;
  options.until = "train";
  if (flags.force) options.force = {"train"};
  const RunResult result = RunRecipe(recipe, invocation.home(), options, invocation.progress());
  Json document = Json::array();
  for (const StageReport& stage : result.stages) {
    if (stage.stage != "train") continue;
    const std::string model = stage.detail.substr(0, stage.detail.find(' '));
    if (std::find(networks.begin(), networks.end(), model) == networks.end()) continue;
    const Json learnt =
        ReadJsonFile(stage.artifact / "training.json", "delete the folder and train again")
            .at("learnt");
    document.push_back(
        {{"model", model}, {"artifact", stage.artifact.string()}, {"learnt", learnt}});
    SayTraining(stage.detail, learnt, invocation);
    invocation.Say("model: " + (stage.artifact / "model").string());
  }
  invocation.PrintJson(document);
  return 0;
}

// What is shown of a row: its price, or its volatility.
double ShownOf(const ForecastTable& table, size_t row) {
  switch (table.quantity) {
    case Quantity::kReturn:
      return table.price[row] * (1 + table.value[row]);
    case Quantity::kLogReturn:
      return table.price[row] * std::exp(table.value[row]);
    case Quantity::kPrice:
    case Quantity::kVolatility:
      break;
  }
  return table.value[row];
}

// The close at `known_at`; none if there is no such bar.
std::optional<double> CloseAt(const CandleSeries& bars, TimeMs known_at) {
  const TimeMs open = known_at - bars.key.timeframe.duration();
  const auto bar = std::lower_bound(bars.open_time.begin(), bars.open_time.end(), open);
  if (bar == bars.open_time.end() || *bar != open) return std::nullopt;
  return bars.close[static_cast<size_t>(bar - bars.open_time.begin())];
}

// What became of a row, where it is known.
std::optional<double> ActualOf(const TrainedForecasts& forecasts, size_t row) {
  const ForecastTable& table = forecasts.table;
  for (const CandleSeries& bars : forecasts.series) {
    if (bars.key.symbol != table.symbol[row]) continue;
    if (table.quantity != Quantity::kVolatility) return CloseAt(bars, table.target_time[row]);
    const Labels labels = BuildLabels(VolatilitySpec{table.horizon[row]}, bars);
    const auto label = std::lower_bound(labels.t0.begin(), labels.t0.end(), table.made_at[row]);
    if (label == labels.t0.end() || *label != table.made_at[row]) return std::nullopt;
    const double value = labels.value[static_cast<size_t>(label - labels.t0.begin())];
    return std::isnan(value) ? std::nullopt : std::optional(value);
  }
  return std::nullopt;
}

// When the earliest of the last `count` instants is.
TimeMs FirstOfLast(const ForecastTable& table, size_t count) {
  std::vector<TimeMs> instants = table.made_at;
  std::sort(instants.begin(), instants.end());
  instants.erase(std::unique(instants.begin(), instants.end()), instants.end());
  return instants[instants.size() - std::min(count, instants.size())];
}

// The last instants' forecasts, every step of them.
Json LastForecasts(const TrainedForecasts& forecasts, size_t count, const Invocation& invocation) {
  const ForecastTable& table = forecasts.table;
  const TimeMs from = FirstOfLast(table, count);
  TextTable text({"symbol", "made at", ">step", ">price then", ">forecast", ">actual", ">error"});
  const auto shown = [&](double value) {
    return table.quantity == Quantity::kVolatility ? fmt::format("{:.3f} %", 100 * value)
                                                   : fmt::format("{:.2f}", value);
  };
  Json rows = Json::array();
  for (size_t i = 0; i < table.rows(); ++i) {
    if (table.made_at[i] < from) continue;
    const double forecast = ShownOf(table, i);
    const std::optional<double> actual = ActualOf(forecasts, i);
    text.AddRow(
        {table.symbol[i], FormatTime(table.made_at[i]), std::to_string(table.horizon[i]),
         fmt::format("{:.2f}", table.price[i]), shown(forecast),
         actual ? shown(*actual) : "not known",
         actual ? (*actual < forecast ? "-" : "+") + shown(std::abs(*actual - forecast)) : ""});
    rows.push_back({{"symbol", table.symbol[i]},
                    {"made_at", FormatTime(table.made_at[i])},
                    {"target_time", FormatTime(table.target_time[i])},
                    {"horizon", table.horizon[i]},
                    {"price", table.price[i]},
                    {"forecast", forecast},
                    {"actual", actual ? Json(*actual) : Json(nullptr)}});
  }
  invocation.Say(text.Render());
  return rows;
}

// The last instants' probabilities, a column a class.
Json LastClasses(const ForecastTable& table, size_t count, const Invocation& invocation) {
  std::vector<std::string> titles = {"symbol", "made at", "due", ">price then"};
  for (const ForecastTable::Extra& extra : table.extra) titles.push_back(">" + extra.name);
  TextTable text(titles);
  Json rows = Json::array();
  const TimeMs from = FirstOfLast(table, count);
  for (size_t i = 0; i < table.rows(); ++i) {
    if (table.made_at[i] < from) continue;
    std::vector<std::string> cells = {table.symbol[i], FormatTime(table.made_at[i]),
                                      FormatTime(table.target_time[i]),
                                      fmt::format("{:.2f}", table.price[i])};
    Json row = {{"symbol", table.symbol[i]},
                {"made_at", FormatTime(table.made_at[i])},
                {"target_time", FormatTime(table.target_time[i])},
                {"price", table.price[i]}};
    for (const ForecastTable::Extra& extra : table.extra) {
      cells.push_back(fmt::format("{:.3f}", extra.values[i]));
      row[extra.name] = extra.values[i];
    }
    text.AddRow(std::move(cells));
    rows.push_back(std::move(row));
  }
  invocation.Say(text.Render());
  return rows;
}

void SayClassMetrics(const TableEvaluation& evaluation, const Invocation& invocation) {
  for (const HorizonEvaluation& horizon : evaluation.horizons) {
    for (const ClassEvaluation& model : horizon.classes) {
      TextTable text({"", ">" + model.model, ">frequencies"});
      const auto add = [&](const char* name, const PairedEstimate& estimate) {
        text.AddRow({name, fmt::format("{:.4f}", estimate.model.value),
                     fmt::format("{:.4f}", estimate.naive.value)});
      };
      add("log loss", model.log_loss);
      add("Brier score", model.brier);
      add("accuracy", model.accuracy);
      add("AUC", model.macro_auc);
      invocation.Say(fmt::format("{} forecasts, beside the classes' frequencies in the past:",
                                 FormatCount(static_cast<int64_t>(model.rows))));
      invocation.Say(text.Render());
      invocation.Say(model.verdict);
    }
  }
}

// By step, the model's and the naive forecast's: MAE, RMSE and MAPE in price units, of volatilities
// MAE, RMSE and QLIKE.
void SayMetrics(const TableEvaluation& evaluation, bool of_volatility,
                const Invocation& invocation) {
  const Metric third = of_volatility ? Metric::kQlike : Metric::kMape;
  std::vector<std::string> titles = {">step", ">forecasts"};
  for (const Metric metric : {Metric::kMae, Metric::kRmse, third}) {
    titles.push_back(">" + std::string(Title(metric)));
    titles.emplace_back(">naive");
  }
  TextTable text(titles);
  for (const HorizonEvaluation& horizon : evaluation.horizons) {
    for (const Evaluation& model : horizon.models) {
      std::vector<std::string> row = {std::to_string(horizon.horizon),
                                      FormatCount(static_cast<int64_t>(model.rows))};
      for (const Metric metric : {Metric::kMae, Metric::kRmse, third}) {
        const MetricResult* result =
            model.Find(of_volatility ? Space::kVolatility : Space::kPrice, metric);
        const auto cell = [&](double value) {
          const bool percent = metric == Metric::kMape || (of_volatility && metric != third);
          return percent ? fmt::format("{:.3f} %", 100 * value) : fmt::format("{:.3f}", value);
        };
        row.push_back(cell(result->model.value));
        row.push_back(cell(result->naive.value));
      }
      text.AddRow(std::move(row));
    }
  }
  invocation.Say(of_volatility
                     ? "volatilities, beside the naive forecast (the last equally long time):"
                     : "prices, beside the naive forecast (no change):");
  invocation.Say(text.Render());
  for (const HorizonEvaluation& horizon : evaluation.horizons) {
    for (const QuantileEvaluation& quantiles : horizon.quantiles) {
      for (const CoverageResult& interval : quantiles.intervals) {
        invocation.Say(fmt::format("step {}: the {:.0f} % interval held {:.1f} % of the outcomes",
                                   horizon.horizon, 100 * interval.nominal,
                                   100 * interval.coverage.model.value));
      }
    }
  }
  if (!evaluation.horizons.empty() && !evaluation.horizons.back().models.empty()) {
    invocation.Say(evaluation.horizons.back().models.front().verdict);
  }
}

int RunPredict(const Flags& flags, Invocation& invocation) {
  const Checkpoint checkpoint =
      flags.checkpoint == "final" ? Checkpoint::kFinal : Checkpoint::kBest;
  const Recipe recipe = LoadRecipe(flags.recipe.file, SettingsOf(flags), invocation.home());
  const std::vector<std::string> networks = NetworksOf(recipe);
  const std::string model = flags.model.empty() ? networks.front() : flags.model;
  if (std::find(networks.begin(), networks.end(), model) == networks.end()) {
    throw Error(ErrorCode::kUsage, "--model " + model, "is no network of the recipe",
                fmt::format("its networks are {}", fmt::join(networks, ", ")));
  }
  const TrainedForecasts forecasts = ForecastTestPart(
      recipe, invocation.home(), model,
      [checkpoint](const std::filesystem::path& folder) {
        return Networks().LoadForecaster(folder, checkpoint);
      },
      invocation.progress());
  if (forecasts.table.rows() == 0) {
    throw Error(ErrorCode::kBadData, model, "gives no forecast of the test part",
                "give more data, a smaller steps, or across_gaps: true");
  }
  TableOptions options;
  options.bootstrap = recipe.evaluate.bootstrap;
  options.significance = recipe.evaluate.significance;
  const bool of_classes = !recipe.classes().empty();
  if (of_classes) options.class_target = recipe.target;
  const TableEvaluation evaluation = EvaluateTable(forecasts.table, forecasts.series, options);
  invocation.Say(fmt::format("{} ({} weights), the last forecasts of the test part:", model,
                             flags.checkpoint));
  const Json rows = of_classes ? LastClasses(forecasts.table, flags.predictions, invocation)
                               : LastForecasts(forecasts, flags.predictions, invocation);
  const bool of_volatility = forecasts.table.quantity == Quantity::kVolatility;
  of_classes ? SayClassMetrics(evaluation, invocation)
             : SayMetrics(evaluation, of_volatility, invocation);
  invocation.PrintJson({{"model", model},
                        {"model_type", flags.checkpoint},
                        {"predictions", rows},
                        {"evaluation", ToJson(evaluation)}});
  return 0;
}

void AddSharedFlags(CLI::App& command, Flags& flags) {
  AddRecipeFlags(command, flags.recipe);
  command.add_option("--symbol", flags.symbol, "Instead of the recipe's symbols");
  command.add_option("--timeframe", flags.timeframe, "Instead of the recipe's");
  command.add_option("--epochs", flags.epochs, "At most so many, for every network");
  command.add_option("--batch-size", flags.batch_size, "Windows a step");
  command.add_option("--lr", flags.learning_rate, "Learning rate");
  command.add_option("--device", flags.device, "auto, cpu, cuda or cuda:N");
  command.add_option("--precision", flags.precision, "float32, mixed (on CUDA) or auto");
}

}  // namespace

void RegisterNetworkCommands(CLI::App& app, Invocation& invocation) {
  const auto flags = std::make_shared<Flags>();
  CLI::App* train = app.add_subcommand("train", "Train the models of a recipe; resumable");
  AddSharedFlags(*train, *flags);
  train->add_flag("--force", flags->force, "Train again although it was done");
  train->callback([flags, &invocation] {
    invocation.action = [flags, &invocation] { return RunTrain(*flags, invocation); };
  });

  CLI::App* predict =
      app.add_subcommand("predict", "A network's forecasts of the test part, and their errors");
  AddSharedFlags(*predict, *flags);
  predict->add_option("--model", flags->model, "Its name in the recipe; else the first network");
  predict->add_option("--model-type", flags->checkpoint, "Weights: best or final")
      ->check(CLI::IsMember({"best", "final"}));
  predict->add_option("--num-predictions", flags->predictions, "Instants to print")
      ->check(CLI::PositiveNumber);
  predict->callback([flags, &invocation] {
    invocation.action = [flags, &invocation] { return RunPredict(*flags, invocation); };
  });
}

}  // namespace almanac
