// The store of runs and trials: one SQLite file per home that several processes may use at once.
//
// A *run* is one execution of a recipe. A *trial* is one model configuration that was trained and
// judged on one data set; whoever looks at a result may ask how many trials were needed to find it
// and how their Sharpe ratios varied, which is what the deflated Sharpe ratio takes. The count
// comes from here, never from the user.
//
// A trial is identified by (problem, dataset, config): running the same configuration on the same
// data again, also after a kill, updates the one row. Every function is one transaction. Times are
// passed in by the caller, milliseconds UTC. Errors: Error(kUsage) for an argument that cannot be,
// Error(kFailed) naming the file when SQLite fails or the file is newer than this program,
// Error(kBadData) when it is not a registry. Not for use by several threads at once: open one each.
// docs/registry.md specifies the tables.
#ifndef ALMANAC_REGISTRY_REGISTRY_H_
#define ALMANAC_REGISTRY_REGISTRY_H_

#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/base/time.h"

namespace almanac {

enum class RunStatus { kRunning, kDone, kFailed, kInterrupted };
std::string_view Name(RunStatus status);  // "running", "done", "failed", "interrupted"

struct RunRecord {
  std::string id;  // chosen by the caller, unique, not empty
  std::string recipe_name;
  std::string recipe_hash;
  std::string code_version;
  TimeMs started = 0;
  std::optional<TimeMs> finished = std::nullopt;  // set unless running
  RunStatus status = RunStatus::kRunning;
};

struct TrialKey {
  // What is forecast, without the data's extent: market, symbols, timeframe, target. Trials of one
  // problem are counted together. A hash, or any text that is equal exactly when the problem is.
  std::string problem;
  std::string dataset;  // the exact data, features and split: a hash
  std::string config;   // model and strategy configuration, seed included: a hash
  friend bool operator==(const TrialKey&, const TrialKey&) = default;
};

struct TrialRecord {
  TrialKey key;
  std::string run_id;  // the run that recorded it last; must exist
  std::string model;   // "ridge"
  // Yardsticks such as the naive forecast, which nobody selects: stored, but not counted as trials.
  bool baseline = false;
  std::string metrics_json = "{}";  // one JSON object
  // Per period, not annualised; NaN if the model never traded or was not backtested.
  double sharpe = std::numeric_limits<double>::quiet_NaN();
  double periods_per_year = 0;  // of `sharpe`; > 0 where that is given
  TimeMs recorded = 0;          // when it was recorded first: kept on update
};

// How many trials a problem took, for deflation.
struct TrialSummary {
  size_t count = 0;  // distinct (dataset, config) of the problem, baselines left out
  // The annualised Sharpe ratios (sharpe * sqrt(periods_per_year)) of those that have one, in order
  // of recording.
  std::vector<double> annual_sharpes;
};

class Registry {
 public:
  // Opens the file, making it and its folder if missing and bringing older versions up to date.
  // Waits up to `patience` for another process's transaction.
  explicit Registry(const std::filesystem::path& file, DurationMs patience = 30 * kMsPerSecond);
  ~Registry();
  Registry(Registry&&) noexcept;
  Registry& operator=(Registry&&) noexcept;

  // Adds the run, or, where the id is known with the same recipe_hash, starts it again: its started
  // time is kept, its status becomes running. Another recipe_hash is Error(kUsage).
  void BeginRun(const RunRecord& run);
  // Ends a run that was begun; status is not kRunning. Ending twice keeps the last.
  void FinishRun(std::string_view id, RunStatus status, TimeMs finished);
  std::optional<RunRecord> FindRun(std::string_view id) const;
  // Newest first; limit 0: all.
  std::vector<RunRecord> Runs(size_t limit = 0) const;

  // Adds the trial or updates the one with its key (model, metrics, sharpe, run). Returns whether
  // it is new.
  bool RecordTrial(const TrialRecord& trial);
  // The same for many, in one transaction: all or none.
  void RecordTrials(std::span<const TrialRecord> trials);
  std::optional<TrialRecord> FindTrial(const TrialKey& key) const;
  // In order of recording.
  std::vector<TrialRecord> TrialsOfRun(std::string_view run_id) const;
  std::vector<TrialRecord> TrialsOfProblem(std::string_view problem) const;
  TrialSummary TrialsFor(std::string_view problem) const;

 private:
  struct Impl;
  bool Write(const TrialRecord& trial);

  std::unique_ptr<Impl> impl_;
};

}  // namespace almanac

#endif  // ALMANAC_REGISTRY_REGISTRY_H_
