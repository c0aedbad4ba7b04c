#include "almanac/neural/host/network_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "almanac/base/error.h"

namespace almanac {
namespace {

const std::vector<std::string> kArchitectures = {"gru_attention", "lstm",  "dnn",
                                                 "cdnn",          "clstm", "tft"};
const std::vector<std::string> kLosses = {"mse", "mae", "huber"};
const std::vector<std::string> kOptimizers = {"adam", "adamw", "sgd"};
const std::vector<std::string> kSchedules = {"constant", "plateau", "cosine", "one_cycle"};
const std::vector<std::string> kPrecisions = {"float32", "mixed", "auto"};

constexpr int64_t kMostSteps = 4096;
constexpr int64_t kMostUnits = 65536;
constexpr int64_t kMostLayers = 32;
constexpr int64_t kWidestKernel = 255;

template <typename Enum>
Enum FromName(const std::vector<std::string>& names, const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    throw Error(ErrorCode::kBadData, name, "is not one of these names",
                fmt::format("expected {}", fmt::join(names, ", ")));
  }
  return static_cast<Enum>(found - names.begin());
}

// The one table of the options: calls visit(key, field, limits) for each of them. Limits are a
// Range, the names of an enumeration's values, or Unlimited. Options may be const.
struct Unlimited {};

template <typename Training, typename Visitor>
void VisitTraining(Training& training, const Visitor& visit) {
  const auto at_least = [](int64_t least) { return Range<int64_t>::AtLeast(least); };
  visit("epochs", training.epochs, at_least(1));
  visit("batch_size", training.batch_size, at_least(1));
  visit("accumulate", training.accumulate, at_least(1));
  visit("optimizer", training.optimizer, kOptimizers);
  visit("learning_rate", training.learning_rate, Range<double>::Above(0));
  visit("weight_decay", training.weight_decay, Range<double>::AtLeast(0));
  visit("momentum", training.momentum, Range<double>::Between(0, 0.999));
  visit("schedule", training.schedule, kSchedules);
  visit("plateau_patience", training.plateau_patience, at_least(1));
  visit("plateau_factor", training.plateau_factor, Range<double>::Between(0.01, 0.99));
  visit("patience", training.patience, at_least(1));
  visit("clip", training.clip, Range<double>::AtLeast(0));
  visit("seed", training.seed, at_least(0));
  visit("checkpoint_every", training.checkpoint_every, at_least(1));
  visit("validation", training.validation, Range<double>::Between(0.01, 0.5));
  visit("device", training.device, Unlimited());
  visit("precision", training.precision, kPrecisions);
}

template <typename Network, typename Visitor>
void VisitNetwork(Network& options, const Visitor& visit) {
  const auto units = Range<int64_t>::Between(1, kMostUnits);
  visit("steps", options.steps, Range<int64_t>::Between(1, kMostSteps));
  visit("hidden", options.hidden, units);
  visit("layers", options.layers, Range<int64_t>::Between(1, kMostLayers));
  visit("heads", options.heads, units);
  visit("dense", options.dense, units);
  visit("channels", options.channels, units);
  visit("kernel", options.kernel, Range<int64_t>::Between(1, kWidestKernel));
  visit("dropout", options.dropout, Range<double>::Between(0, 0.95));
  visit("quantiles", options.quantiles, Range<double>::Between(0, 100));
  visit("loss", options.loss, kLosses);
  visit("across_gaps", options.across_gaps, Unlimited());
}

// Which of them a recipe may give: a key that an architecture has no use for is unknown there.
bool IsKeyOf(Architecture architecture, std::string_view key) {
  const bool is_tft = architecture == Architecture::kTft;
  const bool is_dense = architecture == Architecture::kDnn || architecture == Architecture::kCdnn;
  if (key == "hidden") return !is_dense;
  if (key == "layers") return !is_dense && !is_tft;
  if (key == "heads") return is_tft;
  if (key == "dense") return !is_tft;
  if (key == "channels" || key == "kernel") {
    return architecture == Architecture::kCdnn || architecture == Architecture::kClstm;
  }
  return true;
}

// A field from a recipe; what is not given stays as it is.
struct ConfigReader {
  const ConfigNode& node;
  void operator()(const char* key, int64_t& field, const Range<int64_t>& range) const {
    field = node.Int(key, field, range);
  }
  void operator()(const char* key, double& field, const Range<double>& range) const {
    field = node.Double(key, field, range);
  }
  void operator()(const char* key, std::vector<int64_t>& field, const Range<int64_t>& range) const {
    field = node.Ints(key, field, range);
  }
  void operator()(const char* key, std::vector<double>& field, const Range<double>& range) const {
    field = node.Doubles(key, field, range);
  }
  void operator()(const char* key, bool& field, Unlimited /*limits*/) const {
    field = node.Bool(key, field);
  }
  void operator()(const char* key, std::string& field, Unlimited /*limits*/) const {
    field = node.String(key, field);
  }
  template <typename Enum>
  void operator()(const char* key, Enum& field, const std::vector<std::string>& names) const {
    field = FromName<Enum>(names, node.Choice(key, names, names[static_cast<size_t>(field)]));
  }
};

struct JsonWriter {
  Json& json;
  template <typename Field, typename Limits>
  void operator()(const char* key, const Field& field, const Limits& limits) const {
    if constexpr (std::is_enum_v<Field>) {
      json[key] = limits[static_cast<size_t>(field)];
    } else {
      json[key] = field;
    }
  }
};

struct JsonReader {
  const Json& json;
  template <typename Field, typename Limits>
  void operator()(const char* key, Field& field, const Limits& limits) const {
    if constexpr (std::is_enum_v<Field>) {
      field = FromName<Field>(limits, json.at(key));
    } else {
      json.at(key).get_to(field);
    }
  }
};

void CheckDevice(const std::string& device, const std::string& place) {
  const bool numbered =
      device.size() > 5 && device.rfind("cuda:", 0) == 0 &&
      std::all_of(device.begin() + 5, device.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (device != "auto" && device != "cpu" && device != "cuda" && !numbered) {
    throw Error(ErrorCode::kUsage, place, "\"" + device + "\" is no device",
                "use auto, cpu, cuda or cuda:N");
  }
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

}  // namespace

std::string_view Name(Architecture architecture) {
  return kArchitectures[static_cast<size_t>(architecture)];
}
const std::vector<std::string>& ArchitectureNames() { return kArchitectures; }
std::string_view Name(Loss loss) { return kLosses[static_cast<size_t>(loss)]; }
std::string_view Name(Optimizer optimizer) { return kOptimizers[static_cast<size_t>(optimizer)]; }
std::string_view Name(Schedule schedule) { return kSchedules[static_cast<size_t>(schedule)]; }
std::string_view Name(Precision precision) { return kPrecisions[static_cast<size_t>(precision)]; }

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
  const ConfigReader read{node};
  VisitNetwork(options, [&](const char* key, auto& field, const auto& limits) {
    if (IsKeyOf(architecture, key)) read(key, field, limits);
  });
  if (architecture == Architecture::kTft && options.hidden % options.heads != 0) {
    throw Error(ErrorCode::kUsage, node.Place("heads"),
                fmt::format("{} units cannot be shared by {} heads", options.hidden, options.heads),
                "give a divisor of hidden");
  }
  if (IsKeyOf(architecture, "kernel") && options.kernel % 2 == 0) {
    throw Error(ErrorCode::kUsage, node.Place("kernel"), "is even",
                "take an odd width, so that every step has a middle");
  }
  CheckQuantiles(options.quantiles, node.Place("quantiles"));
  if (!options.quantiles.empty() && node.Has("loss")) {
    throw Error(ErrorCode::kUsage, node.Place("loss"), "beside quantiles",
                "leave one out: quantiles are trained by the pinball loss");
  }
  const ConfigNode training = node.OptionalMap("training");
  VisitTraining(options.training, ConfigReader{training});
  CheckDevice(options.training.device, training.Place("device"));
  if (options.training.precision == Precision::kMixed && options.training.device == "cpu") {
    throw Error(ErrorCode::kUsage, training.Place("precision"), "mixed, on the CPU",
                "mixed precision is for CUDA devices; say auto, or float32");
  }
  return options;
}

void NetworkOptions::CheckTarget(const std::vector<std::string>& classes) const {
  if (classes.empty()) return;
  const auto refuse = [&](const char* key, const char* remedy) {
    throw Error(ErrorCode::kUsage, key,
                fmt::format("the target is of classes: {}", fmt::join(classes, ", ")), remedy);
  };
  if (!quantiles.empty()) {
    refuse("quantiles", architecture == Architecture::kTft
                            ? "say quantiles: [], or take a target of numbers"
                            : "leave quantiles out, or take a target of numbers");
  }
  if (loss != Defaults(architecture).loss) {
    refuse("loss", "leave it out: classes are learnt by cross-entropy");
  }
}

Json NetworkOptions::ToJson() const {
  Json json = {{"kind", Name(architecture)}, {"training", Json::object()}};
  VisitNetwork(*this, JsonWriter{json});
  VisitTraining(training, JsonWriter{json["training"]});
  return json;
}

NetworkOptions NetworkOptions::FromJson(const Json& json) {
  NetworkOptions options;
  options.architecture = FromName<Architecture>(kArchitectures, json.at("kind"));
  VisitNetwork(options, JsonReader{json});
  Json training = json.at("training");
  // Networks that were trained before there was a choice.
  if (!training.contains("precision")) training["precision"] = Name(Precision::kFloat32);
  VisitTraining(options.training, JsonReader{training});
  return options;
}

}  // namespace almanac
