#include "almanac/feature/window.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <limits>

#include "almanac/base/error.h"
#include "almanac/base/random.h"
#include "almanac/feature/state.h"

namespace almanac {
namespace {

constexpr double kUnit = 0x1p-53;

long double SlowSum(const std::deque<double>& window) {
  long double sum = 0;
  for (const double value : window) sum += value;
  return sum;
}

long double SlowDeviation(const std::deque<double>& window) {
  const long double mean = SlowSum(window) / static_cast<long double>(window.size());
  long double squares = 0;
  for (const double value : window) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<long double>(window.size() - 1));
}

void Slide(std::deque<double>& window, double value, size_t length) {
  window.push_back(value);
  if (window.size() > length) window.pop_front();
}

TEST(FoldWindow, SumStaysWithinItsBoundHoweverLongTheStream) {
  for (const size_t length : {1UL, 2UL, 3UL, 7UL, 64UL, 500UL}) {
    Random random(11, length);
    FoldWindow<Sum> sums(static_cast<int64_t>(length));
    std::deque<double> window;
    for (int step = 0; step < 20'000; ++step) {
      // Magnitudes from 1e-6 to 1e12: a running sum would have lost everything after the first.
      const double value = random.Normal() * std::pow(10.0, random.Uniform() * 18 - 6);
      Slide(window, value, length);
      const double sum = sums.Push(value);
      if (step % 17 != 0) continue;
      long double magnitudes = 0;
      for (const double v : window) magnitudes += std::abs(v);
      const double bound = static_cast<double>(length) * kUnit * static_cast<double>(magnitudes);
      ASSERT_LE(std::abs(static_cast<double>(sum - SlowSum(window))), bound)
          << "length " << length << " step " << step;
      ASSERT_EQ(sums.full(), window.size() == length && step + 1 >= static_cast<int>(length));
    }
  }
}

TEST(FoldWindow, MaximaAndMinimaAreExact) {
  for (const size_t length : {1UL, 5UL, 33UL}) {
    Random random(5, length);
    FoldWindow<Maximum> tops(static_cast<int64_t>(length));
    FoldWindow<Minimum> bottoms(static_cast<int64_t>(length));
    std::deque<double> window;
    for (int step = 0; step < 3'000; ++step) {
      const double value = random.Normal();
      Slide(window, value, length);
      ASSERT_EQ(tops.Push(value), *std::max_element(window.begin(), window.end()));
      ASSERT_EQ(bottoms.Push(value), *std::min_element(window.begin(), window.end()));
    }
  }
}

TEST(FoldWindow, MomentsDoNotCancelAtHugeLevels) {
  constexpr size_t kLength = 48;
  Random random(3);
  FoldWindow<Moments> moments(kLength);
  std::deque<double> window;
  for (int step = 0; step < 50'000; ++step) {
    const double value = 1e12 + random.Normal();
    Slide(window, value, kLength);
    const Moments::Value got = moments.Push(Moments::Of(value));
    if (step < static_cast<int>(kLength) || step % 13 != 0) continue;
    // The values' own spacing is 1e-4 here; mean and deviation lose next to nothing beside it.
    ASSERT_NEAR(got.SampleDeviation(), static_cast<double>(SlowDeviation(window)), 2e-4);
    ASSERT_EQ(got.count, static_cast<double>(kLength));
    ASSERT_NEAR(got.mean - 1e12, static_cast<double>(SlowSum(window) / kLength - 1e12L), 1e-3);
  }
}

TEST(FoldWindow, AValueThatIsNotFiniteLeavesNoTrace) {
  constexpr int64_t kLength = 5;
  FoldWindow<Sum> sums(kLength);
  FoldWindow<Maximum> tops(kLength);
  FoldWindow<Moments> moments(kLength);
  for (int step = 0; step < 40; ++step) {
    const double value = step == 12 ? kUnknown : step;
    const bool inside = step >= 12 && step < 12 + kLength;
    EXPECT_EQ(std::isnan(sums.Push(value)), inside) << step;
    EXPECT_EQ(std::isnan(tops.Push(value)), inside) << step;
    EXPECT_EQ(std::isnan(moments.Push(Moments::Of(value)).squares), inside) << step;
  }
}

TEST(FoldWindow, ConstantValuesHaveExactlyNoDeviation) {
  FoldWindow<Moments> moments(7);
  for (int step = 0; step < 100; ++step) {
    const Moments::Value got = moments.Push(Moments::Of(0.1));
    EXPECT_EQ(got.squares, 0.0);
    EXPECT_EQ(got.mean, 0.1);
  }
}

TEST(LagWindow, GivesTheValueThatManyStepsAgo) {
  LagWindow lag(3);
  for (int step = 0; step < 20; ++step) {
    const double old = lag.Push(step);
    if (step < 3) {
      EXPECT_TRUE(std::isnan(old));
    } else {
      EXPECT_EQ(old, step - 3);
    }
  }
}

TEST(State, ContinuesWhereItWasSavedAndRefusesOtherWindows) {
  Random random(2);
  FoldWindow<Sum> sums(9);
  for (int step = 0; step < 31; ++step) sums.Push(random.Normal());
  StateWriter writer;
  writer(sums);
  FoldWindow<Sum> restored(9);
  StateReader reader(writer.bytes());
  reader(restored);
  reader.ExpectEnd();
  for (int step = 0; step < 50; ++step) {
    const double value = random.Normal();
    ASSERT_EQ(sums.Push(value), restored.Push(value));
  }
  FoldWindow<Sum> other(8);
  StateReader again(writer.bytes());
  EXPECT_THROW(again(other), Error);
  StateReader cut(std::string_view(writer.bytes()).substr(0, writer.bytes().size() - 1));
  EXPECT_THROW(cut(restored), Error);
  StateReader early(writer.bytes());
  EXPECT_THROW(early.ExpectEnd(), Error);
}

}  // namespace
}  // namespace almanac
