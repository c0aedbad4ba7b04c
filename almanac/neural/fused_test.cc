#include "almanac/neural/fused.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <string>
#include <vector>

#include "almanac/base/random.h"

namespace almanac::neural {
namespace {

// What a stack of layers takes, as leaves.
struct Stack {
  Cell cell = Cell::kGru;
  RecurrentLayers options;
  at::Tensor input;
  std::vector<at::Tensor> start, weights;

  std::vector<at::Tensor> Leaves() const {
    std::vector<at::Tensor> all = {input};
    all.insert(all.end(), start.begin(), start.end());
    all.insert(all.end(), weights.begin(), weights.end());
    return all;
  }
};

at::Tensor Leaf(at::IntArrayRef sizes, double scale, at::ScalarType type) {
  return (at::randn(sizes, type) * scale).requires_grad_();
}

struct Sizes {
  int64_t steps, batch, inputs, hidden;
};

Stack MakeStack(Cell cell, const Sizes& sizes, const RecurrentLayers& options,
                at::ScalarType type = at::kFloat) {
  Stack stack = {cell, options, {}, {}, {}};
  const double scale = 1 / std::sqrt(static_cast<double>(sizes.hidden));
  stack.input = options.batch_first ? Leaf({sizes.batch, sizes.steps, sizes.inputs}, 1, type)
                                    : Leaf({sizes.steps, sizes.batch, sizes.inputs}, 1, type);
  for (int i = 0; i < (cell == Cell::kGru ? 1 : 2); ++i) {
    stack.start.push_back(Leaf({options.layers, sizes.batch, sizes.hidden}, 1, type));
  }
  const int64_t rows = (cell == Cell::kGru ? 3 : 4) * sizes.hidden;
  for (int64_t layer = 0; layer < options.layers; ++layer) {
    const int64_t width = layer == 0 ? sizes.inputs : sizes.hidden;
    stack.weights.push_back(Leaf({rows, width}, scale, type));
    stack.weights.push_back(Leaf({rows, sizes.hidden}, scale, type));
    for (int i = 0; options.has_biases && i < 2; ++i) {
      stack.weights.push_back(Leaf({rows}, scale, type));
    }
  }
  return stack;
}

std::vector<at::Tensor> RunOurs(const Stack& stack) {
  if (stack.cell == Cell::kGru) {
    const auto [output, last] = Gru(stack.input, stack.start[0], stack.weights, stack.options);
    return {output, last};
  }
  const auto [output, last, cells] = Lstm(stack.input, stack.start, stack.weights, stack.options);
  return {output, last, cells};
}

std::vector<at::Tensor> RunTheirs(const Stack& stack) {
  const auto& [has_biases, layers, dropout, training, batch_first] = stack.options;
  if (stack.cell == Cell::kGru) {
    const auto [output, last] = at::gru(stack.input, stack.start[0], stack.weights, has_biases,
                                        layers, dropout, training, false, batch_first);
    return {output, last};
  }
  const auto [output, last, cells] = at::lstm(stack.input, stack.start, stack.weights, has_biases,
                                              layers, dropout, training, false, batch_first);
  return {output, last, cells};
}

// Of a loss that every result counts in, differently in each place.
std::vector<at::Tensor> Gradients(const Stack& stack, const std::vector<at::Tensor>& results,
                                  bool create_graph = false) {
  at::Tensor loss = at::zeros({}, results[0].options());
  for (const at::Tensor& result : results) {
    const at::Tensor places = at::arange(result.numel(), result.options()).view(result.sizes());
    loss = loss + (result * (places * 0.37).sin()).sum();
  }
  return torch::autograd::grad({loss}, stack.Leaves(), {}, /*retain_graph=*/true, create_graph);
}

void ExpectClose(const std::vector<at::Tensor>& ours, const std::vector<at::Tensor>& theirs,
                 const std::string& what) {
  constexpr double kTolerance = 1e-5;  // of the largest value
  ASSERT_EQ(ours.size(), theirs.size()) << what;
  for (size_t i = 0; i < ours.size(); ++i) {
    ASSERT_EQ(ours[i].sizes(), theirs[i].sizes()) << what << " " << i;
    const double size = theirs[i].abs().max().item<double>();
    const double worst = (ours[i] - theirs[i]).abs().max().item<double>();
    EXPECT_LE(worst, kTolerance * std::max(size, 1e-3)) << what << " " << i;
  }
}

void TestRandomStack(Cell cell, uint64_t seed) {
  SCOPED_TRACE(seed);
  Random random(seed, "fused");
  at::manual_seed(seed);
  const auto upto = [&](uint64_t most) { return static_cast<int64_t>(1 + random.Below(most)); };
  RecurrentLayers options;
  options.layers = upto(3);
  options.has_biases = random.Below(4) != 0;
  options.batch_first = random.Below(2) == 1;
  const Stack stack = MakeStack(cell, {upto(20), upto(40), upto(50), upto(140)}, options);
  ASSERT_TRUE(FitsKernels(stack.input, stack.weights));
  const std::vector<at::Tensor> ours = RunOurs(stack), theirs = RunTheirs(stack);
  ExpectClose(ours, theirs, "result");
  ExpectClose(Gradients(stack, ours), Gradients(stack, theirs), "gradient");
}

class FusedTest : public testing::TestWithParam<Cell> {};

TEST_P(FusedTest, EqualsLibTorchOverRandomShapes) {
  for (uint64_t seed = 0; seed < 6; ++seed) TestRandomStack(GetParam(), seed);
}

TEST_P(FusedTest, BitsDoNotDependOnThreads) {
  at::manual_seed(3);
  const Stack stack = MakeStack(GetParam(), {9, 40, 20, 33}, {true, 2, 0, false, true});
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const std::vector<at::Tensor> alone = RunOurs(stack);
  const std::vector<at::Tensor> alone_gradients = Gradients(stack, alone);
  at::set_num_threads(2);
  const std::vector<at::Tensor> together = RunOurs(stack);
  const std::vector<at::Tensor> gradients = Gradients(stack, together);
  at::set_num_threads(before);
  for (size_t i = 0; i < alone.size(); ++i) EXPECT_TRUE(alone[i].equal(together[i])) << i;
  for (size_t i = 0; i < gradients.size(); ++i) {
    EXPECT_TRUE(alone_gradients[i].equal(gradients[i])) << i;
  }
}

// Its backward pass is done twice: what it kept is as it was.
TEST_P(FusedTest, AGraphCanBeUsedTwice) {
  const Stack stack = MakeStack(GetParam(), {5, 3, 4, 20}, {});
  const std::vector<at::Tensor> results = RunOurs(stack);
  const std::vector<at::Tensor> first = Gradients(stack, results);
  const std::vector<at::Tensor> second = Gradients(stack, results);
  for (size_t i = 0; i < first.size(); ++i) EXPECT_TRUE(first[i].equal(second[i])) << i;
}

TEST_P(FusedTest, DoubleGoesToLibTorch) {
  const Stack stack = MakeStack(GetParam(), {5, 3, 4, 6}, {}, at::kDouble);
  EXPECT_FALSE(FitsKernels(stack.input, stack.weights));
  const std::vector<at::Tensor> ours = RunOurs(stack), theirs = RunTheirs(stack);
  for (size_t i = 0; i < ours.size(); ++i) EXPECT_TRUE(ours[i].equal(theirs[i])) << i;
}

TEST_P(FusedTest, DropoutIsBetweenLayersAndOnlyWhenTraining) {
  RecurrentLayers options = {true, 2, 0.5, false, false};
  Stack stack = MakeStack(GetParam(), {6, 4, 5, 16}, options);
  const at::Tensor calm = RunOurs(stack)[0];
  EXPECT_TRUE(calm.equal(RunOurs(stack)[0]));
  stack.options.training = true;
  EXPECT_FALSE(calm.equal(RunOurs(stack)[0]));
  stack.options.layers = 1;
  stack.weights.resize(4);
  EXPECT_TRUE(RunOurs(stack)[0].equal(RunOurs(stack)[0]));
}

TEST_P(FusedTest, WhatCannotBeRightIsAnError) {
  const Stack stack = MakeStack(GetParam(), {5, 3, 4, 16}, {});
  const std::vector<at::Tensor> results = RunOurs(stack);
  EXPECT_THROW(Gradients(stack, results, /*create_graph=*/true), c10::Error);
  {
    const at::NoGradGuard no_gradients;
    results[0].add_(1);  // which the backward pass would take for the states
  }
  EXPECT_THROW(Gradients(stack, results), c10::Error);
}

INSTANTIATE_TEST_SUITE_P(Cells, FusedTest, testing::Values(Cell::kGru, Cell::kLstm),
                         [](const auto& cell) {
                           return cell.param == Cell::kGru ? "Gru" : "Lstm";
                         });

}  // namespace
}  // namespace almanac::neural
