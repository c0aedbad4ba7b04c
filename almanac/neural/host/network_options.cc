#include "almanac/neural/host/network_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"

namespace almanac {
namespace {

const std::vector<std::string> kArchitectures = {"gru_attention", "lstm",  "dnn",
                                                 "cdnn",          "clstm", "tft"};
const std::vector<std::string> kLosses = {"mse", "mae", "huber"};
const std::vector<std::string> kOptimizers = {"adam", "adamw", "sgd"};
const std::vector<std::string> kSchedules = {"constant", "plateau", "cosine", "one_cycle"};

constexpr int64_t kMostSteps = 4096;
constexpr int64_t kMostUnits = 65536;
constexpr int64_t kMostLayers = 32;

template <typename Enum>
Enum FromName(const std::vector<std::string>& names, const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    throw Error(ErrorCode::kBadData, name, "is not one of these names",
                fmt::format("expected {}", fmt::join(names, ", ")));
  }
  return static_cast<Enum>(found - names.begin());
}

template <typename Enum>
Enum ReadChoice(const ConfigNode& node, const char* key, const std::vector<std::string>& names,
                Enum otherwise) {
  return FromName<Enum>(names, node.Choice(key, names, names[static_cast<size_t>(otherwise)]));
}

TrainingOptions ReadTraining(const ConfigNode& node, TrainingOptions options) {
  const auto count = [&](const char* key, int64_t* value, int64_t least) {
    *value = node.Int(key, *value, Range<int64_t>::AtLeast(least));
  };
  count("epochs", &options.epochs, 1);
  count("batch_size", &options.batch_size, 1);
  count("accumulate", &options.accumulate, 1);
  count("plateau_patience", &options.plateau_patience, 1);
  count("patience", &options.patience, 1);
  count("seed", &options.seed, 0);
  count("checkpoint_every", &options.checkpoint_every, 1);
  options.optimizer = ReadChoice(node, "optimizer", kOptimizers, options.optimizer);
  options.schedule = ReadChoice(node, "schedule", kSchedules, options.schedule);
  options.learning_rate =
      node.Double("learning_rate", options.learning_rate, Range<double>::Above(0));
  options.weight_decay =
      node.Double("weight_decay", options.weight_decay, Range<double>::AtLeast(0));
  options.momentum = node.Double("momentum", options.momentum, Range<double>::Between(0, 0.999));
  options.plateau_factor =
      node.Double("plateau_factor", options.plateau_factor, Range<double>::Between(0.01, 0.99));
  options.clip = node.Double("clip", options.clip, Range<double>::AtLeast(0));
  options.validation =
      node.Double("validation", options.validation, Range<double>::Between(0.01, 0.5));
  options.device = node.String("device", options.device);
  const std::string& device = options.device;
  const bool numbered =
      device.size() > 5 && device.rfind("cuda:", 0) == 0 &&
      std::all_of(device.begin() + 5, device.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (device != "auto" && device != "cpu" && device != "cuda" && !numbered) {
    throw Error(ErrorCode::kUsage, node.Place("device"), "\"" + device + "\" is no device",
                "use auto, cpu, cuda or cuda:N");
  }
  return options;
}

void CheckQuantiles(const std::vector<double>& quantiles, const std::string& place) {
  if (quantiles.empty()) return;
  double previous = 0;
  for (const double percent : quantiles) {
    if (!(percent > previous && percent < 100)) {
      throw Error(ErrorCode::kUsage, place, fmt::format("{} is out of order", percent),
                  "list percentages above 0 and below 100, ascending, such as [10, 50, 90]");
    }
    previous = percent;
  }
  if (std::find(quantiles.begin(), quantiles.end(), 50.0) == quantiles.end()) {
    throw Error(ErrorCode::kUsage, place, "the median is not among them",
                "add 50: it is the forecast's value");
  }
}

Json TrainingJson(const TrainingOptions& options) {
  return {{"epochs", options.epochs},
          {"batch_size", options.batch_size},
          {"accumulate", options.accumulate},
          {"optimizer", Name(options.optimizer)},
          {"learning_rate", options.learning_rate},
          {"weight_decay", options.weight_decay},
          {"momentum", options.momentum},
          {"schedule", Name(options.schedule)},
          {"plateau_patience", options.plateau_patience},
          {"plateau_factor", options.plateau_factor},
          {"patience", options.patience},
          {"clip", options.clip},
          {"seed", options.seed},
          {"checkpoint_every", options.checkpoint_every},
          {"validation", options.validation},
          {"device", options.device}};
}

TrainingOptions TrainingFromJson(const Json& json) {
  TrainingOptions options;
  json.at("epochs").get_to(options.epochs);
  json.at("batch_size").get_to(options.batch_size);
  json.at("accumulate").get_to(options.accumulate);
  options.optimizer = FromName<Optimizer>(kOptimizers, json.at("optimizer"));
  json.at("learning_rate").get_to(options.learning_rate);
  json.at("weight_decay").get_to(options.weight_decay);
  json.at("momentum").get_to(options.momentum);
  options.schedule = FromName<Schedule>(kSchedules, json.at("schedule"));
  json.at("plateau_patience").get_to(options.plateau_patience);
  json.at("plateau_factor").get_to(options.plateau_factor);
  json.at("patience").get_to(options.patience);
  json.at("clip").get_to(options.clip);
  json.at("seed").get_to(options.seed);
  json.at("checkpoint_every").get_to(options.checkpoint_every);
  json.at("validation").get_to(options.validation);
  json.at("device").get_to(options.device);
  return options;
}

}  // namespace

std::string_view Name(Architecture architecture) {
  return kArchitectures[static_cast<size_t>(architecture)];
}
const std::vector<std::string>& ArchitectureNames() { return kArchitectures; }
std::string_view Name(Loss loss) { return kLosses[static_cast<size_t>(loss)]; }
std::string_view Name(Optimizer optimizer) { return kOptimizers[static_cast<size_t>(optimizer)]; }
std::string_view Name(Schedule schedule) { return kSchedules[static_cast<size_t>(schedule)]; }

NetworkOptions NetworkOptions::Defaults(Architecture architecture) {
  NetworkOptions options;
  options.architecture = architecture;
  switch (architecture) {
    case Architecture::kGruAttention:
      options.dense = {64, 32};
      break;
    case Architecture::kLstm:
      options.hidden = 64;
      options.loss = Loss::kMae;
      break;
    case Architecture::kDnn:
      options.dense = {128, 64};
      break;
    case Architecture::kCdnn:
      options.channels = {32, 64};
      options.dense = {64};
      break;
    case Architecture::kClstm:
      options.channels = {32};
      options.hidden = 64;
      options.layers = 1;
      break;
    case Architecture::kTft:
      options.hidden = 32;
      options.dropout = 0.1;
      options.quantiles = {10, 50, 90};
      break;
  }
  return options;
}

NetworkOptions NetworkOptions::FromConfig(const ConfigNode& node) {
  const auto architecture = FromName<Architecture>(kArchitectures, node.String("kind"));
  NetworkOptions options = Defaults(architecture);
  options.steps = node.Int("steps", options.steps, Range<int64_t>::Between(1, kMostSteps));
  const auto units = Range<int64_t>::Between(1, kMostUnits);
  if (architecture == Architecture::kGruAttention || architecture == Architecture::kLstm ||
      architecture == Architecture::kClstm) {
    options.hidden = node.Int("hidden", options.hidden, units);
    options.layers = node.Int("layers", options.layers, Range<int64_t>::Between(1, kMostLayers));
  }
  if (architecture == Architecture::kTft) {
    options.hidden = node.Int("hidden", options.hidden, units);
    options.heads = node.Int("heads", options.heads, units);
    if (options.hidden % options.heads != 0) {
      throw Error(
          ErrorCode::kUsage, node.Place("heads"),
          fmt::format("{} units cannot be shared by {} heads", options.hidden, options.heads),
          "give a divisor of hidden");
    }
  } else {
    options.dense = node.Ints("dense", options.dense, units);
  }
  if (architecture == Architecture::kCdnn || architecture == Architecture::kClstm) {
    options.channels = node.Ints("channels", options.channels, units);
    options.kernel = node.Int("kernel", options.kernel, Range<int64_t>::Between(1, 255));
    if (options.kernel % 2 == 0) {
      throw Error(ErrorCode::kUsage, node.Place("kernel"), "is even",
                  "take an odd width, so that every step has a middle");
    }
  }
  options.dropout = node.Double("dropout", options.dropout, Range<double>::Between(0, 0.95));
  options.quantiles = node.Doubles("quantiles", options.quantiles, Range<double>::Between(0, 100));
  CheckQuantiles(options.quantiles, node.Place("quantiles"));
  if (options.quantiles.empty()) {
    options.loss = ReadChoice(node, "loss", kLosses, options.loss);
  } else if (node.Has("loss")) {
    throw Error(ErrorCode::kUsage, node.Place("loss"), "beside quantiles",
                "leave one out: quantiles are trained by the pinball loss");
  }
  options.across_gaps = node.Bool("across_gaps", false);
  options.training = ReadTraining(node.OptionalMap("training"), options.training);
  return options;
}

Json NetworkOptions::ToJson() const {
  return {{"kind", Name(architecture)},
          {"steps", steps},
          {"hidden", hidden},
          {"layers", layers},
          {"dropout", dropout},
          {"dense", dense},
          {"channels", channels},
          {"kernel", kernel},
          {"heads", heads},
          {"loss", Name(loss)},
          {"quantiles", quantiles},
          {"across_gaps", across_gaps},
          {"training", TrainingJson(training)}};
}

NetworkOptions NetworkOptions::FromJson(const Json& json) {
  NetworkOptions options;
  options.architecture = FromName<Architecture>(kArchitectures, json.at("kind"));
  json.at("steps").get_to(options.steps);
  json.at("hidden").get_to(options.hidden);
  json.at("layers").get_to(options.layers);
  json.at("dropout").get_to(options.dropout);
  json.at("dense").get_to(options.dense);
  json.at("channels").get_to(options.channels);
  json.at("kernel").get_to(options.kernel);
  json.at("heads").get_to(options.heads);
  options.loss = FromName<Loss>(kLosses, json.at("loss"));
  json.at("quantiles").get_to(options.quantiles);
  json.at("across_gaps").get_to(options.across_gaps);
  options.training = TrainingFromJson(json.at("training"));
  return options;
}

}  // namespace almanac
