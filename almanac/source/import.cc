#include "almanac/source/import.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "almanac/source/candle_import.h"
#include "almanac/source/earnings.h"
#include "almanac/source/import_columns.h"
#include "almanac/source/import_name.h"
#include "almanac/source/import_paths.h"

namespace almanac {
namespace {

void CheckOptions(const ImportOptions& options) {
  const bool market_is_good =
      !options.market.empty() &&
      std::all_of(options.market.begin(), options.market.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
      });
  if (!market_is_good) {
    throw Error(ErrorCode::kUsage, "market",
                fmt::format("'{}' is no name of a market", options.market),
                "use small letters, digits, '-' and '_', such as binance-spot");
  }
  if (options.symbol && !IsSymbol(*options.symbol)) {
    throw Error(ErrorCode::kUsage, "symbol", fmt::format("'{}' is no symbol", *options.symbol),
                "use letters, digits and . _ - / : ^ = + & $ #");
  }
  const bool candles = options.kind == ImportKind::kCandles;
  CheckGivenColumns(candles ? CandleFields() : EarningsFields(), options.columns);
  if (!candles && options.timeframe) {
    throw Error(ErrorCode::kUsage, "timeframe", "earnings have none", "leave it out");
  }
}

}  // namespace

ImportReport ImportFiles(CandleStore& candles, ObservationStore& observations,
                         const std::vector<std::filesystem::path>& paths,
                         const ImportOptions& options, Progress& progress) {
  CheckOptions(options);
  ImportPaths found = ExpandImportPaths(paths);
  ImportReport report;
  if (options.kind == ImportKind::kCandles) {
    const OpenCandleWriter open = [&](const SeriesKey& key) { return candles.OpenWriter(key); };
    report = ImportCandles(open, found.files, options, progress);
  } else {
    EarningsImport earnings = ReadEarnings(found.files, options, progress);
    earnings.report.observation_stats = observations.Upsert(earnings.observations);
    report = std::move(earnings.report);
  }
  report.ignored = std::move(found.ignored);
  return report;
}

}  // namespace almanac
