// Downloads the bars of many symbols into the lake, and only those that were not asked for before.
//
// Beside the bars the lake keeps, for every series, which times were asked for and fully answered
// (backfill_coverage.h): a bar that the vendor does not have is not asked for again. Bars are
// written first and their coverage after, so a process killed at any instant asks, at most, for a
// few pages twice; running it again ends in the lake of an unbroken run.
#ifndef ALMANAC_SOURCE_BACKFILL_H_
#define ALMANAC_SOURCE_BACKFILL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "almanac/base/error.h"
#include "almanac/base/home.h"
#include "almanac/base/json.h"
#include "almanac/base/progress.h"
#include "almanac/base/time.h"
#include "almanac/lake/candle_store.h"
#include "almanac/market/timeframe.h"
#include "almanac/source/candle_source.h"

namespace almanac {

struct BackfillRequest {
  std::vector<std::string> symbols;  // repeated ones count once
  Timeframe timeframe;
  TimeMs from = 0;
  TimeMs to = kMaxTime;        // exclusive; later than now: now
  std::string market;          // "": the source's default market
  bool refresh = false;        // ask again for what was answered before
  int concurrency = 4;         // requests in flight at once
  int64_t batch = 20'000;      // bars of a series held in memory before they are written
  WaitClock* clock = nullptr;  // not owned; nullptr: SystemWaitClock()
};

struct BackfillOutcome {
  SeriesKey key;
  int64_t received = 0;  // bars in the vendor's answers
  UpsertStats stats;
  // No request was needed.
  bool up_to_date = false;
  // The vendor's past prices had changed (a split): the series was downloaded anew.
  bool readjusted = false;
  std::optional<Error> error;
};

struct BackfillReport {
  std::vector<BackfillOutcome> outcomes;  // in the order of the request's symbols
  TimeMs from = 0, to = 0;                // the range, aligned to the timeframe
  int64_t received = 0;
  // The status of the worst outcome: 0, else interrupted > wrong use > bad data > unavailable >
  // failed.
  int exit_status() const;
};

// Failures of one symbol are in its outcome and do not end the others. Throws Error(kUsage) for a
// request that makes no sense (no symbols, from not before to, a timeframe or symbol that the
// source does not have). A stop is honoured: what came is written, and Error(kInterrupted) thrown.
BackfillReport Backfill(CandleSource& source, CandleStore& store, const Home& home,
                        const BackfillRequest& request, Progress& progress);

// Keys: from, to, received, series [{market, symbol, timeframe, received, added, replaced,
// unchanged, up_to_date, readjusted, error}].
Json ToJson(const BackfillReport& report);

}  // namespace almanac

#endif  // ALMANAC_SOURCE_BACKFILL_H_
