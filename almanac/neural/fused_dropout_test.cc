#include "almanac/neural/fused_dropout.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <vector>

#include "almanac/neural/fused_dropout_kernel.h"
#include "almanac/neural/recurrent_targets_for_test.h"

namespace almanac::neural {
namespace {

uint32_t SlowMix(uint32_t x) {
  x = (x ^ (x >> 16)) * 0x7feb352du;
  x = (x ^ (x >> 15)) * 0x846ca68bu;
  return x ^ (x >> 16);
}

TEST(FusedDropoutTest, EveryInstructionSetDropsWhatTheHashSays) {
  constexpr uint64_t kKey = 0x0123456789abcdef;
  constexpr double kRate = 0.3;
  std::vector<float> in(1003), out(1003);
  for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<float>(i) - 400.5f;
  ForEachTarget([&] {
    DropPass(in.data(), out.data(), 0, 500, kKey, kRate);
    DropPass(in.data(), out.data(), 500, in.size(), kKey, kRate);
    for (size_t i = 0; i < in.size(); ++i) {
      const uint32_t first = SlowMix(static_cast<uint32_t>(i) ^ static_cast<uint32_t>(kKey));
      const uint32_t drawn = SlowMix(first ^ static_cast<uint32_t>(kKey >> 32));
      const bool is_kept = drawn >= kRate * 4294967296.0 - 1;
      EXPECT_EQ(out[i], is_kept ? in[i] * static_cast<float>(1 / (1 - kRate)) : 0.0f) << i;
    }
  });
}

// Of independent draws the share's error, and every correlation, is within 5 of its deviations.
TEST(FusedDropoutTest, DrawsAreIndependent) {
  constexpr int64_t kCount = int64_t{1} << 20;
  at::manual_seed(5);
  for (const double rate : {0.05, 0.2, 0.5}) {
    const auto draw = [&] {
      const at::Tensor kept = Dropout(at::ones({kCount}), rate, /*training=*/true).ne(0);
      return (kept.to(at::kDouble) - (1 - rate)) / std::sqrt(rate * (1 - rate));
    };
    const at::Tensor one = draw(), other = draw();
    const double bound = 5 / std::sqrt(static_cast<double>(kCount));
    EXPECT_LT(std::fabs(one.mean().item<double>()), bound) << rate;
    EXPECT_LT(std::fabs((one * other).mean().item<double>()), bound) << rate;
    for (const int64_t lag : {1, 2, 16, 17, 64, 128, 4096, 65536}) {
      const at::Tensor product = one.slice(0, lag) * one.slice(0, 0, kCount - lag);
      EXPECT_LT(std::fabs(product.mean().item<double>()), 1.1 * bound) << rate << " " << lag;
    }
  }
}

TEST(FusedDropoutTest, GradientsPassWhereNumbersDid) {
  at::manual_seed(6);
  const at::Tensor leaf = at::randn({5, 70000}).requires_grad_();
  const at::Tensor x = leaf.t();  // rows that do not lie one behind the other
  const at::Tensor y = Dropout(x, 0.4, /*training=*/true);
  const at::Tensor factor = (y / x).detach();
  const at::Tensor weight = at::randn(y.sizes());
  const at::Tensor gradient =
      torch::autograd::grad({(y * weight).sum()}, {leaf}, {}, /*retain_graph=*/true)[0];
  EXPECT_TRUE(gradient.t().allclose(factor * weight, 1e-5, 1e-6));
  // Once more: of the gradient by the weight of the loss, through create_graph.
  const at::Tensor probe = at::ones_like(y).requires_grad_();
  const at::Tensor first =
      torch::autograd::grad({y}, {leaf}, {probe}, /*retain_graph=*/true, /*create_graph=*/true)[0];
  const at::Tensor second = torch::autograd::grad({(first * first).sum()}, {probe})[0];
  EXPECT_TRUE(second.allclose(2 * factor * factor, 1e-5, 1e-6));
}

TEST(FusedDropoutTest, FollowsTheSeedAndNotTheThreads) {
  const at::Tensor x = at::randn({300, 1000});
  const auto run = [&](uint64_t seed, int threads) {
    at::manual_seed(seed);
    at::set_num_threads(threads);
    return Dropout(x, 0.2, /*training=*/true);
  };
  const int before = at::get_num_threads();
  const at::Tensor alone = run(1, 1), together = run(1, 2), other = run(2, 1);
  const at::Tensor next = Dropout(x, 0.2, /*training=*/true);
  at::set_num_threads(before);
  EXPECT_TRUE(alone.equal(together));
  EXPECT_FALSE(alone.equal(other));
  EXPECT_FALSE(other.equal(next));
}

TEST(FusedDropoutTest, LeavesAloneWhatItShould) {
  const at::Tensor x = at::randn({30});
  EXPECT_TRUE(Dropout(x, 0.5, /*training=*/false).is_same(x));
  EXPECT_TRUE(Dropout(x, 0, /*training=*/true).is_same(x));
  EXPECT_TRUE(Dropout(x, 1, /*training=*/true).equal(at::zeros({30})));
  EXPECT_EQ(Dropout(x.to(at::kDouble), 0.5, /*training=*/true).scalar_type(), at::kDouble);
  EXPECT_EQ(Dropout(at::empty({0, 4}), 0.5, /*training=*/true).numel(), 0);
}

}  // namespace
}  // namespace almanac::neural
