#include "almanac/registry/registry.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <fstream>

#include "almanac/base/error_for_test.h"
#include "almanac/registry/sqlite.h"

namespace almanac {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RegistryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name =
        (std::filesystem::temp_directory_path() / "almanac-registry-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    file_ = folder_ / "home" / "registry.sqlite";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static RunRecord Run(const std::string& id, TimeMs started = 1000) {
    return {.id = id,
            .recipe_name = "first-run",
            .recipe_hash = "r1",
            .code_version = "0.1.0",
            .started = started,
            .finished = std::nullopt,
            .status = RunStatus::kRunning};
  }
  static TrialRecord Trial(const std::string& config, double sharpe = 0.01,
                           const std::string& run = "a") {
    return {.key = {"BTCUSDT 30m return", "d1", config},
            .run_id = run,
            .model = "ridge",
            .baseline = false,
            .metrics_json = R"({"mae":0.5})",
            .sharpe = sharpe,
            .periods_per_year = 400,
            .recorded = 5};
  }

  // Runs `body` in a process of its own. Returns its pid.
  template <typename Body>
  static pid_t Fork(Body&& body) {
    const pid_t pid = fork();
    if (pid != 0) return pid;
    int status = 0;
    try {
      body();
    } catch (const std::exception&) {
      status = 1;
    }
    _exit(status);
  }

  std::filesystem::path folder_, file_;
};

TEST_F(RegistryTest, KeepsRuns) {
  Registry registry(file_);
  registry.BeginRun(Run("a", 1000));
  registry.BeginRun(Run("b", 2000));
  registry.FinishRun("a", RunStatus::kDone, 1500);
  const RunRecord a = registry.FindRun("a").value();
  EXPECT_EQ(a.recipe_name, "first-run");
  EXPECT_EQ(a.code_version, "0.1.0");
  EXPECT_EQ(a.started, 1000);
  EXPECT_EQ(a.finished, 1500);
  EXPECT_EQ(a.status, RunStatus::kDone);
  EXPECT_EQ(registry.FindRun("b")->finished, std::nullopt);
  EXPECT_EQ(registry.FindRun("c"), std::nullopt);
  ASSERT_EQ(registry.Runs().size(), 2u);
  EXPECT_EQ(registry.Runs()[0].id, "b");
  EXPECT_EQ(registry.Runs(1).size(), 1u);
}

TEST_F(RegistryTest, ARunBegunAgainIsRunningAgain) {
  Registry registry(file_);
  registry.BeginRun(Run("a", 1000));
  registry.FinishRun("a", RunStatus::kInterrupted, 1500);
  RunRecord again = Run("a", 9000);
  again.code_version = "0.2.0";
  registry.BeginRun(again);
  const RunRecord a = registry.FindRun("a").value();
  EXPECT_EQ(a.started, 1000);
  EXPECT_EQ(a.finished, std::nullopt);
  EXPECT_EQ(a.status, RunStatus::kRunning);
  EXPECT_EQ(a.code_version, "0.2.0");
  again.recipe_hash = "r2";
  EXPECT_THAT(MessageOf([&] { registry.BeginRun(again); }),
              HasSubstr("run 'a': it was begun with recipe r1, not r2"));
}

TEST_F(RegistryTest, CountsTheSameTrialOnce) {
  Registry registry(file_);
  registry.BeginRun(Run("a"));
  registry.BeginRun(Run("b"));
  EXPECT_TRUE(registry.RecordTrial(Trial("c1", 0.01)));
  EXPECT_FALSE(registry.RecordTrial(Trial("c1", 0.01)));
  TrialRecord updated = Trial("c1", 0.03, "b");
  updated.recorded = 99;
  EXPECT_FALSE(registry.RecordTrial(updated));
  EXPECT_EQ(registry.TrialsFor("BTCUSDT 30m return").count, 1u);
  const TrialRecord trial = registry.FindTrial(updated.key).value();
  EXPECT_EQ(trial.sharpe, 0.03);
  EXPECT_EQ(trial.run_id, "b");
  EXPECT_EQ(trial.recorded, 5);
  EXPECT_EQ(trial.metrics_json, R"({"mae":0.5})");
  EXPECT_EQ(registry.TrialsOfRun("a").size(), 1u);
  EXPECT_EQ(registry.TrialsOfRun("b").size(), 1u);
}

TEST_F(RegistryTest, CountsOtherDataAndOtherConfigurationsButNotBaselines) {
  Registry registry(file_);
  registry.BeginRun(Run("a"));
  registry.RecordTrial(Trial("c1", 0.01));
  registry.RecordTrial(Trial("c2", -0.02));
  registry.RecordTrial(Trial("never traded", NAN));
  TrialRecord other_data = Trial("c1", 0.03);
  other_data.key.dataset = "d2";
  registry.RecordTrial(other_data);
  TrialRecord naive = Trial("naive", 0.5);
  naive.baseline = true;
  registry.RecordTrial(naive);
  TrialRecord elsewhere = Trial("c1", 0.9);
  elsewhere.key.problem = "ETHUSDT 30m return";
  registry.RecordTrial(elsewhere);

  const TrialSummary summary = registry.TrialsFor("BTCUSDT 30m return");
  EXPECT_EQ(summary.count, 4u);
  EXPECT_THAT(summary.annual_sharpes, ElementsAre(0.2, -0.4, 0.6));
  EXPECT_EQ(registry.TrialsOfProblem("BTCUSDT 30m return").size(), 5u);
  EXPECT_TRUE(std::isnan(registry.TrialsOfProblem("BTCUSDT 30m return")[2].sharpe));
  EXPECT_EQ(registry.TrialsFor("nothing").count, 0u);
}

