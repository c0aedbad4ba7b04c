// Reads files of bars and hands them to writers, one a series. The files are read one after
// another, their pieces parsed in parallel, and what was parsed is taken in the order of the files
// and lines: results and errors do not depend on the number of threads.
#ifndef ALMANAC_SOURCE_CANDLE_IMPORT_H_
#define ALMANAC_SOURCE_CANDLE_IMPORT_H_

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "almanac/base/progress.h"
#include "almanac/lake/candle_store.h"
#include "almanac/source/import.h"

namespace almanac {

using OpenCandleWriter = std::function<std::unique_ptr<CandleWriter>(const SeriesKey&)>;

// Bars held in memory until all files were read, 25 to 34 MB; more are put aside on disk.
inline constexpr size_t kMaxHeldBars = size_t{1} << 19;

// Opens and commits the writers, several at once, after all files were read; none if anything is
// refused (see ImportFiles).
ImportReport ImportCandles(const OpenCandleWriter& open_writer,
                           const std::vector<std::filesystem::path>& files,
                           const ImportOptions& options, Progress& progress,
                           size_t max_held_bars = kMaxHeldBars);

}  // namespace almanac

#endif  // ALMANAC_SOURCE_CANDLE_IMPORT_H_
