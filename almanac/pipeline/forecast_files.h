// Forecasts that somebody names: the file of a forecast table, an artifact's folder, or a run, with
// the bars that they are judged on.
#ifndef ALMANAC_PIPELINE_FORECAST_FILES_H_
#define ALMANAC_PIPELINE_FORECAST_FILES_H_

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "almanac/base/home.h"
#include "almanac/base/time.h"
#include "almanac/forecast/table.h"
#include "almanac/market/candle.h"

namespace almanac {

// What one source holds: a Parquet file, a folder with forecasts.parquet (what the stage train
// leaves), the folder of a run, or a run below Home::runs() as FindRunByName takes it.
struct FoundForecasts {
  ForecastTable table;  // every row, not only the test part's
  // By symbol, the instant from which its forecasts are of the test part; empty where the source
  // does not say.
  std::map<std::string, TimeMs> test_from;
  std::filesystem::path run;   // its folder; empty: no run
  std::filesystem::path file;  // the table; empty: a run
  std::string note;            // of FindRunByName
};

// Throws Error(kUsage) for a source that is none of these, Error(kBadData) for damaged files.
FoundForecasts FindForecasts(const std::string& source, const Home& home);

// Of which of its rows a source is judged.
enum class ForecastPart { kTest, kBeforeTest, kAll };
// The rows of that part, in their order. `test_from` has every symbol of the table unless kAll is
// asked for.
ForecastTable RowsOfPart(const ForecastTable& table, const std::map<std::string, TimeMs>& test_from,
                         ForecastPart part);
// The rows with from <= made_at < to.
ForecastTable RowsBetween(const ForecastTable& table, TimeMs from, TimeMs to);

struct ForecastRequest {
  // Each as FindForecasts takes it.
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
  std::vector<std::string> notes;    // which runs were taken for names that say less
};

// Of a run only the forecasts of the test part. Throws Error(kUsage) for a source that is none of
// the above, a market or timeframe that is missing, models or times that leave nothing, a model
// that two sources forecast at the same time, Error(kBadData) for damaged files, symbols without
// bars in the lake.
ForecastsWithBars LoadForecasts(const ForecastRequest& request, const Home& home);

}  // namespace almanac

#endif  // ALMANAC_PIPELINE_FORECAST_FILES_H_
