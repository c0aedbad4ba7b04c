#include "almanac/base/random.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <set>
#include <vector>

namespace almanac {
namespace {

// The expected words were computed by a separate implementation in Python from the paper's text.
TEST(RandomTest, FirstValuesOfASeedAreFixed) {
  Random zero(0);
  EXPECT_EQ(zero.Next(), 0x53175d61490b23dfu);
  EXPECT_EQ(zero.Next(), 0x61da6f3dc380d507u);
  EXPECT_EQ(zero.Next(), 0x5c0fdf91ec9a7bfcu);
  Random most(std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(most.Next(), 0x56ccf8ce948e27b2u);
  Random random(42);
  EXPECT_EQ(random.Next(), 0xd0764d4f4476689fu);
  EXPECT_EQ(random.Next(), 0x519e4174576f3791u);
  EXPECT_EQ(random.Next(), 0xfbe07cfb0c24ed8cu);
  EXPECT_EQ(Random(42).Uniform(), 0.8143051451229099);
}

// The sequence from state {1, 2, 3, 4}, as the authors' C code gives it.
TEST(RandomTest, MatchesThePublishedSequence) {
  Random random(0);
  random.set_state({{1, 2, 3, 4}, 0.0, false});
  for (const uint64_t expected :
       {uint64_t{41943041}, uint64_t{58720359}, uint64_t{3588806011781223},
        uint64_t{3591011842654386}, uint64_t{9228616714210784205u}, uint64_t{9973669472204895162u},
        uint64_t{14011001112246962877u}, uint64_t{12406186145184390807u},
        uint64_t{15849039046786891736u}, uint64_t{10450023813501588000u}}) {
    EXPECT_EQ(random.Next(), expected);
  }
}

TEST(RandomTest, StreamsAreFixedAndDiffer) {
  Random numbered(42, 7);
  EXPECT_EQ(numbered.Next(), 0x554651e47226193fu);
  EXPECT_EQ(numbered.Next(), 0x5b59259989b7a57eu);
  Random named(42, "BTCUSDT");
  EXPECT_EQ(named.Next(), 0xa6feeeb5cd3c5672u);
  std::set<uint64_t> first;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    for (uint64_t stream = 0; stream < 40; ++stream) first.insert(Random(seed, stream).Next());
  }
  EXPECT_EQ(first.size(), 1600u);
}

TEST(RandomTest, AStateContinuesWhereItWasTaken) {
  Random random(3);
  random.Normal();  // leaves a spare
  const Random::State state = random.state();
  EXPECT_TRUE(state.has_spare);
  std::vector<double> first, second;
  for (int i = 0; i < 5; ++i) first.push_back(random.Normal());
  Random other(99);
  other.set_state(state);
  for (int i = 0; i < 5; ++i) second.push_back(other.Normal());
  EXPECT_EQ(first, second);
}

TEST(RandomTest, BelowCoversItsRangeEvenly) {
  Random random(5);
  EXPECT_EQ(random.Below(1), 0u);
  constexpr int kDraws = 60'000;
  std::vector<int> counts(6);
  for (int i = 0; i < kDraws; ++i) ++counts.at(random.Below(6));
  double chi_square = 0.0;
  for (const int count : counts) chi_square += std::pow(count - kDraws / 6.0, 2) / (kDraws / 6.0);
  EXPECT_LT(chi_square, 20.5);  // 5 degrees of freedom, p = 0.001
  constexpr uint64_t kLarge = (uint64_t{1} << 63) + 1;
  for (int i = 0; i < 1000; ++i) EXPECT_LT(random.Below(kLarge), kLarge);
}

struct Moments {
  double mean, variance;
};

Moments MomentsOf(int draws, const std::function<double()>& draw) {
  double mean = 0.0, squares = 0.0;
  for (int i = 1; i <= draws; ++i) {
    const double value = draw();
    const double delta = value - mean;
    mean += delta / i;
    squares += delta * (value - mean);
  }
  return {mean, squares / (draws - 1)};
}

struct MomentCase {
  const char* name;
  std::function<double(Random&)> draw;
  double mean, variance, fourth;  // fourth central moment, for the variance's own error
  int draws = 200'000;
};

TEST(RandomTest, MomentsAreThoseOfTheDistributions) {
  // Student's t with 10 degrees: variance 10/8, excess kurtosis 6/(10-4) = 1.
  const std::vector<MomentCase> cases = {
      {"uniform", [](Random& r) { return r.Uniform(); }, 0.5, 1.0 / 12, 1.0 / 80},
      {"normal", [](Random& r) { return r.Normal(); }, 0.0, 1.0, 3.0},
      {"exponential", [](Random& r) { return r.Exponential(); }, 1.0, 1.0, 9.0},
      {"gamma 0.5", [](Random& r) { return r.Gamma(0.5); }, 0.5, 0.5, 0.25 * (3 + 12)},
      {"gamma 3", [](Random& r) { return r.Gamma(3.0); }, 3.0, 3.0, 9.0 * (3 + 2)},
      {"student 10", [](Random& r) { return r.StudentT(10.0); }, 0.0, 1.25, 1.5625 * 4},
      {"poisson 4", [](Random& r) { return static_cast<double>(r.Poisson(4.0)); }, 4.0, 4.0,
       16.0 * 3.25},
      {"poisson 700", [](Random& r) { return static_cast<double>(r.Poisson(700.0)); }, 700.0, 700.0,
       490000.0 * 3, 2000}};
  for (const MomentCase& c : cases) {
    SCOPED_TRACE(c.name);
    Random random(17, c.name);
    const Moments moments = MomentsOf(c.draws, [&] { return c.draw(random); });
    // Five standard errors.
    EXPECT_NEAR(moments.mean, c.mean, 5.0 * std::sqrt(c.variance / c.draws));
    EXPECT_NEAR(moments.variance, c.variance,
                5.0 * std::sqrt((c.fourth - c.variance * c.variance) / c.draws));
  }
}

TEST(RandomTest, RangesAreKept) {
  Random random(23);
  for (int i = 0; i < 100'000; ++i) {
    const double uniform = random.Uniform();
    ASSERT_GE(uniform, 0.0);
    ASSERT_LT(uniform, 1.0);
    ASSERT_GE(random.Exponential(), 0.0);
    ASSERT_GE(random.Gamma(0.1), 0.0);
  }
  EXPECT_EQ(random.Poisson(0.0), 0);
}

}  // namespace
}  // namespace almanac
