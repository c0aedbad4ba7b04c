#include "almanac/registry/registry.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/json.h"
#include "almanac/registry/sqlite.h"

namespace almanac {
namespace {

// "ALMR" in the file's header: tells a registry from any other SQLite file.
constexpr int64_t kApplicationId = 0x414C4D52;

// Migration i brings a file of version i to version i + 1. Published ones are never changed.
constexpr std::array kMigrations = {R"sql(
CREATE TABLE runs (
  id            TEXT PRIMARY KEY CHECK (id <> ''),
  recipe_name   TEXT NOT NULL,
  recipe_hash   TEXT NOT NULL,
  code_version  TEXT NOT NULL,
  started       INTEGER NOT NULL,
  finished      INTEGER,
  status        TEXT NOT NULL CHECK (status IN ('running', 'done', 'failed', 'interrupted')),
  CHECK ((status = 'running') = (finished IS NULL))
) STRICT;
CREATE INDEX runs_by_started ON runs (started);
CREATE TABLE trials (
  id                INTEGER PRIMARY KEY,
  problem           TEXT NOT NULL CHECK (problem <> ''),
  dataset           TEXT NOT NULL CHECK (dataset <> ''),
  config            TEXT NOT NULL CHECK (config <> ''),
  run_id            TEXT NOT NULL REFERENCES runs (id),
  model             TEXT NOT NULL,
  baseline          INTEGER NOT NULL CHECK (baseline IN (0, 1)),
  metrics           TEXT NOT NULL,
  sharpe            REAL,
  periods_per_year  REAL NOT NULL,
  recorded          INTEGER NOT NULL,
  UNIQUE (problem, dataset, config)
) STRICT;
CREATE TABLE run_trials (
  run_id    TEXT NOT NULL REFERENCES runs (id),
  trial_id  INTEGER NOT NULL REFERENCES trials (id),
  PRIMARY KEY (run_id, trial_id)
) STRICT, WITHOUT ROWID;
)sql"};

[[noreturn]] void Refuse(const std::string& where, const std::string& what, const char* remedy) {
  throw Error(ErrorCode::kUsage, where, what, remedy);
}

int64_t Pragma(const Database& database, const char* name) {
  Statement statement = database.Prepare(fmt::format("PRAGMA {}", name));
  return statement.Step() ? statement.Int(0) : 0;
}

void CheckIsRegistry(const Database& database) {
  // One statement, so that both come from the same state while another process makes the tables.
  Statement state = database.Prepare(
      "SELECT application_id, (SELECT count(*) FROM sqlite_schema) FROM pragma_application_id");
  if (!state.Step() || state.Int(0) == kApplicationId) return;
  if (state.Int(0) == 0 && state.Int(1) == 0) return;
  throw Error(ErrorCode::kBadData, database.file().string(), "a SQLite database of another program",
              "move it away or choose another --home");
}

void Migrate(const Database& database) {
  const auto newest = static_cast<int64_t>(kMigrations.size());
  if (Pragma(database, "user_version") == newest) return;
  Transaction transaction(database);
  // Another process may have migrated while this one waited for the lock.
  const int64_t version = Pragma(database, "user_version");
  if (version > newest) {
    throw Error(ErrorCode::kFailed, database.file().string(),
                fmt::format("registry version {}, but this program knows only {}", version, newest),
                "use the newer almanac that wrote it");
  }
  for (int64_t v = version; v < newest; ++v) database.Run(kMigrations[static_cast<size_t>(v)]);
  database.Run(
      fmt::format("PRAGMA user_version = {}; PRAGMA application_id = {}", newest, kApplicationId));
  transaction.Commit();
}

RunStatus ParseStatus(std::string_view text) {
  for (const RunStatus status :
       {RunStatus::kRunning, RunStatus::kDone, RunStatus::kFailed, RunStatus::kInterrupted}) {
    if (Name(status) == text) return status;
  }
  throw Error(ErrorCode::kBadData, "registry", fmt::format("unknown run status '{}'", text));
}

constexpr std::string_view kRunColumns =
    "id, recipe_name, recipe_hash, code_version, started, finished, status";

RunRecord ReadRun(const Statement& row) {
  return {.id = row.Text(0),
          .recipe_name = row.Text(1),
          .recipe_hash = row.Text(2),
          .code_version = row.Text(3),
          .started = row.Int(4),
          .finished = row.OptionalInt(5),
          .status = ParseStatus(row.Text(6))};
}

constexpr std::string_view kTrialColumns =
    "problem, dataset, config, trials.run_id, model, baseline, metrics, sharpe, periods_per_year, "
    "recorded";

TrialRecord ReadTrial(const Statement& row) {
  return {.key = {row.Text(0), row.Text(1), row.Text(2)},
          .run_id = row.Text(3),
          .model = row.Text(4),
          .baseline = row.Int(5) != 0,
          .metrics_json = row.Text(6),
          .sharpe = row.Double(7),
          .periods_per_year = row.Double(8),
          .recorded = row.Int(9)};
}

std::vector<TrialRecord> ReadTrials(Statement statement) {
  std::vector<TrialRecord> trials;
  while (statement.Step()) trials.push_back(ReadTrial(statement));
  return trials;
}

void CheckTrial(const TrialRecord& trial) {
  const std::string where = fmt::format("trial of '{}'", trial.model);
  if (trial.key.problem.empty() || trial.key.dataset.empty() || trial.key.config.empty()) {
    Refuse(where, "an empty problem, dataset or config",
           "a trial needs all three to be identified");
  }
  if (std::isinf(trial.sharpe)) {
    Refuse(where, "an infinite Sharpe ratio", "NaN stands for one that is not defined");
  }
  const bool has_period = trial.periods_per_year > 0 && std::isfinite(trial.periods_per_year);
  if (!std::isnan(trial.sharpe) && !has_period) {
    Refuse(where, fmt::format("a Sharpe ratio with {} periods a year", trial.periods_per_year),
           "give the number of its periods in a year");
  }
  const Json metrics = Json::parse(trial.metrics_json, nullptr, false);
  if (!metrics.is_object()) Refuse(where, "metrics that are not a JSON object", "such as {}");
}

bool Exists(const Database& database, const char* sql, std::string_view value) {
  Statement statement = database.Prepare(sql);
  statement.Bind(1, value);
  return statement.Step();
}

std::optional<int64_t> TrialId(const Database& database, const TrialKey& key) {
  Statement statement =
      database.Prepare("SELECT id FROM trials WHERE problem = ?1 AND dataset = ?2 AND config = ?3");
  statement.Bind(1, key.problem).Bind(2, key.dataset).Bind(3, key.config);
  if (!statement.Step()) return std::nullopt;
  return statement.Int(0);
}

}  // namespace

std::string_view Name(RunStatus status) {
  switch (status) {
    case RunStatus::kRunning:
      return "running";
    case RunStatus::kDone:
      return "done";
    case RunStatus::kFailed:
      return "failed";
    case RunStatus::kInterrupted:
      break;
  }
  return "interrupted";
}

struct Registry::Impl {
  Impl(const std::filesystem::path& file, DurationMs patience) : database(file, patience) {
    CheckIsRegistry(database);
    database.UseWriteAheadLog(patience);
    database.Run("PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL");
    Migrate(database);
  }
  Database database;
};

Registry::Registry(const std::filesystem::path& file, DurationMs patience)
    : impl_(std::make_unique<Impl>(file, patience)) {}
Registry::~Registry() = default;
Registry::Registry(Registry&&) noexcept = default;
Registry& Registry::operator=(Registry&&) noexcept = default;

void Registry::BeginRun(const RunRecord& run) {
  if (run.id.empty()) Refuse("run", "an empty id", "give the run a unique id");
  const Database& database = impl_->database;
  Transaction transaction(database);
  if (const std::optional<RunRecord> known = FindRun(run.id);
      known && known->recipe_hash != run.recipe_hash) {
    Refuse(fmt::format("run '{}'", run.id),
           fmt::format("it was begun with recipe {}, not {}", known->recipe_hash, run.recipe_hash),
           "give a run of another recipe another id");
  }
  Statement statement = database.Prepare(
      "INSERT INTO runs (id, recipe_name, recipe_hash, code_version, started, finished, status) "
      "VALUES (?1, ?2, ?3, ?4, ?5, NULL, 'running') ON CONFLICT (id) DO UPDATE SET "
      "recipe_name = ?2, code_version = ?4, finished = NULL, status = 'running'");
  statement.Bind(1, run.id)
      .Bind(2, run.recipe_name)
      .Bind(3, run.recipe_hash)
      .Bind(4, run.code_version)
      .Bind(5, int64_t{run.started})
      .Run();
  transaction.Commit();
}

void Registry::FinishRun(std::string_view id, RunStatus status, TimeMs finished) {
  const std::string where = fmt::format("run '{}'", id);
  if (status == RunStatus::kRunning) {
    Refuse(where, "it cannot finish as running", "done, failed or interrupted");
  }
  Statement statement =
      impl_->database.Prepare("UPDATE runs SET status = ?2, finished = ?3 WHERE id = ?1");
  statement.Bind(1, id).Bind(2, Name(status)).Bind(3, int64_t{finished}).Run();
  if (impl_->database.Changes() == 0) Refuse(where, "it was never begun", "begin it first");
}

std::optional<RunRecord> Registry::FindRun(std::string_view id) const {
  Statement statement =
      impl_->database.Prepare(fmt::format("SELECT {} FROM runs WHERE id = ?1", kRunColumns));
  statement.Bind(1, id);
  if (!statement.Step()) return std::nullopt;
  return ReadRun(statement);
}

std::vector<RunRecord> Registry::Runs(size_t limit) const {
  Statement statement = impl_->database.Prepare(
      fmt::format("SELECT {} FROM runs ORDER BY started DESC, id LIMIT ?1", kRunColumns));
  statement.Bind(1, limit == 0 ? int64_t{-1} : static_cast<int64_t>(limit));
  std::vector<RunRecord> runs;
  while (statement.Step()) runs.push_back(ReadRun(statement));
  return runs;
}

bool Registry::RecordTrial(const TrialRecord& trial) {
  Transaction transaction(impl_->database);
  const bool is_new = Write(trial);
  transaction.Commit();
  return is_new;
}

void Registry::RecordTrials(std::span<const TrialRecord> trials) {
  Transaction transaction(impl_->database);
  for (const TrialRecord& trial : trials) Write(trial);
  transaction.Commit();
}

// Inside a transaction.
bool Registry::Write(const TrialRecord& trial) {
  CheckTrial(trial);
  const Database& database = impl_->database;
  if (!Exists(database, "SELECT 1 FROM runs WHERE id = ?1", trial.run_id)) {
    Refuse(fmt::format("trial of '{}'", trial.model),
           fmt::format("run '{}' was never begun", trial.run_id), "begin the run first");
  }
  const bool is_new = !TrialId(database, trial.key);
  Statement statement = database.Prepare(
      "INSERT INTO trials (problem, dataset, config, run_id, model, baseline, metrics, sharpe, "
      "periods_per_year, recorded) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) "
      "ON CONFLICT (problem, dataset, config) DO UPDATE SET run_id = ?4, model = ?5, "
      "baseline = ?6, metrics = ?7, sharpe = ?8, periods_per_year = ?9");
  statement.Bind(1, trial.key.problem)
      .Bind(2, trial.key.dataset)
      .Bind(3, trial.key.config)
      .Bind(4, trial.run_id)
      .Bind(5, trial.model)
      .Bind(6, int64_t{trial.baseline})
      .Bind(7, trial.metrics_json)
      .Bind(8, trial.sharpe)
      .Bind(9, trial.periods_per_year)
      .Bind(10, int64_t{trial.recorded})
      .Run();
  database.Prepare("INSERT OR IGNORE INTO run_trials (run_id, trial_id) VALUES (?1, ?2)")
      .Bind(1, trial.run_id)
      .Bind(2, TrialId(database, trial.key))
      .Run();
  return is_new;
}

std::optional<TrialRecord> Registry::FindTrial(const TrialKey& key) const {
  Statement statement = impl_->database.Prepare(fmt::format(
      "SELECT {} FROM trials WHERE problem = ?1 AND dataset = ?2 AND config = ?3", kTrialColumns));
  statement.Bind(1, key.problem).Bind(2, key.dataset).Bind(3, key.config);
  if (!statement.Step()) return std::nullopt;
  return ReadTrial(statement);
}

std::vector<TrialRecord> Registry::TrialsOfRun(std::string_view run_id) const {
  Statement statement = impl_->database.Prepare(fmt::format(
      "SELECT {} FROM trials JOIN run_trials ON trial_id = id WHERE run_trials.run_id = ?1 "
      "ORDER BY id",
      kTrialColumns));
  statement.Bind(1, run_id);
  return ReadTrials(std::move(statement));
}

std::vector<TrialRecord> Registry::TrialsOfProblem(std::string_view problem) const {
  Statement statement = impl_->database.Prepare(
      fmt::format("SELECT {} FROM trials WHERE problem = ?1 ORDER BY id", kTrialColumns));
  statement.Bind(1, problem);
  return ReadTrials(std::move(statement));
}

TrialSummary Registry::TrialsFor(std::string_view problem) const {
  Statement statement = impl_->database.Prepare(
      "SELECT sharpe, periods_per_year FROM trials WHERE problem = ?1 AND NOT baseline "
      "ORDER BY id");
  statement.Bind(1, problem);
  TrialSummary summary;
  while (statement.Step()) {
    ++summary.count;
    const double sharpe = statement.Double(0);
    if (!std::isnan(sharpe)) {
      summary.annual_sharpes.push_back(sharpe * std::sqrt(statement.Double(1)));
    }
  }
  return summary;
}

}  // namespace almanac
