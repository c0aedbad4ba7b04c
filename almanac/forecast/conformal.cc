#include "almanac/forecast/conformal.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

#include "almanac/base/error.h"
#include "almanac/base/json_file.h"

namespace almanac {
namespace {

constexpr const char* kFile = "conformal.json";
constexpr const char* kInner = "model";
constexpr const char* kRemedy = "expected a saved conformal forecaster";
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
// Blocks of the training rows, the last of which is calibrated on where there is no validation
// part.
constexpr size_t kBlocks = 10;

// Which rows the wrapped forecaster stops by, and which its errors are measured on.
struct Halves {
  std::vector<uint32_t> stop, calibrate;
};

Halves SplitValidation(const Dataset& data, std::span<const uint32_t> validation) {
  Halves halves;
  const size_t middle = validation.size() / 2;
  halves.calibrate.assign(validation.begin() + static_cast<std::ptrdiff_t>(middle),
                          validation.end());
  const TimeMs first = data.times()[halves.calibrate.front()];
  for (const uint32_t row : validation.first(middle)) {
    if (data.label_end()[row] < first) halves.stop.push_back(row);
  }
  return halves;
}

void CheckPointForecasts(const Dataset& data, const Prediction& prediction) {
  if (data.target_classes().empty() && data.target_steps() == 1 && prediction.extra_names.empty()) {
    return;
  }
  throw Error(ErrorCode::kUsage, "conformal",
              "the wrapped model forecasts classes, quantiles or every step",
              "wrap one that forecasts one number");
}

// The errors that were known last, also in order of size.
class ErrorWindow {
 public:
  ErrorWindow(std::span<const double> errors, size_t most) : most_(most) {
    for (const double error : errors) Add(error);
  }
  void Add(double error) {
    recent_.push_back(error);
    sorted_.insert(std::upper_bound(sorted_.begin(), sorted_.end(), error), error);
    if (recent_.size() <= most_) return;
    sorted_.erase(std::lower_bound(sorted_.begin(), sorted_.end(), recent_.front()));
    recent_.pop_front();
  }
  std::span<const double> sorted() const { return sorted_; }

