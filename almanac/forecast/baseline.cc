#include "almanac/forecast/baseline.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/file.h"

namespace almanac {
namespace {

constexpr char kFile[] = "constant.json";

}  // namespace

std::unique_ptr<BaselineForecaster> BaselineForecaster::Load(Rule rule,
                                                             const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / kFile;
  const std::string text = ReadFile(file);
  auto forecaster = std::make_unique<BaselineForecaster>(rule);
  try {
    const Json json = Json::parse(text);
    if (json.contains("forecast")) {
      forecaster->value_ = std::nan("");
      forecaster->last_ = true;
    } else if (json.contains("classes")) {
      forecaster->value_ = std::nan("");
      forecaster->classes_ = json.at("classes").get<std::vector<std::string>>();
      forecaster->probability_ = json.at("probability").get<std::vector<double>>();
    } else {
      forecaster->value_ = json.at("value").get<double>();
    }
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::kBadData, file.string(), error.what(),
                "expected a saved " + forecaster->kind() + " forecaster");
  }
  return forecaster;
}

void BaselineForecaster::CheckTarget(const std::vector<std::string>& classes) const {
  if (classes.empty() || rule_ == Rule::kNaive) return;
  throw Error(ErrorCode::kUsage, kind(), "a target of classes has no mean",
              "leave it out: naive gives how often each class was");
}

std::vector<double> NaiveFrequencies(const std::vector<uint32_t>& outcomes, size_t classes) {
  std::vector<double> frequency(classes, 0.5);
  for (const uint32_t outcome : outcomes) frequency.at(outcome) += 1;
  const double sum = static_cast<double>(outcomes.size()) + 0.5 * static_cast<double>(classes);
  for (double& share : frequency) share /= sum;
  return frequency;
}

FitReport BaselineForecaster::FitClasses(const FitInput& input) {
  FitReport report;
  std::vector<uint32_t> outcomes;
  for (const uint32_t row : input.training.rows()) {
    const double target = input.data.target()[row];
    if (std::isfinite(target)) outcomes.push_back(static_cast<uint32_t>(target));
  }
  report.rows = outcomes.size();
  report.dropped = input.training.size() - report.rows;
  value_ = std::nan("");
  classes_ = input.data.target_classes();
  probability_ = NaiveFrequencies(outcomes, classes_.size());
  return report;
}

FitReport BaselineForecaster::Fit(const FitInput& input) {
  CheckTarget(input.data.target_classes());
  if (!input.data.target_classes().empty()) return FitClasses(input);
  FitReport report;
  if (rule_ == Rule::kNaive) {
    last_ = input.data.target_is_level();
    value_ = last_ ? std::nan("") : 0.0;
    return report;
  }
  if (input.data.target_unit() == "price") {
    throw Error(
        ErrorCode::kUsage, kind() + " forecaster",
        "the target " + input.data.target_name() + " is a price, of which a mean says nothing",
        "forecast its return: kind: forward_return");
  }
  double sum = 0;
  for (const uint32_t row : input.training.rows()) {
    const double target = input.data.target()[row];
    if (!std::isfinite(target)) {
      ++report.dropped;
      continue;
    }
    sum += target;
    ++report.rows;
  }
  if (report.rows == 0) {
    throw Error(ErrorCode::kBadData, input.data.symbol(), "no training row has a target",
                "give more data or a shorter horizon");
  }
  value_ = sum / static_cast<double>(report.rows);
  return report;
}

Prediction BaselineForecaster::Predict(const Dataset& data, std::span<const uint32_t> rows) const {
  if (!value_) {
    throw Error(ErrorCode::kUsage, kind() + " forecaster", "Predict before Fit", "fit it first");
  }
  Prediction prediction;
  prediction.value.assign(rows.size(), *value_);
  if (last_) {
    const std::vector<double> last = LastEnded(data.times(), data.label_end(), data.target());
    for (size_t i = 0; i < rows.size(); ++i) prediction.value[i] = last[rows[i]];
  }
  for (size_t c = 0; c < classes_.size(); ++c) {
    prediction.extra_names.push_back(ClassColumn(classes_[c]));
    prediction.extra.emplace_back(rows.size(), probability_[c]);
  }
  return prediction;
}

Json BaselineForecaster::Describe() const {
  if (!classes_.empty()) {
    return {{"kind", kind()}, {"classes", classes_}, {"probability", probability_}};
  }
  if (last_) return {{"kind", kind()}, {"forecast", "last"}};
  return {{"kind", kind()}, {"value", value_ ? Json(*value_) : Json(nullptr)}};
}

void BaselineForecaster::Save(const std::filesystem::path& folder) const {
  if (!value_) {
    throw Error(ErrorCode::kUsage, kind() + " forecaster", "Save before Fit", "fit it first");
  }
  WriteFileAtomic(folder / kFile, Describe().dump(2) + "\n");
}

}  // namespace almanac
