// almanac features bins: the columns of a set through pruning to a file of bins.
#ifndef ALMANAC_CLI_FEATURE_BINS_H_
#define ALMANAC_CLI_FEATURE_BINS_H_

#include <filesystem>
#include <string>
#include <vector>

#include "almanac/cli/command.h"
#include "almanac/feature/feature_set.h"
#include "almanac/feature/frame.h"

namespace almanac {

struct FeatureBinFlags {
  std::string target, target_symbol;  // "{kind: swing, ...}"; empty: every bar is a row
  std::string memory = "4GB";
  double validation = 0.15, test = 0.15;
  int64_t correlation_rows = 25000;
};

void AddFeatureBinFlags(CLI::App& command, FeatureBinFlags& flags);

// "4GB", "512MB": powers of 1024, as memory is counted. Throws Error(kUsage).
size_t ParseMemory(const std::string& text);

// The set's columns of the frame, pruned and binned into the folder `out`.
int BuildFeatureBins(const FeatureSet& set, const Frame& frame, const FeatureBinFlags& flags,
                     const std::filesystem::path& out, Invocation& invocation);

}  // namespace almanac

#endif  // ALMANAC_CLI_FEATURE_BINS_H_
