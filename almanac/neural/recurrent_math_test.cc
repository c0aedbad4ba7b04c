#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV | HWY_SSSE3)

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <vector>

#include "almanac/neural/recurrent_targets_for_test.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "almanac/neural/recurrent_math_test.cc"
#include <hwy/foreach_target.h>

#include <hwy/highway.h>

#include "almanac/neural/recurrent_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace almanac::neural::HWY_NAMESPACE {

// Of a multiple of 16 values.
void SigmoidOfAll(const float* from, size_t count, float* to) {
  const FloatTag tag;
  for (size_t i = 0; i < count; i += hn::Lanes(tag)) {
    hn::StoreU(Sigmoid(hn::LoadU(tag, from + i)), tag, to + i);
  }
}

void TanhOfAll(const float* from, size_t count, float* to) {
  const FloatTag tag;
  for (size_t i = 0; i < count; i += hn::Lanes(tag)) {
    hn::StoreU(Tanh(hn::LoadU(tag, from + i)), tag, to + i);
  }
}

}  // namespace almanac::neural::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace almanac::neural {
namespace {

HWY_EXPORT(SigmoidOfAll);
HWY_EXPORT(TanhOfAll);

constexpr double kSigmoidUlp = 2.5, kTanhUlp = 2.5;  // as recurrent_math-inl.h states them

// Every 9973rd float32 from the smallest normal to `most`, of both signs, and 0.
std::vector<float> Arguments(float most) {
  std::vector<float> all = {0.0F, -0.0F};
  uint32_t last = 0;
  std::memcpy(&last, &most, sizeof(last));
  for (uint32_t bits = 0x00800000; bits <= last; bits += 9973) {
    float value = 0;
    std::memcpy(&value, &bits, sizeof(value));
    all.push_back(value);
    all.push_back(-value);
  }
  all.resize((all.size() + 15) / 16 * 16, most);
  return all;
}

double UlpError(float value, double exact) {
  const auto rounded = static_cast<float>(exact);
  const double ulp =
      std::nextafter(std::abs(rounded), std::numeric_limits<float>::infinity()) - std::abs(rounded);
  return std::abs(value - exact) / ulp;
}

double WorstUlp(const std::vector<float>& from, const std::vector<float>& to,
                const std::function<double(double)>& exact) {
  double worst = 0;
  for (size_t i = 0; i < from.size(); ++i) {
    worst = std::max(worst, UlpError(to[i], exact(from[i])));
  }
  return worst;
}

TEST(RecurrentMathTest, SigmoidIsWithinItsError) {
  const std::vector<float> from = Arguments(87.0F);
  std::vector<float> to(from.size());
  ForEachTarget([&] {
    HWY_DYNAMIC_DISPATCH(SigmoidOfAll)(from.data(), from.size(), to.data());
    const double worst = WorstUlp(from, to, [](double x) { return 1 / (1 + std::exp(-x)); });
    EXPECT_LE(worst, kSigmoidUlp);
  });
}

TEST(RecurrentMathTest, TanhIsWithinItsError) {
  const std::vector<float> from = Arguments(100.0F);
  std::vector<float> to(from.size());
  ForEachTarget([&] {
    HWY_DYNAMIC_DISPATCH(TanhOfAll)(from.data(), from.size(), to.data());
    const double worst = WorstUlp(from, to, [](double x) { return std::tanh(x); });
    EXPECT_LE(worst, kTanhUlp);
  });
}

TEST(RecurrentMathTest, LimitsAndWhatIsNoNumber) {
  const float infinity = std::numeric_limits<float>::infinity();
  std::vector<float> from(16, 0.0F), to(16);
  from[0] = infinity;
  from[1] = -infinity;
  from[2] = std::numeric_limits<float>::quiet_NaN();
  from[3] = -200.0F;
  from[4] = 200.0F;
  ForEachTarget([&] {
    HWY_DYNAMIC_DISPATCH(SigmoidOfAll)(from.data(), from.size(), to.data());
    EXPECT_EQ(to[0], 1.0F);
    EXPECT_NEAR(to[1], 0.0F, 2e-38);
    EXPECT_TRUE(std::isnan(to[2]));
    EXPECT_NEAR(to[3], 0.0F, 2e-38);
    EXPECT_EQ(to[4], 1.0F);
    EXPECT_EQ(to[5], 0.5F);
    HWY_DYNAMIC_DISPATCH(TanhOfAll)(from.data(), from.size(), to.data());
    EXPECT_EQ(to[0], 1.0F);
    EXPECT_EQ(to[1], -1.0F);
    EXPECT_TRUE(std::isnan(to[2]));
    EXPECT_EQ(to[3], -1.0F);
    EXPECT_EQ(to[5], 0.0F);
  });
}

}  // namespace
}  // namespace almanac::neural
#endif  // HWY_ONCE
