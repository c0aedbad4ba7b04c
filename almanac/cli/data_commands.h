// Parts that the data commands share.
#ifndef ALMANAC_CLI_DATA_COMMANDS_H_
#define ALMANAC_CLI_DATA_COMMANDS_H_

#include <string>
#include <vector>

#include "almanac/base/error.h"
#include "almanac/base/time.h"
#include "almanac/cli/command.h"
#include "almanac/lake/candle_store.h"

namespace almanac {

// An ISO 8601 time or "now"; Error(kUsage) names the flag.
TimeMs ParseTimeFlag(const std::string& flag, const std::string& text);

// What to say when a selection matches nothing; `symbol` may be empty.
Error NoSuchSeries(const std::vector<SeriesInfo>& all, const std::string& symbol);

// backfill, collect and ddl.
void AddDownloadCommands(CLI::App& data, Invocation& invocation);

}  // namespace almanac

#endif  // ALMANAC_CLI_DATA_COMMANDS_H_
