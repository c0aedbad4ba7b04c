// Pictures of a report in files, drawn by gnuplot.
#ifndef ALMANAC_REPORT_PICTURES_H_
#define ALMANAC_REPORT_PICTURES_H_

#include <cstddef>
#include <filesystem>
#include <vector>

#include "almanac/base/time.h"
#include "almanac/report/report.h"

namespace almanac {

struct PictureOptions {
  std::filesystem::path gnuplot = "gnuplot";  // a name is looked up in PATH
  size_t width = 1400;                        // pixels
  size_t max_markets = 6;                     // that get pictures
  size_t candles = 120;                       // bars in candles.png: the last ones
  DurationMs time_limit = 2 * kMsPerMinute;   // for gnuplot, all pictures together
};

// Writes, for what the report has data for, into `folder` (made if missing):
//   forecast_vs_actual.png  closes and forecasts, with their intervals, over the test time; below
//                           them the errors, and the absolute errors added up
//   candles.png             the last bars as candles with the forecasts of their closes
//   forecast_steps.png      every origin's forecasts of all steps over the last closes; below them
//                           the error and the interval's coverage by step
//   error_distribution.png  histogram of each model's errors, a normal curve, quantiles
//   equity.png              accounts, and below them their drawdowns
// With several markets, the first two carry the symbol: candles_BTCUSDT.png; with several
// fans, the third carries model and symbol. Returns the paths in
// that order. The same data and the same gnuplot give the same bytes. Each file appears whole or
// not at all.
// Throws Error(kFailed) with the remedy where gnuplot is not installed, and with its own words
// where it fails or exceeds the time limit; as CheckReport for bad data.
std::vector<std::filesystem::path> WritePictures(const ReportData& data,
                                                 const std::filesystem::path& folder,
                                                 const PictureOptions& options = {});

// Whether WritePictures would find its program.
bool HasGnuplot(const PictureOptions& options = {});

}  // namespace almanac

#endif  // ALMANAC_REPORT_PICTURES_H_
