// almanac features build --set: from candles of the lake to a file of bins, pruning included.
#ifndef ALMANAC_CLI_FEATURE_BINS_H_
#define ALMANAC_CLI_FEATURE_BINS_H_

#include <filesystem>
#include <string>
#include <vector>

#include "almanac/cli/command.h"

namespace almanac {

struct FeatureBinFlags {
  std::string set;
  std::vector<std::string> symbols;
  std::string market, timeframe, from, to;
  std::string target, target_symbol;  // "{kind: swing, ...}"; empty: every bar is a row
  std::string memory = "4GB";
  double validation = 0.15, test = 0.15;
  int64_t correlation_rows = 25000;
  std::filesystem::path out;
};

void AddFeatureBinFlags(CLI::App& command, FeatureBinFlags& flags);

int BuildFeatureBins(const FeatureBinFlags& flags, Invocation& invocation);

}  // namespace almanac

#endif  // ALMANAC_CLI_FEATURE_BINS_H_
