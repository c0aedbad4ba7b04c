#include "almanac/dataset/split.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/error_for_test.h"
#include "almanac/base/random.h"

namespace almanac {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<TimeMs> Times(size_t count, TimeMs offset = 0) {
  std::vector<TimeMs> times;
  for (size_t i = 0; i < count; ++i) times.push_back(static_cast<TimeMs>(i) * 10 + offset);
  return times;
}

std::vector<uint32_t> Rows(const DataSplit& split, Part part) {
  const std::span<const uint32_t> rows = split.rows(part);
  return {rows.begin(), rows.end()};
}

TEST(DataSplit, PurgesLabelsThatReachIntoTheNextPart) {
  // Ten rows at 0, 10, ..., 90 whose labels look 20 ahead; validation from 50, test from 80.
  SplitSpec spec;
  spec.validation_share = 0.3;
  spec.test_share = 0.2;
  const DataSplit split = DataSplit::Chronological(Times(10), Times(10, 20), spec);
  EXPECT_EQ(split.validation_from(), 50);
  EXPECT_EQ(split.test_from(), 80);
  EXPECT_THAT(Rows(split, Part::kTraining), ElementsAre(0, 1, 2));  // row 3 ends at 50 itself
  EXPECT_THAT(Rows(split, Part::kValidation), ElementsAre(5));
  EXPECT_THAT(Rows(split, Part::kTest), ElementsAre(8, 9));
  EXPECT_EQ(split.purged(), 4U);
}

TEST(DataSplit, EmbargoAddsToThePurge) {
  SplitSpec spec;
  spec.validation_share = 0;
  spec.test_share = 0.2;
  spec.embargo = 20;
  const DataSplit split = DataSplit::Chronological(Times(10), Times(10, 10), spec);
  EXPECT_EQ(split.validation_from(), split.test_from());
  EXPECT_TRUE(split.rows(Part::kValidation).empty());
  EXPECT_THAT(Rows(split, Part::kTraining), ElementsAre(0, 1, 2, 3, 4));  // row 5 ends at 60
}

TEST(DataSplit, DatesAreFirstInstants) {
  SplitSpec spec;
  spec.validation_from = 41;
  spec.test_from = 70;
  const DataSplit split = DataSplit::Chronological(Times(10), Times(10), spec);
  EXPECT_THAT(Rows(split, Part::kTraining), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(Rows(split, Part::kValidation), ElementsAre(5, 6));
  EXPECT_THAT(Rows(split, Part::kTest), ElementsAre(7, 8, 9));
}

struct Intervals {
  std::vector<TimeMs> t0, t1;
};

// Starts in any order, many of them equal, labels of any length.
Intervals RandomIntervals(Random& random) {
  Intervals intervals;
  const size_t rows = 20 + random.Below(200);
  const uint64_t instants = 10 + random.Below(300);
  const uint64_t longest = 1 + random.Below(60);
  for (size_t i = 0; i < rows; ++i) {
    intervals.t0.push_back(static_cast<TimeMs>(random.Below(instants)) - 50);
    intervals.t1.push_back(intervals.t0.back() + static_cast<TimeMs>(random.Below(longest)));
  }
  return intervals;
}

SplitSpec RandomSpec(Random& random) {
  SplitSpec spec;
  spec.embargo = static_cast<DurationMs>(random.Below(2) * random.Below(20));
  if (random.Below(2) == 0) {
    spec.validation_share = random.Below(3) == 0 ? 0.0 : 0.4 * random.Uniform();
    spec.test_share = 0.01 + 0.5 * random.Uniform();
  } else {
    spec.validation_from = static_cast<TimeMs>(random.Below(200)) - 50;
    spec.test_from = *spec.validation_from + static_cast<TimeMs>(random.Below(100));
  }
  return spec;
}

// By the definition: closed intervals, one of which is widened by the embargo.
bool AnyMeets(const Intervals& all, std::span<const uint32_t> earlier,
              std::span<const uint32_t> later, DurationMs embargo) {
  for (const uint32_t a : earlier) {
    for (const uint32_t b : later) {
      if (all.t0[a] <= all.t1[b] && all.t0[b] <= all.t1[a] + embargo) return true;
    }
  }
  return false;
}

TEST(DataSplit, NoIntervalOfOnePartMeetsOneOfALaterPart) {
  Random random(17);
  int splits = 0, folds_seen = 0;
  for (int trial = 0; trial < 2000; ++trial) {
    const Intervals all = RandomIntervals(random);
    const SplitSpec spec = RandomSpec(random);
    std::optional<DataSplit> split;
    try {
      split = DataSplit::Chronological(all.t0, all.t1, spec);
    } catch (const Error&) {
      continue;  // a part without rows
    }
    ++splits;
    const auto training = split->rows(Part::kTraining);
    const auto validation = split->rows(Part::kValidation);
    const auto test = split->rows(Part::kTest);
    ASSERT_FALSE(AnyMeets(all, training, validation, spec.embargo)) << trial;
    ASSERT_FALSE(AnyMeets(all, training, test, spec.embargo)) << trial;
    ASSERT_FALSE(AnyMeets(all, validation, test, spec.embargo)) << trial;
    ASSERT_EQ(training.size() + validation.size() + test.size() + split->purged(), all.t0.size());
    for (const auto rows : {training, validation, test}) {
      ASSERT_TRUE(std::is_sorted(rows.begin(), rows.end(),
                                 [&](uint32_t a, uint32_t b) { return all.t0[a] < all.t0[b]; }));
    }
    try {
      for (const TrainingFold& fold : split->training().Folds(1 + random.Below(4))) {
        ++folds_seen;
        ASSERT_FALSE(AnyMeets(all, fold.training.rows(), fold.validation, spec.embargo)) << trial;
        for (const uint32_t row : fold.validation) {
          ASSERT_NE(std::find(training.begin(), training.end(), row), training.end());
        }
      }
    } catch (const Error&) {
    }
  }
  EXPECT_GT(splits, 1000);
  EXPECT_GT(folds_seen, 1000);
}

// Nothing is purged that did not have to be: every purged row would meet a later part.
TEST(DataSplit, PurgesNoMoreThanItMust) {
  Random random(18);
  for (int trial = 0; trial < 500; ++trial) {
    const Intervals all = RandomIntervals(random);
    SplitSpec spec;
    spec.validation_share = 0;
    std::optional<DataSplit> split;
    try {
      split = DataSplit::Chronological(all.t0, all.t1, spec);
    } catch (const Error&) {
      continue;
    }
    const TimeMs first_test = all.t0[split->rows(Part::kTest).front()];
    size_t must = 0;
    for (size_t i = 0; i < all.t0.size(); ++i) {
      must += all.t0[i] < first_test && all.t1[i] >= first_test;
    }
    ASSERT_EQ(split->purged(), must);
  }
}

TEST(DataSplit, FoldsGrowAndCoverEverythingAfterTheFirstBlock) {
  SplitSpec spec;
  spec.validation_share = 0;
  spec.test_share = 0.2;
  const DataSplit split = DataSplit::Chronological(Times(50), Times(50), spec);
  const std::vector<TrainingFold> folds = split.training().Folds(3);
  ASSERT_EQ(folds.size(), 3U);
  size_t judged = 0;
  for (size_t k = 0; k < 3; ++k) {
    EXPECT_EQ(folds[k].training.size(), 10 * (k + 1));
    EXPECT_EQ(folds[k].validation.front(), 10 * (k + 1));
    judged += folds[k].validation.size();
  }
  EXPECT_EQ(judged, 30U);
}

TEST(DataSplit, RefusesWhatCannotBeSplit) {
  const auto split = [](size_t rows, SplitSpec spec) {
    return MessageOf([&] { DataSplit::Chronological(Times(rows), Times(rows, 5), spec); });
  };
  SplitSpec spec;
  EXPECT_EQ(split(100, spec), "no error");
  EXPECT_THAT(split(0, spec), HasSubstr("no rows"));
  EXPECT_THAT(split(1, spec), HasSubstr("training part"));
  spec.validation_share = 0.5;
  spec.test_share = 0.5;
  EXPECT_THAT(split(100, spec), HasSubstr("together below 1"));
  spec.validation_share = -0.1;
  EXPECT_THAT(split(100, spec), HasSubstr("shares"));
  spec = {};
  spec.embargo = -1;
  EXPECT_THAT(split(100, spec), HasSubstr("embargo"));
  spec = {};
  spec.embargo = kMsPerDay;
  EXPECT_THAT(split(100, spec), HasSubstr("no row is left for the training part"));
  spec = {};
  spec.validation_from = 50;
  EXPECT_THAT(split(100, spec), HasSubstr("give both or neither"));
  spec.test_from = 40;
  EXPECT_THAT(split(100, spec), HasSubstr("is after test_from"));
  spec.test_from = 5000;
  EXPECT_THAT(split(100, spec), HasSubstr("no row is left for the test part"));
  EXPECT_THAT(MessageOf([] { DataSplit::Chronological(Times(9), Times(9, -1), {}); }),
              HasSubstr("before it begins"));
  EXPECT_THAT(MessageOf([] { DataSplit::Chronological(Times(9), Times(8), {}); }),
              HasSubstr("9 starts and 8 ends"));
  EXPECT_THAT(
      MessageOf([] { DataSplit::Chronological(Times(20), Times(20), {}).training().Folds(50); }),
      HasSubstr("too few for 50 folds"));
}

TEST(SplitSpec, IsReadAndWrittenBack) {
  const auto read = [](const std::string& yaml) {
    const ConfigDocument document = ConfigDocument::Parse(yaml, "r.yaml");
    SplitSpec spec = SplitSpec::FromConfig(document.root());
    document.RefuseUnknownKeys();
    return spec.ToJson().dump() + " " + SplitSpec::FromJson(spec.ToJson()).ToJson().dump();
  };
  const std::string shares = R"({"validation":0.2,"test":0.1,"embargo":3600000})";
  EXPECT_EQ(read("{validation: 0.2, test: 0.1, embargo: 1h}"), shares + " " + shares);
  const std::string dates =
      R"({"validation_from":1704067200000,"test_from":1706745600000,"embargo":0})";
  EXPECT_EQ(read("{validation_from: 2024-01-01, test_from: 2024-02-01}"), dates + " " + dates);
  EXPECT_THAT(MessageOf([&] { read("{validation: 0.2, test_from: 2024-02-01}"); }),
              HasSubstr("a share beside a date"));
  EXPECT_THAT(MessageOf([&] { read("{validation: 0.6, test: 0.6}"); }),
              testing::AllOf(HasSubstr("r.yaml"), HasSubstr("together below 1")));
  EXPECT_THAT(MessageOf([&] { read("{validation: 1.5}"); }), HasSubstr("validation"));
}

}  // namespace
}  // namespace almanac
