#include "almanac/forecast/baseline.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/file.h"

namespace almanac {
namespace {

constexpr char kFile[] = "constant.json";

}  // namespace

std::unique_ptr<ConstantForecaster> ConstantForecaster::Load(Rule rule,
                                                             const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / kFile;
  const std::string text = ReadFile(file);
  auto forecaster = std::make_unique<ConstantForecaster>(rule);
  try {
    forecaster->value_ = Json::parse(text).at("value").get<double>();
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::kBadData, file.string(), error.what(),
                "expected a saved " + forecaster->kind() + " forecaster");
  }
  return forecaster;
}

FitReport ConstantForecaster::Fit(const FitInput& input) {
  if (input.data.target_unit() == "price") {
    throw Error(ErrorCode::kUsage, kind() + " forecaster",
                "the target " + input.data.target_name() + " is a price",
                "forecast its return: kind: forward_return");
  }
  FitReport report;
  if (rule_ == Rule::kNaive) {
    value_ = 0.0;
    return report;
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

Prediction ConstantForecaster::Predict(const Dataset&, std::span<const uint32_t> rows) const {
  if (!value_) {
    throw Error(ErrorCode::kUsage, kind() + " forecaster", "Predict before Fit", "fit it first");
  }
  Prediction prediction;
  prediction.value.assign(rows.size(), *value_);
  return prediction;
}

Json ConstantForecaster::Describe() const {
  return {{"kind", kind()}, {"value", value_ ? Json(*value_) : Json(nullptr)}};
}

void ConstantForecaster::Save(const std::filesystem::path& folder) const {
  if (!value_) {
    throw Error(ErrorCode::kUsage, kind() + " forecaster", "Save before Fit", "fit it first");
  }
  WriteFileAtomic(folder / kFile, Describe().dump(2) + "\n");
}

}  // namespace almanac
