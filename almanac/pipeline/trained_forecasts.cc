#include "almanac/pipeline/trained_forecasts.h"

#include <fmt/format.h>

#include <algorithm>

#include "almanac/base/error.h"
#include "almanac/pipeline/stage_run.h"

namespace almanac {
namespace {

size_t PositionOf(const Recipe& recipe, const std::string& model) {
  std::vector<std::string> names;
  for (const ModelSection& section : recipe.models) names.push_back(section.name);
  const auto found = std::find(names.begin(), names.end(), model);
  if (found != names.end()) return static_cast<size_t>(found - names.begin());
  throw Error(ErrorCode::kUsage, model, "the recipe has no model of this name",
              fmt::format("its models are {}", fmt::join(names, ", ")));
}

}  // namespace

TrainedForecasts StageRun::ForecastTest(const std::string& model, const LoadModel& load) {
  const size_t position = PositionOf(recipe_, model);
  Collect();
  ReadCandles();
  for (SymbolState& state : symbols_) AuditStage(state);
  if (recipe_.data.frame.empty()) {
    for (SymbolState& state : symbols_) FeaturesStage(state);
  } else {
    for (SymbolState* state : judged_) FeaturesStage(*state);
  }
  TrainedForecasts forecasts;
  forecasts.table.quantity = QuantityOf(recipe_.target);
  for (SymbolState* state : judged_) {
    DatasetStage(*state);
    TrainStage(*state);
    const std::vector<ArtifactKey>& folds = state->train[position];
    for (size_t f = 0; f < folds.size(); ++f) {
      const auto forecaster = load(FolderOf(folds[f]) / "model");
      forecasts.table.Append(
          Forecast(*state, model, *forecaster, SplitOf(*state).folds[f].test, f));
    }
    if (state->members.empty()) forecasts.series.push_back(state->candles);
    for (const SymbolState* member : state->members) forecasts.series.push_back(member->candles);
  }
  forecasts.table = MeanOfRepeats(std::move(forecasts.table));
  return forecasts;
}

TrainedForecasts ForecastTestPart(const Recipe& recipe, const Home& home, const std::string& model,
                                  const LoadModel& load, Progress& progress) {
  static_cast<void>(PositionOf(recipe, model));
  RunOptions options;
  options.until = "train";
  RunRecipe(recipe, home, options, progress);
  return StageRun(recipe, home, options, NoProgress()).ForecastTest(model, load);
}

}  // namespace almanac
