#include "almanac/dataset/fold.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "almanac/base/error.h"
#include "almanac/base/error_for_test.h"
#include "almanac/base/random.h"

namespace almanac {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Intervals {
  std::vector<TimeMs> t0, t1;
};

Intervals Regular(size_t count, TimeMs length) {
  Intervals all;
  for (size_t i = 0; i < count; ++i) {
    all.t0.push_back(static_cast<TimeMs>(i) * 10);
    all.t1.push_back(all.t0.back() + length);
  }
  return all;
}

std::vector<uint32_t> RowsOf(const TrainingRows& training) {
  return {training.rows().begin(), training.rows().end()};
}

TEST(CrossValidation, RollingAndExpandingWindows) {
  const Intervals all = Regular(10, 10);
  FoldSpec spec;
  spec.scheme = FoldScheme::kRolling;
  spec.train = 40;
  spec.test = 20;
  const CrossValidation rolling = CrossValidation::Make(all.t0, all.t1, spec);
  ASSERT_EQ(rolling.folds().size(), 3U);
  EXPECT_THAT(RowsOf(rolling.folds()[0].training), ElementsAre(0, 1, 2));  // row 3 ends at 40
  EXPECT_THAT(rolling.folds()[0].test, ElementsAre(4, 5));
  EXPECT_EQ(rolling.folds()[0].purged, 1U);
  EXPECT_THAT(RowsOf(rolling.folds()[2].training), ElementsAre(4, 5, 6));
  EXPECT_THAT(rolling.folds()[2].test, ElementsAre(8, 9));
  spec.scheme = FoldScheme::kExpanding;
  spec.step = 30;
  const CrossValidation expanding = CrossValidation::Make(all.t0, all.t1, spec);
  ASSERT_EQ(expanding.folds().size(), 2U);
  EXPECT_THAT(RowsOf(expanding.folds()[1].training), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(expanding.folds()[1].test, ElementsAre(7, 8));
  spec.train = 30;
  spec.validation = 20;
  const CrossValidation three = CrossValidation::Make(all.t0, all.t1, spec);
  EXPECT_THAT(RowsOf(three.folds()[0].training), ElementsAre(0, 1));
  EXPECT_THAT(three.folds()[0].validation, ElementsAre(3));
  EXPECT_THAT(three.folds()[0].test, ElementsAre(5, 6));
}

TEST(CrossValidation, PurgedKFoldLearnsOnBothSides) {
  const Intervals all = Regular(9, 10);
  FoldSpec spec;
  spec.folds = 3;
  const CrossValidation folds = CrossValidation::Make(all.t0, all.t1, spec);
  ASSERT_EQ(folds.folds().size(), 3U);
  EXPECT_THAT(folds.folds()[1].test, ElementsAre(3, 4, 5));
  // Row 2 ends at 30, where row 3 begins; row 5 ends at 60, where row 6 begins.
  EXPECT_THAT(RowsOf(folds.folds()[1].training), ElementsAre(0, 1, 7, 8));
  EXPECT_EQ(folds.folds()[1].purged, 2U);
  spec.embargo = 10;
  EXPECT_THAT(RowsOf(CrossValidation::Make(all.t0, all.t1, spec).folds()[1].training),
              ElementsAre(0, 8));
}

TEST(CrossValidation, CombinatorialPathsCoverEverythingOnce) {
  const Intervals all = Regular(60, 5);
  FoldSpec spec;
  spec.scheme = FoldScheme::kCombinatorial;
  const CrossValidation folds = CrossValidation::Make(all.t0, all.t1, spec);
  EXPECT_EQ(folds.folds().size(), 15U);  // C(6, 2)
  ASSERT_EQ(folds.paths().size(), 5U);   // 15 * 2 / 6
  std::set<std::pair<size_t, size_t>> used;
  for (const std::vector<size_t>& path : folds.paths()) {
    ASSERT_EQ(path.size(), 6U);
    for (size_t group = 0; group < 6; ++group) {
      const std::vector<size_t>& tested = folds.folds()[path[group]].test_groups;
      EXPECT_NE(std::find(tested.begin(), tested.end(), group), tested.end());
      EXPECT_TRUE(used.insert({path[group], group}).second);
    }
  }
  EXPECT_EQ(used.size(), 30U);
}

Intervals RandomIntervals(Random& random) {
  Intervals all;
  const size_t rows = 20 + random.Below(150);
  const uint64_t instants = 10 + random.Below(300);
  const uint64_t longest = 1 + random.Below(40);
  for (size_t i = 0; i < rows; ++i) {
    all.t0.push_back(static_cast<TimeMs>(random.Below(instants)) - 50);
    all.t1.push_back(all.t0.back() + static_cast<TimeMs>(random.Below(longest)));
  }
  return all;
}

FoldSpec RandomSpec(Random& random) {
  FoldSpec spec;
  const auto below = [&](uint64_t bound) { return static_cast<DurationMs>(random.Below(bound)); };
  spec.scheme = static_cast<FoldScheme>(random.Below(4));
  spec.embargo = below(2) * below(15);
  spec.train = 1 + below(150);
  spec.test = 1 + below(60);
  spec.validation = below(2) * below(60);
  spec.step = below(2) * (1 + below(50));
  spec.folds = 2 + random.Below(6);
  spec.groups = 2 + random.Below(6);
  spec.test_groups = 1 + random.Below(spec.groups - 1);
  return spec;
}

bool Meets(const Intervals& all, uint32_t a, uint32_t b, DurationMs embargo) {
  return all.t0[a] - embargo <= all.t1[b] && all.t0[b] <= all.t1[a] + embargo;
}

bool AnyMeets(const Intervals& all, std::span<const uint32_t> some,
              std::span<const uint32_t> others, DurationMs embargo) {
  return std::any_of(some.begin(), some.end(), [&](uint32_t a) {
    return std::any_of(others.begin(), others.end(),
                       [&](uint32_t b) { return Meets(all, a, b, embargo); });
  });
}

void CheckFold(const Intervals& all, const FoldSpec& spec, const Fold& fold) {
  const std::span<const uint32_t> training = fold.training.rows();
  ASSERT_FALSE(training.empty());
  ASSERT_FALSE(fold.test.empty());
  ASSERT_FALSE(AnyMeets(all, training, fold.test, spec.embargo));
  ASSERT_FALSE(AnyMeets(all, training, fold.validation, spec.embargo));
  ASSERT_FALSE(AnyMeets(all, fold.validation, fold.test, spec.embargo));
  const auto by_time = [&](uint32_t a, uint32_t b) { return all.t0[a] < all.t0[b]; };
  ASSERT_TRUE(std::is_sorted(training.begin(), training.end(), by_time));
  ASSERT_TRUE(std::is_sorted(fold.test.begin(), fold.test.end(), by_time));
  if (fold.test_groups.empty()) return;
  // Blocks purge exactly what meets the test part.
  size_t must = 0;
  const std::set<uint32_t> test(fold.test.begin(), fold.test.end());
  for (uint32_t row = 0; row < all.t0.size(); ++row) {
    const uint32_t one[] = {row};
    must += !test.contains(row) && AnyMeets(all, one, fold.test, spec.embargo);
  }
  ASSERT_EQ(fold.purged, must);
  ASSERT_EQ(training.size() + test.size() + must, all.t0.size());
}

TEST(CrossValidation, NoTrainingIntervalMeetsAValidationOrTestInterval) {
  Random random(23);
  size_t seen[4] = {0, 0, 0, 0}, inner = 0;
  for (int trial = 0; trial < 2000; ++trial) {
    const Intervals all = RandomIntervals(random);
    const FoldSpec spec = RandomSpec(random);
    std::vector<Fold> folds;
    try {
      folds = CrossValidation::Make(all.t0, all.t1, spec).folds();
    } catch (const Error&) {
      continue;  // too few rows for the spec
    }
    for (size_t k = 0; k < std::min<size_t>(folds.size(), 8); ++k) {
      CheckFold(all, spec, folds[k]);
      if (HasFatalFailure()) FAIL() << trial << " " << spec.ToJson().dump();
      ++seen[static_cast<size_t>(spec.scheme)];
    }
    std::vector<TrainingFold> within;
    try {
      within = folds.front().training.Folds(2);
    } catch (const Error&) {
    }
    for (const TrainingFold& fold : within) {
      ASSERT_FALSE(AnyMeets(all, fold.training.rows(), fold.validation, spec.embargo));
      ++inner;
    }
  }
  for (const size_t count : seen) EXPECT_GT(count, 500U);
  EXPECT_GT(inner, 500U);
}

TEST(CrossValidation, EveryRowIsTestedOnceByKFold) {
  Random random(24);
  for (int trial = 0; trial < 200; ++trial) {
    const Intervals all = RandomIntervals(random);
    std::vector<uint32_t> tested;
    try {
      const CrossValidation made = CrossValidation::Make(all.t0, all.t1, {});
      for (const Fold& fold : made.folds()) {
        tested.insert(tested.end(), fold.test.begin(), fold.test.end());
      }
    } catch (const Error&) {
      continue;
    }
    ASSERT_EQ(std::set<uint32_t>(tested.begin(), tested.end()).size(), all.t0.size());
    ASSERT_EQ(tested.size(), all.t0.size());
  }
}

TEST(CrossValidation, SkipsWindowsWithoutRowsAndRefusesWhatCannotBe) {
  Intervals all = Regular(20, 0);
  all.t0.push_back(1000);
  all.t1.push_back(1000);
  FoldSpec spec;
  spec.scheme = FoldScheme::kExpanding;
  spec.train = 100;
  spec.test = 100;
  const CrossValidation windows = CrossValidation::Make(all.t0, all.t1, spec);
  EXPECT_EQ(windows.folds().size(), 2U);
  EXPECT_EQ(windows.skipped(), 8U);
  const auto make = [&](const FoldSpec& bad) {
    return MessageOf([&] { CrossValidation::Make(all.t0, all.t1, bad); });
  };
  spec.train = 5000;
  EXPECT_THAT(make(spec), HasSubstr("no window has rows"));
  spec.train = 0;
  EXPECT_THAT(make(spec), HasSubstr("must be above 0"));
  FoldSpec blocks;
  blocks.folds = 1;
  EXPECT_THAT(make(blocks), HasSubstr("at least 2"));
  blocks.folds = 22;
  EXPECT_THAT(make(blocks), HasSubstr("too few for 22 blocks"));
  blocks.folds = 3;
  blocks.embargo = 5000;
  EXPECT_THAT(make(blocks), HasSubstr("no row is left to learn from"));
  blocks.scheme = FoldScheme::kCombinatorial;
  blocks.embargo = 0;
  blocks.test_groups = 6;
  EXPECT_THAT(make(blocks), HasSubstr("6 test groups of 6"));
  blocks.groups = 100;
  blocks.test_groups = 50;
  EXPECT_THAT(make(blocks), HasSubstr("more than 10000 folds"));
}

TEST(FoldSpec, IsReadFromConfiguration) {
  const auto read = [](const std::string& yaml) {
    const ConfigDocument document = ConfigDocument::Parse(yaml, "r.yaml");
    const FoldSpec spec = FoldSpec::FromConfig(document.root());
    document.RefuseUnknownKeys();
    return spec.ToJson().dump();
  };
  EXPECT_EQ(read("{scheme: rolling, train: 2h, test: 1h, embargo: 1m}"),
            R"({"scheme":"rolling","train":7200000,"validation":0,"test":3600000,"step":0,)"
            R"("embargo":60000})");
  EXPECT_EQ(read("{scheme: combinatorial, groups: 8}"),
            R"({"scheme":"combinatorial","groups":8,"test_groups":2,"embargo":0})");
  EXPECT_THAT(MessageOf([&] { read("{scheme: purged_k_fold, folds: 1}"); }), HasSubstr("r.yaml"));
  EXPECT_THAT(MessageOf([&] { read("{scheme: purged_k_fold, groups: 3}"); }), HasSubstr("groups"));
}

}  // namespace
}  // namespace almanac
