// Forecasts that somebody names: the file of a forecast table, an artifact's folder, or a run, with
// the bars that they are judged on.
#ifndef ALMANAC_PIPELINE_FORECAST_FILES_H_
#define ALMANAC_PIPELINE_FORECAST_FILES_H_

#include <string>
#include <vector>

#include "almanac/base/home.h"
#include "almanac/base/time.h"
#include "almanac/forecast/table.h"
#include "almanac/market/candle.h"

namespace almanac {

struct ForecastRequest {
  // Each a Parquet file, a folder with forecasts.parquet (what the stage train leaves), the folder
  // of a run, or a run's name below Home::runs().
  std::vector<std::string> sources;
  // Whose bars they are, for files and folders; a run knows its own.
  std::string market;
  std::string timeframe;
  // Rows with from <= made_at < to.
  TimeMs from = kMinTime;
  TimeMs to = kMaxTime;
  std::vector<std::string> models;  // none: all
};

struct ForecastsWithBars {
  ForecastTable table;
  std::vector<CandleSeries> series;  // one a symbol of the table, as the models saw them
};

// Of a run only the forecasts of the test part. Throws Error(kUsage) for a source that is none of
// the above, a market or timeframe that is missing, models or times that leave nothing, a model
// that two sources forecast at the same time, Error(kBadData) for damaged files, symbols without
// bars in the lake.
ForecastsWithBars LoadForecasts(const ForecastRequest& request, const Home& home);

}  // namespace almanac

#endif  // ALMANAC_PIPELINE_FORECAST_FILES_H_