TEST_F(RegistryTest, SurvivesReopening) {
  {
    Registry registry(file_);
    registry.BeginRun(Run("a"));
    registry.RecordTrial(Trial("c1"));
  }
  EXPECT_EQ(Registry(file_).TrialsOfRun("a").size(), 1u);
}

TEST_F(RegistryTest, RefusesWhatCannotBe) {
  Registry registry(file_);
  registry.BeginRun(Run("a"));
  EXPECT_THAT(MessageOf([&] { registry.BeginRun(Run("")); }), HasSubstr("an empty id"));
  EXPECT_THAT(MessageOf([&] { registry.FinishRun("x", RunStatus::kDone, 1); }),
              HasSubstr("run 'x': it was never begun"));
  EXPECT_THAT(MessageOf([&] { registry.FinishRun("a", RunStatus::kRunning, 1); }),
              HasSubstr("cannot finish as running"));
  EXPECT_THAT(MessageOf([&] { registry.RecordTrial(Trial("c", 0.1, "x")); }),
              HasSubstr("run 'x' was never begun"));
  EXPECT_THAT(MessageOf([&] { registry.RecordTrial(Trial("")); }), HasSubstr("an empty problem"));
  EXPECT_THAT(MessageOf([&] { registry.RecordTrial(Trial("c", INFINITY)); }),
              HasSubstr("an infinite Sharpe ratio"));
  TrialRecord trial = Trial("c");
  trial.periods_per_year = 0;
  EXPECT_THAT(MessageOf([&] { registry.RecordTrial(trial); }), HasSubstr("0 periods a year"));
  trial = Trial("c");
  trial.metrics_json = "[1]";
  EXPECT_THAT(MessageOf([&] { registry.RecordTrial(trial); }), HasSubstr("not a JSON object"));
  EXPECT_EQ(registry.TrialsFor("BTCUSDT 30m return").count, 0u);
}

TEST_F(RegistryTest, RefusesFilesThatAreNotItsOwn) {
  std::filesystem::create_directories(folder_ / "home");
  std::ofstream(file_)
      << "this is a text of more than a page's header, not a database at all, really; "
         "SQLite wants its magic sixteen bytes at the beginning of the file";
  EXPECT_THAT(MessageOf([&] { Registry{file_}; }), HasSubstr("not a SQLite database"));
  std::filesystem::remove(file_);
  Database(file_, 1000).Run("CREATE TABLE other (x)");
  EXPECT_THAT(MessageOf([&] { Registry{file_}; }),
              HasSubstr("a SQLite database of another program"));
}

TEST_F(RegistryTest, RefusesANewerRegistry) {
  { Registry registry(file_); }
  Database(file_, 1000).Run("PRAGMA user_version = 99");
  EXPECT_THAT(MessageOf([&] { Registry{file_}; }), HasSubstr("registry version 99"));
}

TEST_F(RegistryTest, GivesUpWaitingAfterItsPatience) {
  Registry registry(file_);
  Database other(file_, 1000);
  const Transaction holding(other);
  Registry impatient(file_, 20);
  EXPECT_THAT(MessageOf([&] { impatient.BeginRun(Run("a")); }),
              HasSubstr("another process holds it"));
}

TEST_F(RegistryTest, TwoProcessesRecordAtOnceFromAnEmptyHome) {
  constexpr int kProcesses = 3;
  constexpr int kTrials = 40;
  std::vector<pid_t> children;
  children.reserve(kProcesses);
  for (int p = 0; p < kProcesses; ++p) {
    children.push_back(Fork([&] {
      Registry registry(file_);
      registry.BeginRun(Run("shared"));
      for (int t = 0; t < kTrials; ++t) {
        // Half of the trials are common to all processes.
        const std::string config = t % 2 == 0 ? fmt::to_string(t) : fmt::format("{}/{}", p, t);
        registry.RecordTrial(Trial(config, 0.001 * t, "shared"));
      }
      registry.FinishRun("shared", RunStatus::kDone, 77);
    }));
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  const Registry registry(file_);
  EXPECT_EQ(registry.TrialsFor("BTCUSDT 30m return").count, kTrials / 2 * (1u + kProcesses));
  EXPECT_EQ(registry.FindRun("shared")->status, RunStatus::kDone);
}

TEST_F(RegistryTest, AKilledWriterLeavesWholeTrialsAndItsRunCanBeRepeated) {
  constexpr int kTrials = 60;
  const auto record_all = [&] {
    Registry registry(file_);
    registry.BeginRun(Run("a"));
    for (int t = 0; t < kTrials; ++t) registry.RecordTrial(Trial(fmt::to_string(t), 0.001 * t));
  };
  for (int kill_after_ms = 1; kill_after_ms < 60; kill_after_ms += 7) {
    const pid_t child = Fork(record_all);
    usleep(static_cast<useconds_t>(kill_after_ms) * 1000);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    Database database(file_, 1000);
    Statement check = database.Prepare("PRAGMA integrity_check");
    ASSERT_TRUE(check.Step());
    EXPECT_EQ(check.Text(0), "ok");
  }
  record_all();
  const Registry registry(file_);
  EXPECT_EQ(registry.TrialsFor("BTCUSDT 30m return").count, static_cast<size_t>(kTrials));
  EXPECT_EQ(registry.TrialsOfRun("a").size(), static_cast<size_t>(kTrials));
}

}  // namespace
}  // namespace almanac