 private:
  size_t most_;
  std::deque<double> recent_;
  std::vector<double> sorted_;
};

}  // namespace

ConformalOptions ConformalOptions::FromConfig(const ConfigNode& node) {
  ConformalOptions options;
  options.adaptive = node.Choice("method", {"split", "adaptive"}, "split") == "adaptive";
  options.coverage = node.Double("coverage", options.coverage, Range<double>::Between(0.01, 0.999));
  if (options.adaptive) {
    options.rate = node.Double("rate", options.rate, Range<double>::Between(0, 1));
    options.window = static_cast<size_t>(
        node.Int("window", static_cast<int64_t>(options.window), Range<int64_t>::AtLeast(20)));
  }
  return options;
}

Json ConformalOptions::ToJson() const {
  return {{"method", adaptive ? "adaptive" : "split"},
          {"coverage", coverage},
          {"rate", rate},
          {"window", window}};
}

ConformalOptions ConformalOptions::FromJson(const Json& json) {
  return {json.at("method").get<std::string>() == "adaptive", json.at("coverage").get<double>(),
          json.at("rate").get<double>(), json.at("window").get<size_t>()};
}

double ConformalWidth(std::span<const double> sorted_errors, double coverage) {
  if (coverage <= 0) return 0;
  const auto n = static_cast<double>(sorted_errors.size());
  // 1e-9: (n + 1) c is meant to be exact where it is a whole number.
  const double rank = std::ceil((n + 1) * coverage - 1e-9);
  return sorted_errors[static_cast<size_t>(std::clamp(rank, 1.0, n)) - 1];
}

ConformalForecaster::ConformalForecaster(ConformalOptions options,
                                         std::unique_ptr<Forecaster> inner)
    : options_(options), inner_(std::move(inner)) {}

FitReport ConformalForecaster::Fit(const FitInput& input) {
  const Dataset& data = input.data;
  FitInput inner = input;
  Halves halves;
  if (input.validation.size() >= 2) {
    halves = SplitValidation(data, input.validation);
  } else {
    TrainingFold fold = std::move(input.training.Folds(kBlocks - 1).back());
    inner.training = fold.training;
    halves.calibrate = std::move(fold.validation);
  }
  inner.validation = halves.stop;
  const FitReport report = inner_->Fit(inner);
  const Prediction prediction = inner_->Predict(data, halves.calibrate);
  CheckPointForecasts(data, prediction);
  errors_.clear();
  for (size_t i = 0; i < halves.calibrate.size(); ++i) {
    const double error = std::abs(prediction.value[i] - data.target()[halves.calibrate[i]]);
    if (std::isfinite(error)) errors_.push_back(error);
  }
  if (errors_.empty()) {
    throw Error(ErrorCode::kBadData, data.symbol(),
                "no calibration row has a forecast and a target",
                "give more data, or a larger validation part");
  }
  calibrated_until_ = data.times()[halves.calibrate.back()];
  return report;
}

Prediction ConformalForecaster::Predict(const Dataset& data, std::span<const uint32_t> rows) const {
  if (errors_.empty()) {
    throw Error(ErrorCode::kUsage, "conformal", "Predict before Fit", "fit it first");
  }
  Prediction prediction = inner_->Predict(data, rows);
  std::vector<double> widths;
  if (options_.adaptive) {
    widths = AdaptiveWidths(data, rows);
  } else {
    std::vector<double> sorted = errors_;
    std::sort(sorted.begin(), sorted.end());
    widths.assign(rows.size(), ConformalWidth(sorted, options_.coverage));
  }
  const double tail = 50 * (1 - options_.coverage);
  // Ten digits: 1 - 0.8 is not 0.2.
  prediction.extra_names = {fmt::format("q{:.10g}", tail), fmt::format("q{:.10g}", 100 - tail)};
  prediction.extra.resize(2);
  for (size_t i = 0; i < rows.size(); ++i) {
    prediction.extra[0].push_back(prediction.value[i] - widths[i]);
    prediction.extra[1].push_back(prediction.value[i] + widths[i]);
  }
  return prediction;
}

std::vector<double> ConformalForecaster::AdaptiveWidths(const Dataset& data,
                                                        std::span<const uint32_t> rows) const {
  // Every row from the calibration's end on, so that a width does not depend on which are asked
  // for.
  std::vector<uint32_t> all;
  const std::span<const TimeMs> times = data.times();
  const auto begin = std::upper_bound(times.begin(), times.end(), calibrated_until_);
  const uint32_t last = rows.empty() ? 0 : *std::max_element(rows.begin(), rows.end());
  for (auto row = static_cast<uint32_t>(begin - times.begin()); row <= last && row < data.rows();
       ++row) {
    all.push_back(row);
  }
  const std::vector<double> values = inner_->Predict(data, all).value;
  ErrorWindow window(errors_, options_.window);
  double miss_rate = 1 - options_.coverage;
  std::vector<double> width_of(data.rows(), ConformalWidth(window.sorted(), options_.coverage));
  size_t known = 0;  // rows whose outcome has been used
  for (size_t i = 0; i < all.size(); ++i) {
    // Outcomes become known in the order of their rows.
    for (; known < i && data.label_end()[all[known]] <= times[all[i]]; ++known) {
      const double error = std::abs(values[known] - data.target()[all[known]]);
      if (!std::isfinite(error)) continue;
      const double missed = error > width_of[all[known]] ? 1 : 0;
      miss_rate += options_.rate * ((1 - options_.coverage) - missed);
      window.Add(error);
    }
    width_of[all[i]] = ConformalWidth(window.sorted(), 1 - miss_rate);
  }
  std::vector<double> widths;
  widths.reserve(rows.size());
  for (const uint32_t row : rows) widths.push_back(width_of[row]);
  return widths;
}

Json ConformalForecaster::Describe() const {
  Json json = {{"kind", kind()}, {"options", options_.ToJson()}, {"model", inner_->Describe()}};
  if (errors_.empty()) return json;
  std::vector<double> sorted = errors_;
  std::sort(sorted.begin(), sorted.end());
  json["calibration_rows"] = errors_.size();
  json["width"] = ConformalWidth(sorted, options_.coverage);
  return json;
}

void ConformalForecaster::Save(const std::filesystem::path& folder) const {
  if (errors_.empty()) {
    throw Error(ErrorCode::kUsage, "conformal", "Save before Fit", "fit it first");
  }
  std::filesystem::create_directories(folder / kInner);
  SaveForecaster(*inner_, folder / kInner);
  WriteJsonFile(folder / kFile, {{"options", options_.ToJson()},
                                 {"errors", errors_},
                                 {"calibrated_until", calibrated_until_}});
}

std::unique_ptr<ConformalForecaster> ConformalForecaster::Load(const std::filesystem::path& folder,
                                                               const ForecasterKinds& kinds) {
  const Json json = ReadJsonFile(folder / kFile, kRemedy);
  try {
    auto forecaster = std::make_unique<ConformalForecaster>(
        ConformalOptions::FromJson(json.at("options")), kinds.Load(folder / kInner));
    forecaster->errors_ = json.at("errors").get<std::vector<double>>();
    forecaster->calibrated_until_ = json.at("calibrated_until").get<TimeMs>();
    return forecaster;
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::kBadData, (folder / kFile).string(), error.what(), kRemedy);
  }
}

ForecasterKind ConformalKind(const ForecasterKinds& kinds) {
  ForecasterKind kind;
  kind.make = [kinds](const ConfigNode& config) -> std::unique_ptr<Forecaster> {
    const ConformalOptions options = ConformalOptions::FromConfig(config);
    return std::make_unique<ConformalForecaster>(options, kinds.Make(config.Map("model")));
  };
  kind.load = [kinds](const std::filesystem::path& folder) -> std::unique_ptr<Forecaster> {
    return ConformalForecaster::Load(folder, kinds);
  };
  return kind;
}

}  // namespace almanac
