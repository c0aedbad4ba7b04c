#include "almanac/gbdt/gbdt_forecaster.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/gbdt/config_file.h"
#include "almanac/gbdt/train.h"

namespace almanac {
namespace {

constexpr char kFile[] = "gbdt.json";
// How many columns Describe lists.
constexpr size_t kMostImportant = 20;

// Columns of some rows of a dataset; both must outlive it.
gbdt::ColumnSource SourceOf(const Dataset& data, std::span<const uint32_t> rows) {
  gbdt::ColumnSource source;
  source.rows = rows.size();
  source.names = data.feature_names();
  source.read = [&data, rows](size_t c, std::span<double> out) {
    const std::span<const float> column = data.feature(c);
    for (size_t i = 0; i < rows.size(); ++i) out[i] = static_cast<double>(column[rows[i]]);
  };
  return source;
}

struct LabelledRows {
  std::vector<uint32_t> rows;
  std::vector<float> labels;
};

LabelledRows WithTarget(const Dataset& data, std::span<const uint32_t> rows) {
  LabelledRows labelled;
  for (const uint32_t row : rows) {
    const auto label = static_cast<float>(data.target()[row]);
    if (!std::isfinite(label)) continue;
    labelled.rows.push_back(row);
    labelled.labels.push_back(label);
  }
  return labelled;
}

// Whether `settings` name the parameter, by whichever of its names.
bool IsGiven(const gbdt::Settings& settings, std::string_view parameter) {
  return std::any_of(settings.begin(), settings.end(), [&](const auto& setting) {
    return gbdt::CanonicalParameter(setting.first) == parameter;
  });
}

Json ImportanceJson(const gbdt::Model& model, const std::vector<std::string>& names) {
  const std::vector<double> gain = model.FeatureImportance(gbdt::Importance::kGain);
  std::vector<size_t> order(gain.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return gain[a] > gain[b]; });
  Json json = Json::object();
  for (const size_t c : order) {
    if (gain[c] > 0 && json.size() < kMostImportant) json[names[c]] = gain[c];
  }
  return json;
}

}  // namespace

GbdtOptions GbdtOptions::FromConfig(const ConfigNode& node) {
  GbdtOptions options;
  const ConfigNode parameters = node.OptionalMap("parameters");
  options.parameters = gbdt::SettingsFromJson(parameters.ToJson());
  static_cast<void>(gbdt::Params::Parse(options.parameters, node.Place("parameters")));
  options.exact = node.Bool("exact", options.exact);
  options.quantiles = node.Doubles("quantiles", {}, Range<double>::Between(0, 100));
  try {
    static_cast<void>(GbdtForecaster(options));
  } catch (const Error& error) {
    throw error.Within(node.Place());
  }
  return options;
}

GbdtForecaster::GbdtForecaster(GbdtOptions options) : options_(std::move(options)) {
  double previous = 0;
  for (const double percent : options_.quantiles) {
    if (!(percent > previous && percent < 100)) {
      throw Error(ErrorCode::kUsage, "quantiles", fmt::format("{} is out of order", percent),
                  "list percentages above 0 and below 100, ascending, such as [5, 50, 95]");
    }
    previous = percent;
  }
}

void GbdtForecaster::CheckTarget(const std::vector<std::string>& classes) const {
  const auto refuse = [](const char* where, std::string what, std::string remedy) {
    throw Error(ErrorCode::kUsage, where, std::move(what), std::move(remedy));
  };
  const gbdt::Params params = gbdt::Params::Parse(options_.parameters, "parameters");
  const bool of_classes = params.objective == "binary" || params.objective == "multiclass";
  if (classes.empty()) {
    if (!of_classes) return;
    refuse("parameters.objective",
           fmt::format("{} forecasts classes, and the target is a number", params.objective),
           "take regression, regression_l1, huber or quantile, or a target of classes");
  }
  const std::string names = fmt::format("{}", fmt::join(classes, ", "));
  if (!options_.quantiles.empty()) {
    refuse("quantiles", "the target is of classes: " + names, "leave quantiles out");
  }
  if (!of_classes && IsGiven(options_.parameters, "objective")) {
    refuse("parameters.objective",
           fmt::format("{} forecasts numbers, and the target is of classes: {}", params.objective,
                       names),
           "leave the objective out");
  }
  if (params.objective == "binary" && classes.size() != 2) {
    refuse(
        "parameters.objective",
        fmt::format("binary is of two classes, and the target has {}: {}", classes.size(), names),
        "leave the objective out");
  }
  if (params.objective == "multiclass" && static_cast<size_t>(params.num_class) != classes.size()) {
    refuse("parameters.num_class",
           fmt::format("{}, and the target has {} classes: {}", params.num_class, classes.size(),
                       names),
           "leave objective and num_class out");
  }
}

