// A run killed at random instants and started again each time ends in the artifacts, the lake and
// the results of a run that nobody disturbed.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "almanac/base/places_for_test.h"
#include "almanac/base/random.h"
#include "almanac/base/text.h"
#include "almanac/cli/program_for_test.h"

namespace almanac {
namespace {

using Digests = std::map<std::string, std::string>;

constexpr int kKillsInCi = 12;
constexpr uint64_t kSeed = 20240101;
// A run that goes on from where it was killed is shorter than a whole one.
constexpr double kShareOfLaterRuns = 0.5;

int KillsWanted() {
  const char* text = std::getenv("ALMANAC_KILLS");
  const auto number = text == nullptr ? std::nullopt : ParseInt64(text);
  return number && *number > 0 ? static_cast<int>(*number) : kKillsInCi;
}

// The first recipe as integration tests run it, with a shorter past.
std::vector<std::string> RunArguments() {
  return {"run",       (SourceFolder() / "recipes/first-run.yaml").string(),
          "--env",     "integration-test",
          "--set",     "data.to=2023-04-01",
          "--threads", "1"};
}

Digests ResultsOf(const ProgramFolder& folder) {
  return folder.Digests({"artifacts", "lake", "runs"});
}

std::string Difference(const Digests& expected, const Digests& found) {
  std::string text;
  for (const auto& [path, digest] : expected) {
    const auto other = found.find(path);
    if (other == found.end()) {
      text += "missing: " + path + "\n";
    } else if (other->second != digest) {
      text += "other bytes: " + path + "\n";
    }
  }
  for (const auto& [path, digest] : found) {
    if (!expected.contains(path)) text += "too many: " + path + "\n";
  }
  return text;
}

TEST(KillTest, ARunKilledAtRandomInstantsEndsLikeOneThatWasNot) {
  const std::vector<std::string> arguments = RunArguments();
  const ProgramFolder unbroken;
  const ProgramEnd whole = unbroken.Run(arguments);
  ASSERT_EQ(whole.status, 0) << whole.err;
  const Digests expected = ResultsOf(unbroken);
  ASSERT_GT(expected.size(), 10u);
  const Json audit = unbroken.Run({"data", "audit", "--json"}).json();
  ASSERT_EQ(audit.size(), 1u);

  const int wanted = KillsWanted();
  Random random(kSeed);
  int kills = 0;
  int homes = 0;
  while (kills < wanted) {
    const ProgramFolder folder;
    ++homes;
    ProgramEnd end;
    double span = whole.seconds;
    while (kills < wanted) {
      const double after = random.Uniform() * span;
      span = whole.seconds * kShareOfLaterRuns;
      end = folder.RunAndSignal(arguments, SIGKILL, after);
      if (end.signal == 0) break;
      ++kills;
    }
    // What was left of it, without a disturbance.
    if (end.signal != 0) end = folder.Run(arguments);
    ASSERT_EQ(end.status, 0) << "after " << kills << " kills: " << end.err;
    ASSERT_EQ(Difference(expected, ResultsOf(folder)), "") << "after " << kills << " kills";
    EXPECT_EQ(folder.Leftovers(), std::vector<std::string>());
    EXPECT_EQ(folder.Run({"data", "audit", "--json"}).json(), audit);
  }
  RecordProperty("kills", kills);
  RecordProperty("homes", homes);
  std::printf("%d kills in %d homes; an unbroken run takes %.2f s\n", kills, homes, whole.seconds);
}

TEST(InterruptTest, CtrlCEndsARunWith130AndTheRunCanBeFinished) {
  const std::vector<std::string> arguments = RunArguments();
  const ProgramFolder unbroken;
  const ProgramEnd whole = unbroken.Run(arguments);
  ASSERT_EQ(whole.status, 0) << whole.err;

  const ProgramFolder folder;
  // Once the stage has begun to write: those after it have not.
  for (const char* stage : {"features", "train"}) {
    const ProgramEnd end = folder.RunAndSignal(arguments, SIGINT, [&] {
      return std::filesystem::exists(folder.home() / "artifacts" / stage);
    });
    ASSERT_EQ(end.status, 130) << stage << ", signal " << end.signal << ": " << end.err;
    EXPECT_NE(end.err.find("interrupted"), std::string::npos) << end.err;
    EXPECT_FALSE(std::filesystem::exists(folder.home() / "artifacts" / "report"));
  }
  const ProgramEnd last = folder.Run(arguments);
  ASSERT_EQ(last.status, 0) << last.err;
  EXPECT_EQ(Difference(ResultsOf(unbroken), ResultsOf(folder)), "");
  EXPECT_EQ(folder.Leftovers(), std::vector<std::string>());
}

}  // namespace
}  // namespace almanac
