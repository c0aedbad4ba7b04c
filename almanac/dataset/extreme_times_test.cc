// Splits, folds and windows of random rows at all scales of time, the ends of its range included:
// what no test with plausible times reaches, and what the sanitizers are for.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>

#include "almanac/base/error.h"
#include "almanac/base/random.h"
#include "almanac/dataset/fold.h"
#include "almanac/dataset/split.h"
#include "almanac/dataset/window.h"

namespace almanac {
namespace {

struct Rows {
  std::vector<TimeMs> t0, t1;
};

// Anything from some milliseconds to nearly the whole range.
int64_t Spread(Random& random) {
  return static_cast<int64_t>(random.Next() >> (1 + random.Below(62)));
}

TimeMs Saturated(TimeMs time, DurationMs length) {
  return time > kMaxTime - length ? kMaxTime : time + length;
}

Rows RandomRows(Random& random) {
  Rows rows;
  const TimeMs origin = random.Below(2) == 0 ? Spread(random) : -Spread(random);
  const uint64_t span = static_cast<uint64_t>(Spread(random)) + 1;
  const uint64_t longest = static_cast<uint64_t>(Spread(random)) + 1;
  for (size_t i = 0; i < 5 + random.Below(60); ++i) {
    rows.t0.push_back(Saturated(origin, static_cast<DurationMs>(random.Below(span))));
    rows.t1.push_back(Saturated(rows.t0.back(), static_cast<DurationMs>(random.Below(longest))));
  }
  return rows;
}

// Closed intervals, one of which is widened by the embargo on both sides.
bool Meets(const Rows& rows, uint32_t a, uint32_t b, DurationMs embargo) {
  const auto reaches = [&](TimeMs end, TimeMs start) {
    return end >= start || static_cast<uint64_t>(start) - static_cast<uint64_t>(end) <=
                               static_cast<uint64_t>(embargo);
  };
  return reaches(rows.t1[a], rows.t0[b]) && reaches(rows.t1[b], rows.t0[a]);
}

bool AnyMeets(const Rows& rows, std::span<const uint32_t> some, std::span<const uint32_t> others,
              DurationMs embargo) {
  return std::any_of(some.begin(), some.end(), [&](uint32_t a) {
    return std::any_of(others.begin(), others.end(),
                       [&](uint32_t b) { return Meets(rows, a, b, embargo); });
  });
}

// Lengths that suit the rows' range, so that there are windows, but not thousands.
FoldSpec RandomSpec(const Rows& rows, Random& random) {
  const auto [first, last] = std::minmax_element(rows.t0.begin(), rows.t0.end());
  const uint64_t range = static_cast<uint64_t>(*last) - static_cast<uint64_t>(*first);
  const auto length = [&](uint64_t share) {
    return static_cast<DurationMs>(1 + range / 64 + random.Below(range / share + 1));
  };
  FoldSpec spec;
  spec.scheme = static_cast<FoldScheme>(random.Below(4));
  spec.embargo = random.Below(2) == 0 ? 0 : Spread(random);
  spec.train = length(2);
  spec.test = length(4);
  spec.validation = random.Below(2) == 0 ? 0 : length(8);
  spec.step = random.Below(2) == 0 ? 0 : length(4);
  spec.folds = 2 + random.Below(5);
  spec.groups = 2 + random.Below(4);
  spec.test_groups = 1 + random.Below(spec.groups - 1);
  return spec;
}

TEST(ExtremeTimes, NoTrainingIntervalMeetsAnotherPart) {
  Random random(41);
  size_t folds_seen[4] = {0, 0, 0, 0}, splits = 0;
  for (int trial = 0; trial < 3000; ++trial) {
    const Rows rows = RandomRows(random);
    const FoldSpec spec = RandomSpec(rows, random);
    try {
      const CrossValidation made = CrossValidation::Make(rows.t0, rows.t1, spec);
      for (size_t k = 0; k < std::min<size_t>(4, made.folds().size()); ++k) {
        const Fold& fold = made.folds()[k];
        const auto training = fold.training.rows();
        ASSERT_FALSE(AnyMeets(rows, training, fold.test, spec.embargo)) << spec.ToJson();
        ASSERT_FALSE(AnyMeets(rows, training, fold.validation, spec.embargo)) << spec.ToJson();
        ASSERT_FALSE(AnyMeets(rows, fold.validation, fold.test, spec.embargo)) << spec.ToJson();
        ++folds_seen[static_cast<size_t>(spec.scheme)];
      }
    } catch (const Error&) {  // too few rows for the spec
    }
    SplitSpec chronological;
    chronological.embargo = spec.embargo;
    std::optional<DataSplit> split;
    try {
      split = DataSplit::Chronological(rows.t0, rows.t1, chronological);
    } catch (const Error&) {
      continue;
    }
    ASSERT_FALSE(AnyMeets(rows, split->training().rows(), split->rows(Part::kTest), spec.embargo));
    ++splits;
  }
  for (const size_t count : folds_seen) EXPECT_GT(count, 200U);
  EXPECT_GT(splits, 500U);
}

TEST(ExtremeTimes, WindowsAreThoseOfTheDefinition) {
  Random random(42);
  size_t seen = 0;
  for (int trial = 0; trial < 500; ++trial) {
    FeatureTable table;
    table.names = {{"a", "ratio"}, {"b", "ratio"}};
    table.columns.resize(2);
    const DurationMs spacing = 1 + Spread(random) / 128;
    TimeMs time = -Spread(random);
    for (size_t i = 0; i < 40; ++i) {
      table.index.push_back(time);
      time += spacing * (random.Below(6) == 0 ? 2 : 1);
      for (std::vector<float>& column : table.columns) {
        column.push_back(random.Below(25) == 0 ? std::numeric_limits<float>::quiet_NaN()
                                               : static_cast<float>(random.Uniform()));
      }
    }
    const Dataset data = Dataset::Unlabelled("X", table);
    std::vector<uint32_t> rows(data.rows());
    std::iota(rows.begin(), rows.end(), 0);
    const size_t steps = 1 + random.Below(45);
    const SequenceWindows windows(data, rows, steps, spacing, false);
    size_t next = 0;
    for (uint32_t row = 0; row < rows.size(); ++row) {
      bool usable = row + 1 >= steps;
      for (size_t i = usable ? row + 1 - steps : 0; usable && i <= row; ++i) {
        usable = !std::isnan(table.columns[0][i]) && !std::isnan(table.columns[1][i]) &&
                 (i == row || table.index[i + 1] - table.index[i] == spacing);
      }
      ASSERT_EQ(usable, next < windows.size() && windows.rows()[next] == row);
      if (!usable) continue;
      const std::span<const float> view = windows.column(next++, 1);
      ASSERT_TRUE(std::equal(view.begin(), view.end(), table.columns[1].begin() + row + 1 - steps));
      ++seen;
    }
  }
  EXPECT_GT(seen, 800U);
}

}  // namespace
}  // namespace almanac
