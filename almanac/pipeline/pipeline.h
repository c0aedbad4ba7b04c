// Runs a recipe: stages in order, each of which turns artifacts into an artifact. A stage whose
// artifact is complete is not run again, so a run that was stopped at any instant continues where
// it was, and a run that is complete does nothing.
//
// Stages of today's recipes: collect (brings the lake up to date; makes no artifact), audit,
// features, dataset (labels and split), train (one artifact a model), evaluate, trials (counted in
// the registry), backtest, report.
#ifndef ALMANAC_PIPELINE_PIPELINE_H_
#define ALMANAC_PIPELINE_PIPELINE_H_

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "almanac/base/home.h"
#include "almanac/base/progress.h"
#include "almanac/pipeline/recipe.h"

namespace almanac {

enum class StageStatus {
  kComplete,  // its artifact was there
  kMade,      // made by this run
  kToDo,      // would be made (dry run)
  kUnknown    // depends on what an earlier stage will find (dry run)
};

struct StageReport {
  std::string stage;   // "train"
  std::string detail;  // "ridge BTCUSDT"; may be empty
  StageStatus status = StageStatus::kUnknown;
  std::filesystem::path artifact;  // empty for collect, and where it is not known yet
  std::string result;              // one line: "9 columns x 35,040 rows"
};

struct RunOptions {
  // Stages to make again although their artifacts are complete, and with them what depends on them.
  std::vector<std::string> force;
  // Stop after this stage; empty: run all.
  std::string until;
  // Say what would be done; touch nothing.
  bool dry_run = false;
};

struct RunResult {
  std::string run_id;            // recipe name and hash of the recipe as it was run
  std::filesystem::path folder;  // <home>/runs/<run_id>
  std::vector<StageReport> stages;
  bool did_nothing = false;                    // every artifact was complete
  std::vector<std::filesystem::path> reports;  // HTML files
  std::string summary;                         // for the terminal
  // For --json: a symbol and its results.json; empty where the run did not get that far.
  std::vector<std::pair<std::string, std::string>> results;
};

// Throws Error: kUsage for an unknown stage or a recipe that cannot be, kBadData where the data
// does not allow it (a series that is not sound, a leak, too few rows), kUnavailable where a source
// cannot be reached, kInterrupted.
RunResult RunRecipe(const Recipe& recipe, const Home& home, const RunOptions& options,
                    Progress& progress);

// The names that --force and --until take, in order.
const std::vector<std::string>& StageNames();

}  // namespace almanac

#endif  // ALMANAC_PIPELINE_PIPELINE_H_