std::string GbdtForecaster::NameOf(size_t model) const {
  if (!classes_.empty()) return "classes";
  return model == 0 ? "value" : fmt::format("q{}", options_.quantiles[model - 1]);
}

gbdt::Params GbdtForecaster::ParamsOf(size_t model) const {
  gbdt::Settings settings = options_.parameters;
  if (!classes_.empty() && !IsGiven(settings, "objective")) {
    const bool two = classes_.size() == 2;
    settings.emplace_back("objective", two ? "binary" : "multiclass");
    if (!two) settings.emplace_back("num_class", std::to_string(classes_.size()));
  }
  gbdt::Params params = gbdt::Params::Parse(settings, "parameters");
  params.exact = options_.exact;
  if (model == 0) return params;
  params.objective = "quantile";
  params.metric = {"quantile"};
  params.alpha = options_.quantiles[model - 1] / 100;
  return params;
}

FitReport GbdtForecaster::Fit(const FitInput& input) {
  CheckTarget(input.data.target_classes());
  classes_ = input.data.target_classes();
  const LabelledRows learn = WithTarget(input.data, input.training.rows());
  const LabelledRows judge = WithTarget(input.data, input.validation);
  if (learn.rows.empty()) {
    throw Error(ErrorCode::kBadData, input.data.symbol(), "no training row has a target",
                "give more data");
  }
  const auto data = gbdt::BinnedData::Make(SourceOf(input.data, learn.rows), ParamsOf(0));
  gbdt::BinnedData judged;
  std::vector<gbdt::Validation> validations;
  if (!judge.rows.empty()) {
    judged = data.WithSameBins(SourceOf(input.data, judge.rows));
    validations.push_back({"validation", judged, {judge.labels, {}}});
  }
  models_.clear();
  predictors_.clear();
  evaluations_.clear();
  features_ = input.data.feature_names();
  for (size_t m = 0; m <= options_.quantiles.size(); ++m) {
    gbdt::TrainResult result = gbdt::Train(ParamsOf(m), data, {learn.labels, {}}, validations);
    evaluations_.push_back(result.evaluations.empty() ? std::vector<double>()
                                                      : result.evaluations[0].values);
    predictors_.emplace_back(result.model);
    // The file rounds gains: what was read from it must describe itself alike.
    models_.push_back(gbdt::Model::FromText(result.model.ToText(), NameOf(m)));
  }
  return {learn.rows.size(), input.training.size() - learn.rows.size()};
}

Prediction GbdtForecaster::Predict(const Dataset& data, std::span<const uint32_t> rows) const {
  if (models_.empty()) {
    throw Error(ErrorCode::kUsage, "gbdt", "Predict before Fit", "fit it first");
  }
  if (data.feature_names() != features_) {
    throw Error(ErrorCode::kBadData, data.symbol(),
                "the columns are not those that the model was fitted on",
                "give the same features in the same order");
  }
  Prediction prediction;
  if (!classes_.empty()) {
    AddProbabilities(
        predictors_.front().PredictAll(SourceOf(data, rows), gbdt::Output::kTransformed),
        prediction);
    return prediction;
  }
  for (size_t m = 0; m < models_.size(); ++m) {
    std::vector<double> values =
        predictors_[m].PredictAll(SourceOf(data, rows), gbdt::Output::kRaw);
    if (m == 0) {
      prediction.value = std::move(values);
      continue;
    }
    prediction.extra_names.push_back(NameOf(m));
    prediction.extra.push_back(std::move(values));
  }
  return prediction;
}

