#include "almanac/neural/network_forecaster.h"

#include <ATen/Context.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "almanac/base/config.h"
#include "almanac/base/error.h"
#include "almanac/base/hash.h"
#include "almanac/base/json_file.h"
#include "almanac/neural/collapse.h"
#include "almanac/neural/importance.h"
#include "almanac/neural/saved_network.h"
#include "almanac/neural/tensor_file.h"

namespace almanac::neural {
namespace fs = std::filesystem;
namespace {

// Of everything that training reads: features, targets, and which rows are for what.
std::string HashOf(const Dataset& data, std::span<const uint32_t> training,
                   std::span<const uint32_t> validation) {
  Hasher hasher;
  for (size_t c = 0; c < data.features(); ++c) {
    hasher.Add(data.feature_names()[c])
        .AddBytes(data.feature(c).data(), data.feature(c).size_bytes());
  }
  hasher.AddBytes(data.times().data(), data.times().size_bytes());
  for (const auto& rows : {training, validation}) {
    hasher.Add(static_cast<int64_t>(rows.size())).AddBytes(rows.data(), rows.size_bytes());
    for (const uint32_t row : rows) {
      const std::span<const double> path = data.target_path(row);
      hasher.AddBytes(path.data(), path.size_bytes());
    }
  }
  return hasher.Finish();
}

std::vector<double> LevelsOf(const NetworkOptions& options) {
  std::vector<double> levels;
  for (const double percent : options.quantiles) levels.push_back(percent / 100);
  return levels;
}

// Which output is the forecast's value.
size_t MedianOf(const NetworkOptions& options) {
  const auto& levels = options.quantiles;
  return levels.empty()
             ? 0
             : static_cast<size_t>(std::find(levels.begin(), levels.end(), 50.0) - levels.begin());
}

}  // namespace

// Rows of the dataset that is learnt from, each with its symbol's own neighbours.
std::vector<WindowPart> PartsOf(const FitInput& input, std::span<const uint32_t> rows) {
  if (input.parts.empty()) return {{&input.data, {rows.begin(), rows.end()}, 0}};
  std::vector<WindowPart> parts;
  for (const Dataset* part : input.parts) {
    parts.push_back({part, {}, static_cast<int64_t>(parts.size())});
  }
  for (const uint32_t row : rows) {
    parts[input.origin[row].part].rows.push_back(input.origin[row].row);
  }
  return parts;
}

std::vector<const Dataset*> DatasetsOf(const FitInput& input) {
  if (input.parts.empty()) return {&input.data};
  return {input.parts.begin(), input.parts.end()};
}

// What a fit leaves behind, ready to answer.
struct NetworkForecaster::Fitted : SavedNetwork {
  explicit Fitted(SavedNetwork saved) : SavedNetwork(std::move(saved)) {}

