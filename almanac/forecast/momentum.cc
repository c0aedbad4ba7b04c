#include "almanac/forecast/momentum.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/file.h"

namespace almanac {
namespace {

constexpr char kFile[] = "momentum.json";

}  // namespace

MomentumForecaster::MomentumForecaster(MomentumOptions options) : options_(std::move(options)) {
  if (!(options_.ic > 0 && options_.ic <= 1)) {
    throw Error(ErrorCode::kUsage, "momentum forecaster", "an ic of " + std::to_string(options_.ic),
                "above 0 and at most 1, such as 0.05");
  }
}

std::unique_ptr<MomentumForecaster> MomentumForecaster::FromConfig(const ConfigNode& config) {
  MomentumOptions options;
  options.feature = config.String("feature");
  options.ic = config.Double("ic", options.ic, Range<double>{0.0, 1.0, true});
  return std::make_unique<MomentumForecaster>(std::move(options));
}

std::unique_ptr<MomentumForecaster> MomentumForecaster::Load(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / kFile;
  const std::string text = ReadFile(file);
  try {
    const Json json = Json::parse(text);
    MomentumOptions options;
    options.feature = json.at("feature").get<std::string>();
    options.ic = json.at("ic").get<double>();
    auto forecaster = std::make_unique<MomentumForecaster>(std::move(options));
    forecaster->scale_ = json.at("scale").get<double>();
    return forecaster;
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::kBadData, file.string(), error.what(),
                "expected a saved momentum forecaster");
  }
}

size_t MomentumForecaster::ColumnIn(const Dataset& data) const {
  const auto& names = data.feature_names();
  const auto found = std::find(names.begin(), names.end(), options_.feature);
  if (found != names.end()) return static_cast<size_t>(found - names.begin());
  const auto near = NearestWord(options_.feature, names);
  throw Error(ErrorCode::kUsage, "momentum forecaster",
              "there is no feature called \"" + options_.feature + "\"",
              near ? "did you mean \"" + *near + "\"?" : "name one of the recipe's columns");
}

FitReport MomentumForecaster::Fit(const FitInput& input) {
  CheckTarget(input.data.target_classes());
  const Dataset& data = input.data;
  if (data.target_unit() == "price" || data.target_is_level() || !data.target_classes().empty()) {
    throw Error(ErrorCode::kUsage, "momentum forecaster",
                "the target " + data.target_name() + " is not a return",
                "forecast a return: kind: forward_return");
  }
  const std::span<const float> x = data.feature(ColumnIn(data));
  double feature_squares = 0, target_squares = 0;
  FitReport report;
  for (const uint32_t row : input.training.rows()) {
    const double target = data.target()[row];
    if (!std::isfinite(x[row]) || !std::isfinite(target)) {
      ++report.dropped;
      continue;
    }
    feature_squares += static_cast<double>(x[row]) * x[row];
    target_squares += target * target;
    ++report.rows;
  }
  if (report.rows == 0 || feature_squares == 0) {
    throw Error(ErrorCode::kBadData, data.symbol(),
                "no training row has " + options_.feature + " and a target",
                "give more data or a shorter window");
  }
  scale_ = options_.ic * std::sqrt(target_squares / feature_squares);
  return report;
}

Prediction MomentumForecaster::Predict(const Dataset& data, std::span<const uint32_t> rows) const {
  if (!scale_) {
    throw Error(ErrorCode::kUsage, "momentum forecaster", "Predict before Fit", "fit it first");
  }
  const std::span<const float> x = data.feature(ColumnIn(data));
  Prediction prediction;
  for (const uint32_t row : rows) {
    prediction.value.push_back(std::isfinite(x[row]) ? *scale_ * x[row]
                                                     : std::numeric_limits<double>::quiet_NaN());
  }
  return prediction;
}

Json MomentumForecaster::Describe() const {
  return {{"kind", kind()},
          {"feature", options_.feature},
          {"ic", options_.ic},
          {"scale", scale_ ? Json(*scale_) : Json(nullptr)}};
}

void MomentumForecaster::Save(const std::filesystem::path& folder) const {
  if (!scale_) {
    throw Error(ErrorCode::kUsage, "momentum forecaster", "Save before Fit", "fit it first");
  }
  WriteFileAtomic(folder / kFile, Describe().dump(2) + "\n");
}

}  // namespace almanac