// `scores`: one a row and class; of two classes the second's alone.
void GbdtForecaster::AddProbabilities(const std::vector<double>& scores,
                                      Prediction& prediction) const {
  const size_t scored = predictors_.front().classes(), rows = scores.size() / scored;
  prediction.value.assign(rows, std::nan(""));
  for (size_t c = 0; c < classes_.size(); ++c) {
    prediction.extra_names.push_back(ClassColumn(classes_[c]));
    std::vector<double>& column = prediction.extra.emplace_back(rows);
    for (size_t row = 0; row < rows; ++row) {
      column[row] = scored > 1 ? scores[row * scored + c] : c == 1 ? scores[row] : 1 - scores[row];
    }
  }
}

Json GbdtForecaster::Describe() const {
  Json parameters = Json::object(), models = Json::object();
  for (const auto& [name, value] : options_.parameters) parameters[name] = value;
  for (size_t m = 0; m < models_.size(); ++m) {
    models[NameOf(m)] = {{"rounds", models_[m].rounds()},
                         {"metric", ParamsOf(m).metric[0]},
                         {"validation", evaluations_[m]},
                         {"importance", ImportanceJson(models_[m], features_)}};
  }
  Json json = {{"kind", kind()},          {"parameters", parameters},
               {"exact", options_.exact}, {"quantiles", options_.quantiles},
               {"features", features_},   {"models", models}};
  if (!classes_.empty()) json["classes"] = classes_;
  return json;
}

void GbdtForecaster::Save(const std::filesystem::path& folder) const {
  if (models_.empty()) throw Error(ErrorCode::kUsage, "gbdt", "Save before Fit", "fit it first");
  for (size_t m = 0; m < models_.size(); ++m) models_[m].Save(folder / (NameOf(m) + ".txt"));
  WriteFileAtomic(folder / kFile, Describe().dump(2) + "\n");
}

std::unique_ptr<GbdtForecaster> GbdtForecaster::Load(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / kFile;
  const std::string text = ReadFile(file);
  try {
    const Json json = Json::parse(text);
    GbdtOptions options;
    const Json& parameters = json.at("parameters");
    for (const auto& [name, value] : parameters.items()) {
      options.parameters.emplace_back(name, value.get<std::string>());
    }
    options.exact = json.at("exact").get<bool>();
    options.quantiles = json.at("quantiles").get<std::vector<double>>();
    auto forecaster = std::make_unique<GbdtForecaster>(std::move(options));
    forecaster->features_ = json.at("features").get<std::vector<std::string>>();
    forecaster->classes_ = json.value("classes", std::vector<std::string>());
    for (size_t m = 0; m <= forecaster->options_.quantiles.size(); ++m) {
      const std::string name = forecaster->NameOf(m);
      const std::filesystem::path model_file = folder / (name + ".txt");
      forecaster->models_.push_back(gbdt::Model::Load(model_file));
      if (forecaster->models_.back().columns() != forecaster->features_.size()) {
        throw Error(ErrorCode::kBadData, model_file.string(),
                    "its columns are not those of gbdt.json", "expected a saved gbdt");
      }
      forecaster->predictors_.emplace_back(forecaster->models_.back());
      forecaster->evaluations_.push_back(
          json.at("models").at(name).at("validation").get<std::vector<double>>());
    }
    return forecaster;
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::kBadData, file.string(), error.what(), "expected a saved gbdt");
  }
}

ForecasterKind GbdtForecasterKind() {
  ForecasterKind kind;
  kind.make = [](const ConfigNode& config) {
    return std::make_unique<GbdtForecaster>(GbdtOptions::FromConfig(config));
  };
  kind.load = [](const std::filesystem::path& folder) { return GbdtForecaster::Load(folder); };
  return kind;
}

}  // namespace almanac