  std::unique_ptr<Network> network;
  at::Device device = at::kCPU;
};

NetworkForecaster::NetworkForecaster(NetworkOptions options) : options_(std::move(options)) {}
NetworkForecaster::~NetworkForecaster() = default;

std::string NetworkForecaster::kind() const { return std::string(Name(options_.architecture)); }

void NetworkForecaster::CheckTarget(const std::vector<std::string>& classes) const {
  options_.CheckTarget(classes);
}

FitReport NetworkForecaster::Fit(const FitInput& input) {
  CheckTarget(input.data.target_classes());
  FitReport report;
  if (!input.validation.empty()) {
    Train(input, input.training, input.validation, &report);
    return report;
  }
  // The last of so many blocks of the training rows, purged, is judged on.
  const auto blocks =
      std::max<size_t>(2, static_cast<size_t>(std::lround(1 / options_.training.validation)));
  const std::vector<TrainingFold> folds = input.training.Folds(blocks - 1);
  Train(input, folds.back().training, folds.back().validation, &report);
  return report;
}

void NetworkForecaster::Train(const FitInput& input, const TrainingRows& training,
                              std::span<const uint32_t> validation, FitReport* report) {
  const Dataset& data = input.data;
  const std::vector<const Dataset*> datasets = DatasetsOf(input);
  auto fitted = std::make_unique<Fitted>(SavedNetwork{
      .options = options_,
      .shape = {},
      .scaler = StandardScaler::Fit(data, training),
      .target = TargetScale::Fit(data, training.rows()),
      .target_name = data.target_name(),
      .target_unit = data.target_unit(),
      .classes = data.target_classes(),
      .symbols = {},
      .calendar = RowCalendar::Of(datasets),
      .data_hash = HashOf(data, training.rows(), validation),
      .training = {},
      .best = {},
      .last = {},
  });
  for (const Dataset* dataset : datasets) fitted->symbols.push_back(dataset->symbol());
  const bool is_tft = options_.architecture == Architecture::kTft;
  fitted->shape = {options_.steps,
                   static_cast<int64_t>(data.features()),
                   static_cast<int64_t>(data.target_steps()),
                   /*outputs=*/1,
                   is_tft ? static_cast<int64_t>(kKnownInputs) : 0,
                   is_tft ? static_cast<int64_t>(datasets.size()) : 1};
  if (!options_.quantiles.empty()) {
    fitted->shape.outputs = static_cast<int64_t>(options_.quantiles.size());
  } else if (!fitted->classes.empty()) {
    fitted->shape.outputs = static_cast<int64_t>(fitted->classes.size());
  }
  const WindowSource::Options windows = WindowsOf(fitted->shape, /*with_target=*/true);
  const WindowSource learn(PartsOf(input, training.rows()), windows, fitted->calendar,
                           fitted->scaler, fitted->target);
  const WindowSource judge(PartsOf(input, validation), windows, fitted->calendar, fitted->scaler,
                           fitted->target);
  at::manual_seed(static_cast<uint64_t>(options_.training.seed));
  fitted->network = MakeNetwork(options_, fitted->shape);
  const std::string identity =
      Sha256(options_.ToJson().dump() + ToJson(fitted->shape).dump() + fitted->data_hash);
  const TrainingPlan plan{
      options_, LevelsOf(options_), !fitted->classes.empty(), learn, judge, input.work_folder,
      identity, input.note};
  TrainingResult result = TrainNetwork(plan, *fitted->network);
  fitted->device = at::Device(result.device);
  fitted->best = std::move(result.best);
  fitted->last = std::move(result.last);

  Json losses = Json::array();
  for (const EpochLoss& loss : result.epochs) {
    losses.push_back({{"training", loss.training},
                      {"validation", loss.validation},
                      {"learning_rate", loss.learning_rate}});
  }
  fitted->training = {{"epochs", losses},
                      {"best_epoch", result.best_epoch},
                      {"stopped_early", result.stopped_early},
                      {"steps", result.steps},
                      {"batch_size", result.batch_size},
                      {"windows", learn.size()},
                      {"validation_windows", judge.size()},
                      {"device", result.device},
                      {"precision", result.precision}};
  if (fitted->classes.empty()) {
    const CollapseReport collapse = JudgeForecasts(*fitted, judge);
    fitted->training["collapse"] = collapse.ToJson();
    if (!collapse.verdict.empty() && input.note) input.note("warning: " + collapse.verdict);
  }
  if (is_tft) {
    fitted->training["importance"] =
        ImportanceOf(*fitted->network, judge, fitted->device, data.feature_names());
    const std::vector<std::string> constant = ConstantKnown(datasets);
    fitted->training["constant_inputs"] = constant;
    if (!constant.empty() && input.note) {
      input.note(
          fmt::format("warning: {} are the same at every bar: their share in the selection "
                      "says nothing about the market",
                      fmt::join(constant, ", ")));
    }
  }
  report->rows = learn.size();
  report->dropped = training.size() - learn.size();
  fitted_ = std::move(fitted);
}

Prediction NetworkForecaster::Predict(const Dataset& data, std::span<const uint32_t> rows) const {
  if (fitted_ == nullptr) {
    throw Error(ErrorCode::kUsage, kind(), "Predict before Fit", "fit it first");
  }
  fitted_->scaler.RequireColumns(data);
  const Dataset* const alone[] = {&data};
  static_cast<void>(RowCalendar::Of(alone));  // of one symbol, or refused
  WindowPart part{&data, {rows.begin(), rows.end()}, 0};
  if (fitted_->shape.groups > 1) part.group = GroupOf(data.symbol());
  const WindowSource source({part}, WindowsOf(fitted_->shape, /*with_target=*/false),
                            fitted_->calendar, fitted_->scaler, fitted_->target);
  const at::Tensor answers = Answer(*fitted_->network, source, fitted_->device);
  // Where each window's row is among `rows`; rows without a window stay NaN.
  std::vector<size_t> places;
  for (size_t i = 0; i < rows.size() && places.size() < source.size(); ++i) {
    if (rows[i] == source.part(0).rows()[places.size()]) places.push_back(i);
  }
  std::vector<Prediction> steps;
  for (int64_t h = 0; h < fitted_->shape.horizons; ++h) {
    steps.push_back(ReadStep(answers, h, places, rows.size()));
  }
  Prediction prediction = std::move(steps.back());
  steps.pop_back();
  prediction.earlier = std::move(steps);
  return prediction;
}

WindowSource::Options NetworkForecaster::WindowsOf(const NetworkShape& shape,
                                                   bool with_target) const {
  return {static_cast<size_t>(shape.steps), options_.across_gaps, with_target, shape.known > 0,
          static_cast<size_t>(shape.horizons)};
}

int64_t NetworkForecaster::GroupOf(const std::string& symbol) const {
  const std::vector<std::string>& symbols = fitted_->symbols;
  const auto found = std::find(symbols.begin(), symbols.end(), symbol);
  if (found != symbols.end()) return found - symbols.begin();
  const auto near = NearestWord(symbol, symbols);
  throw Error(ErrorCode::kBadData, symbol, "is none of the symbols that the network was trained on",
              near ? "did you mean " + *near + "?" : "train it with this symbol");
}

Prediction NetworkForecaster::ReadStep(const at::Tensor& answers, int64_t horizon,
                                       const std::vector<size_t>& places, size_t rows) const {
  const std::vector<double> nothing(rows, std::numeric_limits<double>::quiet_NaN());
  Prediction step;
  step.value = nothing;
  const bool is_class = !fitted_->classes.empty();
  for (const std::string& name : fitted_->classes) step.extra_names.push_back("p_" + name);
  for (const double percent : options_.quantiles) {
    step.extra_names.push_back(fmt::format("q{}", percent));
  }
  step.extra.assign(step.extra_names.size(), nothing);
  if (places.empty()) return step;
  at::Tensor values = answers.select(1, horizon).to(at::kDouble);  // (rows, outputs)
  if (is_class) {
    values = at::softmax(values, -1);
  } else {
    // Quantiles that cross are put in order (Chernozhukov et al. 2010).
    values = std::get<0>(at::sort(values, -1)) * fitted_->target.scale + fitted_->target.mean;
  }
  values = values.contiguous();
  const auto outputs = static_cast<size_t>(fitted_->shape.outputs);
  const double* numbers = values.data_ptr<double>();
  for (size_t w = 0; w < places.size(); ++w, numbers += outputs) {
    for (size_t e = 0; e < step.extra.size(); ++e) step.extra[e][places[w]] = numbers[e];
    if (!is_class) step.value[places[w]] = numbers[MedianOf(options_)];
  }
  return step;
}

CollapseReport NetworkForecaster::JudgeForecasts(const Fitted& fitted,
                                                 const WindowSource& judge) const {
  const at::Tensor answers = Answer(*fitted.network, judge, fitted.device)
                                 .select(1, fitted.shape.horizons - 1)
                                 .select(1, static_cast<int64_t>(MedianOf(options_)))
                                 .to(at::kDouble)
                                 .contiguous();
  std::vector<double> forecasts, targets;
  for (size_t w = 0; w < judge.size(); ++w) {
    forecasts.push_back(fitted.target.Inverse(answers.data_ptr<double>()[w]));
    targets.push_back(judge.Target(w, judge.horizons() - 1));
  }
  return FindCollapse(forecasts, targets, std::max<size_t>(judge.RowsAhead(0), 1),
                      fitted.target_unit == "price");
}

Json NetworkForecaster::Describe() const {
  Json json = {{"kind", kind()}, {"options", options_.ToJson()}};
  if (fitted_ == nullptr) return json;
  json["shape"] = ToJson(fitted_->shape);
  json["parameters"] = fitted_->network->parameters().Count();
  json["target"] = {{"name", fitted_->target_name},
                    {"unit", fitted_->target_unit},
                    {"classes", fitted_->classes},
                    {"scale", fitted_->target.ToJson()}};
  json["data"] = {{"hash", fitted_->data_hash},
                  {"calendar", fitted_->calendar.ToJson()},
                  {"symbols", fitted_->symbols}};
  json["training"] = fitted_->training;
  return json;
}

void NetworkForecaster::Save(const fs::path& folder) const {
  if (fitted_ == nullptr) throw Error(ErrorCode::kUsage, kind(), "Save before Fit", "fit it first");
  Json json = Describe();
  json["scaler"] = fitted_->scaler.ToJson();
  WriteJsonFile(folder / kNetworkFile, json);
  SaveTensors(fitted_->best, folder / kBestWeights);
  SaveTensors(fitted_->last, folder / kFinalWeights);
}

std::unique_ptr<NetworkForecaster> NetworkForecaster::Load(const fs::path& folder,
                                                           Checkpoint checkpoint) {
  SavedNetwork saved = ReadSavedNetwork(folder);
  try {
    auto forecaster = std::make_unique<NetworkForecaster>(saved.options);
    auto fitted = std::make_unique<Fitted>(std::move(saved));
    fitted->network = MakeNetwork(forecaster->options_, fitted->shape);
    fitted->network->parameters().Restore(checkpoint == Checkpoint::kBest ? fitted->best
                                                                          : fitted->last);
    fitted->device = FindDevice(forecaster->options_.training.device == "auto" ? "auto" : "cpu");
    fitted->network->parameters().MoveTo(fitted->device);
    forecaster->fitted_ = std::move(fitted);
    return forecaster;
  } catch (const Error& error) {
    throw error.Within(folder.string());
  }
}

}  // namespace almanac::neural
