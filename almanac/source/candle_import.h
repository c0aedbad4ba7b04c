// Reads files of bars and hands them to writers, one a series. The files are read one after
// another, their pieces parsed in parallel, and what was parsed is taken in the order of the files
// and lines: results and errors do not depend on the number of threads.
#ifndef ALMANAC_SOURCE_CANDLE_IMPORT_H_
#define ALMANAC_SOURCE_CANDLE_IMPORT_H_

#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "almanac/base/progress.h"
#include "almanac/lake/candle_store.h"
#include "almanac/source/import.h"

namespace almanac {

using OpenCandleWriter = std::function<std::unique_ptr<CandleWriter>(const SeriesKey&)>;

// Commits every writer after all files were read; none if anything is refused (see ImportFiles).
ImportReport ImportCandles(const OpenCandleWriter& open_writer,
                           const std::vector<std::filesystem::path>& files,
                           const ImportOptions& options, Progress& progress);

}  // namespace almanac

#endif  // ALMANAC_SOURCE_CANDLE_IMPORT_H_
