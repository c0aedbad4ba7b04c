#include "almanac/dataset/window.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "almanac/base/error.h"
#include "almanac/base/random.h"

namespace almanac {
namespace {

using ::testing::HasSubstr;

Dataset RandomData(Random& random) {
  FeatureTable table;
  const size_t rows = 5 + random.Below(120), features = 1 + random.Below(4);
  TimeMs time = 0;
  Labels labels;
  labels.name = "y";
  for (size_t i = 0; i < rows; ++i) {
    table.index.push_back(time);
    labels.t0.push_back(time);
    labels.t1.push_back(time + 5);
    labels.value.push_back(i > 0 && random.Below(6) == 0 ? std::nan("") : random.Normal());
    time += random.Below(15) == 0 ? 20 : 10;
  }
  for (size_t f = 0; f < features; ++f) {
    table.names.push_back({"f" + std::to_string(f), "ratio"});
    std::vector<float>& column = table.columns.emplace_back();
    for (size_t i = 0; i < rows; ++i) {
      column.push_back(random.Below(40) == 0 ? std::numeric_limits<float>::infinity()
                                             : static_cast<float>(random.Normal()));
    }
  }
  return Dataset::Join("X", std::move(table), labels);
}

bool SlowUsable(const Dataset& data, size_t row, size_t steps, DurationMs spacing, bool target) {
  if (row + 1 < steps) return false;
  for (size_t i = row + 1 - steps; i <= row; ++i) {
    if (!data.HasFeatures(i)) return false;
    if (i < row && spacing > 0 && data.times()[i + 1] - data.times()[i] != spacing) return false;
  }
  return !target || std::isfinite(data.target()[row]);
}

TEST(SequenceWindows, AreTheUsableOnesAndGatherTheirValues) {
  Random random(31);
  size_t windows_seen = 0;
  for (int trial = 0; trial < 300; ++trial) {
    const Dataset data = RandomData(random);
    const size_t steps = 1 + random.Below(8);
    const DurationMs spacing = random.Below(2) == 0 ? 0 : 10;
    const bool with_target = random.Below(2) == 0;
    std::vector<uint32_t> rows, expected;
    for (uint32_t row = 0; row < data.rows(); ++row) {
      if (random.Below(4) == 0) continue;
      rows.push_back(row);
      if (SlowUsable(data, row, steps, spacing, with_target)) expected.push_back(row);
    }
    const SequenceWindows windows(data, rows, steps, spacing, with_target);
    ASSERT_EQ(std::vector<uint32_t>(windows.rows().begin(), windows.rows().end()), expected);
    ASSERT_EQ(windows.dropped(), rows.size() - expected.size());
    std::vector<size_t> which;
    for (size_t w = windows.size(); w-- > 0;) which.push_back(w);
    std::vector<float> batch(which.size() * steps * data.features());
    windows.Gather(which, batch);
    for (size_t b = 0; b < which.size(); ++b) {
      for (size_t t = 0; t < steps; ++t) {
        for (size_t f = 0; f < data.features(); ++f) {
          const size_t row = expected[which[b]] + 1 + t - steps;
          ASSERT_EQ(batch[(b * steps + t) * data.features() + f], data.feature(f)[row]);
        }
      }
    }
    windows_seen += windows.size();
  }
  EXPECT_GT(windows_seen, 2000U);
}

TEST(SequenceWindows, AreViews) {
  Random random(32);
  const Dataset data = RandomData(random);
  const std::vector<uint32_t> rows = {0, 1, 2, 3, 4};
  const SequenceWindows windows(data, rows, 1, 0, false);
  ASSERT_GT(windows.size(), 0U);
  EXPECT_EQ(windows.column(0, 0).data(), data.feature(0).data() + windows.rows()[0]);
}

TEST(SequenceWindows, RefuseWhatCannotBe) {
  Random random(33);
  const Dataset data = RandomData(random);
  const auto message = [&](const std::function<void()>& action) -> std::string {
    try {
      action();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  const std::vector<uint32_t> beyond = {static_cast<uint32_t>(data.rows())};
  EXPECT_THAT(message([&] { SequenceWindows(data, {}, 0, 0, false); }), HasSubstr("0 steps"));
  EXPECT_THAT(message([&] { SequenceWindows(data, beyond, 1, 0, false); }),
              HasSubstr("a window ends at row"));
  const SequenceWindows none(data, {}, 2, 0, false);
  const std::vector<size_t> first = {0};
  std::vector<float> batch(2 * data.features());
  EXPECT_THAT(message([&] { none.Gather(first, batch); }), HasSubstr("a batch of 1 windows"));
}

}  // namespace
}  // namespace almanac
