// Published funding rates of a perpetual future: from a file or from the lake's observations.
#ifndef ALMANAC_PIPELINE_FUNDING_SERIES_H_
#define ALMANAC_PIPELINE_FUNDING_SERIES_H_

#include <filesystem>
#include <string>
#include <vector>

#include "almanac/backtest/execution.h"
#include "almanac/base/config.h"
#include "almanac/base/home.h"
#include "almanac/base/time.h"

namespace almanac {

// One of the two.
struct FundingSource {
  // A CSV file whose header names a time (`time`, `timestamp`, `funding_time`, `fundingTime`,
  // `calc_time`: ISO 8601 or milliseconds since 1970), a rate, a fraction (`rate`, `funding_rate`,
  // `fundingRate`, `last_funding_rate`), and, for several symbols, a `symbol`.
  std::filesystem::path file;
  // Observations of the lake whose values are rates, due at their timestamps.
  std::string feature, time_frame;

  bool given() const { return !file.empty() || !feature.empty(); }
};

// {file: rates.csv}, or {feature: funding_rate, time_frame: event}.
FundingSource ReadFundingSource(const ConfigNode& node);

// The rates of `symbol`, in order of time, each time once. Throws Error(kBadData) naming file and
// line for what cannot be read, and where there are no rates of the symbol.
std::vector<FundingRate> ReadFunding(const FundingSource& source, const std::string& symbol,
                                     const Home& home);

// Throws Error(kBadData) if the rates leave more than a day at either end of [from, to] without
// one: a backtest there would be spared payments that were due.
void RequireCover(const std::vector<FundingRate>& funding, const std::string& symbol, TimeMs from,
                  TimeMs to);

// Of what ReadFunding gave, for an artifact's key.
std::string HashOf(const std::vector<FundingRate>& funding);

}  // namespace almanac

#endif  // ALMANAC_PIPELINE_FUNDING_SERIES_H_
