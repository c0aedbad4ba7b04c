// Forecasts of a recipe's test part by a model that the recipe trained, with weights that the
// caller chooses.
#ifndef ALMANAC_PIPELINE_TRAINED_FORECASTS_H_
#define ALMANAC_PIPELINE_TRAINED_FORECASTS_H_

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "almanac/base/home.h"
#include "almanac/base/progress.h"
#include "almanac/forecast/forecaster.h"
#include "almanac/forecast/table.h"
#include "almanac/market/candle.h"
#include "almanac/pipeline/recipe.h"

namespace almanac {

// How to load a saved model from its folder.
using LoadModel = std::function<std::unique_ptr<Forecaster>(const std::filesystem::path& folder)>;

struct TrainedForecasts {
  ForecastTable table;               // every step of a model that forecasts them
  std::vector<CandleSeries> series;  // of every symbol in it
};

// Runs the stages up to train where they are not complete. Throws as RunRecipe, and Error(kUsage)
// for a model that the recipe does not have.
TrainedForecasts ForecastTestPart(const Recipe& recipe, const Home& home, const std::string& model,
                                  const LoadModel& load, Progress& progress);

}  // namespace almanac

#endif  // ALMANAC_PIPELINE_TRAINED_FORECASTS_H_
