#include "almanac/neural/recurrent.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "almanac/base/parallel.h"
#include "almanac/base/random.h"
#include "almanac/neural/recurrent_targets_for_test.h"

namespace almanac::neural {
namespace {

using Doubles = std::vector<double>;
using Values = std::vector<float>;

// What a layer takes and, for gradients, by how much each of its results counts in the loss.
struct Layer {
  RecurrentShape shape;
  // Parameters and inputs in the order of kNames.
  std::vector<Doubles> given;
  Doubles output_weight, hidden_weight, cell_weight;
};

enum Given { kInput, kInputWeights, kRecurrentWeights, kInputBias, kRecurrentBias, kHidden, kCell };
const char* const kNames[] = {"input",          "input_weights", "recurrent_weights", "input_bias",
                              "recurrent_bias", "start_hidden",  "start_cell"};

Doubles Normals(size_t count, double scale, Random* random) {
  Doubles values(count);
  // Of float32, so that both sides compute with the same numbers.
  for (double& value : values) value = static_cast<float>(scale * random->Normal());
  return values;
}

Layer RandomLayer(const RecurrentShape& shape, uint64_t seed) {
  Random random(seed);
  const size_t gates = shape.Gates() * shape.hidden, state = shape.batch * shape.hidden;
  const double scale = 1 / std::sqrt(static_cast<double>(shape.hidden));
  Layer layer = {shape, {}, {}, {}, {}};
  for (const size_t count : {shape.Rows() * shape.inputs, gates * shape.inputs,
                             gates * shape.hidden, gates, gates, state, state}) {
    layer.given.push_back(Normals(count, layer.given.empty() ? 1 : scale, &random));
  }
  layer.output_weight = Normals(shape.Rows() * shape.hidden, 1, &random);
  layer.hidden_weight = Normals(state, 1, &random);
  layer.cell_weight = Normals(state, 1, &random);
  return layer;
}

double Logistic(double x) { return 1 / (1 + std::exp(-x)); }

struct Result {
  Doubles output, hidden, cell;
};

// The gates' two products of one row, unit j: of the input and of the state, with their biases.
struct Products {
  double of_input, of_state;
};

Products ProductsOf(const Layer& layer, size_t row, size_t b, const Doubles& state, size_t gate) {
  const auto& [cell, steps, batch, inputs, hidden] = layer.shape;
  Products sums = {layer.given[kInputBias][gate], layer.given[kRecurrentBias][gate]};
  for (size_t k = 0; k < inputs; ++k) {
    sums.of_input +=
        layer.given[kInputWeights][gate * inputs + k] * layer.given[kInput][row * inputs + k];
  }
  for (size_t k = 0; k < hidden; ++k) {
    sums.of_state += layer.given[kRecurrentWeights][gate * hidden + k] * state[b * hidden + k];
  }
  return sums;
}

// One unit of one row, as the header writes it: the new state, and the cell in place.
double SlowUnit(const Layer& layer, size_t row, size_t b, size_t j, const Doubles& state,
                double* cell) {
  const size_t hidden = layer.shape.hidden;
  Doubles sums;
  Products last = {};
  for (size_t gate = 0; gate < layer.shape.Gates(); ++gate) {
    last = ProductsOf(layer, row, b, state, gate * hidden + j);
    sums.push_back(last.of_input + last.of_state);
  }
  if (layer.shape.cell == Cell::kGru) {
    const double z = Logistic(sums[1]);
    const double n = std::tanh(last.of_input + Logistic(sums[0]) * last.of_state);
    return (1 - z) * n + z * state[b * hidden + j];
  }
  *cell = Logistic(sums[1]) * *cell + Logistic(sums[0]) * std::tanh(sums[2]);
  return Logistic(sums[3]) * std::tanh(*cell);
}

Result Slow(const Layer& layer) {
  const RecurrentShape& shape = layer.shape;
  Result result = {{}, layer.given[kHidden], layer.given[kCell]};
  for (size_t step = 0; step < shape.steps; ++step) {
    Doubles next(shape.batch * shape.hidden);
    for (size_t b = 0; b < shape.batch; ++b) {
      for (size_t j = 0; j < shape.hidden; ++j) {
        const size_t at = b * shape.hidden + j;
        next[at] = SlowUnit(layer, step * shape.batch + b, b, j, result.hidden, &result.cell[at]);
      }
    }
    result.hidden = next;
    result.output.insert(result.output.end(), next.begin(), next.end());
  }
  return result;
}

double Product(const Doubles& a, const Doubles& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

double SlowLoss(const Layer& layer) {
  const Result result = Slow(layer);
  double loss =
      Product(result.output, layer.output_weight) + Product(result.hidden, layer.hidden_weight);
  if (layer.shape.cell == Cell::kLstm) loss += Product(result.cell, layer.cell_weight);
  return loss;
}

Values Floats32(const Doubles& values) { return {values.begin(), values.end()}; }

// The kernels' results.
struct Fast {
  Values output, hidden, cell;
  std::vector<Values> gradients;
};

Fast RunFast(const Layer& layer, const Runner& runner = {}) {
  const RecurrentShape& shape = layer.shape;
  std::vector<Values> given;
  for (const Doubles& values : layer.given) given.push_back(Floats32(values));
  Values gates(RecurrentTape::GateValues(shape)), memory(RecurrentTape::MemoryValues(shape));
  Values states(RecurrentTape::StateValues(shape));
  const RecurrentTape tape = {gates.data(), memory.data(), states.data()};
  const RecurrentWeights weights = {given[kInputWeights].data(), given[kRecurrentWeights].data(),
                                    given[kInputBias].data(), given[kRecurrentBias].data()};
  const MatrixView input = RowMajor(given[kInput].data(), shape.Rows(), shape.inputs);
  RecurrentForward(shape, weights, input, {given[kHidden].data(), given[kCell].data()}, tape,
                   runner);
  Fast fast;
  for (size_t row = 0; row < shape.Rows() + shape.batch; ++row) {
    const auto first = states.begin() + static_cast<ptrdiff_t>(row * shape.Padded());
    const auto end = first + static_cast<ptrdiff_t>(shape.hidden);
    if (row >= shape.batch) fast.output.insert(fast.output.end(), first, end);
    if (row >= shape.Rows()) fast.hidden.insert(fast.hidden.end(), first, end);
    if (row >= shape.Rows() && shape.cell == Cell::kLstm) {
      const auto cell = memory.begin() + static_cast<ptrdiff_t>(row * shape.Padded());
      fast.cell.insert(fast.cell.end(), cell, cell + static_cast<ptrdiff_t>(shape.hidden));
    }
  }
  for (const Values& values : given) fast.gradients.emplace_back(values.size(), 1e9F);
  auto& out = fast.gradients;
  const Values d_output = Floats32(layer.output_weight), d_hidden = Floats32(layer.hidden_weight);
  const Values d_cell = Floats32(layer.cell_weight);
  RecurrentBackward(
      shape, weights, input, tape, {d_output.data(), d_hidden.data(), d_cell.data()},
      {out[kInput].data(), out[kInputWeights].data(), out[kRecurrentWeights].data(),
       out[kInputBias].data(), out[kRecurrentBias].data(), out[kHidden].data(), out[kCell].data()},
      runner);
  return fast;
}

// Within `tolerance` of the largest exact value.
void ExpectNear(const Values& values, const Doubles& exact, double tolerance,
                const std::string& what) {
  ASSERT_EQ(values.size(), exact.size()) << what;
  double size = 0, worst = 0;
  for (size_t i = 0; i < exact.size(); ++i) {
    size = std::max(size, std::abs(exact[i]));
    worst = std::max(worst, std::abs(values[i] - exact[i]));
  }
  EXPECT_LE(worst, tolerance * std::max(size, 1e-3)) << what;
}

RecurrentShape RandomShape(Cell cell, uint64_t seed, size_t most_hidden) {
  Random random(seed);
  return {cell, 1 + random.Below(9), 1 + random.Below(20), 1 + random.Below(30),
          1 + random.Below(most_hidden)};
}

class RecurrentTest : public testing::TestWithParam<Cell> {};

TEST_P(RecurrentTest, ForwardEqualsTheSlowLoop) {
  ForEachTarget([] {
    for (uint64_t seed = 0; seed < 12; ++seed) {
      SCOPED_TRACE(seed);
      const Layer layer = RandomLayer(RandomShape(GetParam(), seed, 70), seed);
      const Result slow = Slow(layer);
      const Fast fast = RunFast(layer);
      ExpectNear(fast.output, slow.output, 2e-6, "output");
      ExpectNear(fast.hidden, slow.hidden, 2e-6, "hidden");
      if (GetParam() == Cell::kLstm) ExpectNear(fast.cell, slow.cell, 2e-6, "cell");
    }
  });
}

// The loss's derivative by every value, from the slow loop in double.
std::vector<Doubles> FiniteDifferences(Layer layer) {
  constexpr double kStep = 1e-5;
  std::vector<Doubles> all;
  for (size_t which = 0; which < layer.given.size(); ++which) {
    Doubles& values = layer.given[which];
    Doubles slopes;
    for (double& value : values) {
      const double kept = value;
      value = kept + kStep;
      const double above = SlowLoss(layer);
      value = kept - kStep;
      slopes.push_back((above - SlowLoss(layer)) / (2 * kStep));
      value = kept;
    }
    all.push_back(slopes);
  }
  return all;
}

TEST_P(RecurrentTest, GradientsEqualFiniteDifferences) {
  for (const auto& [steps, batch, inputs, hidden] :
       std::vector<std::array<size_t, 4>>{{5, 3, 4, 5}, {1, 1, 1, 1}, {2, 9, 2, 17}}) {
    const RecurrentShape shape = {GetParam(), steps, batch, inputs, hidden};
    const Layer layer = RandomLayer(shape, steps * 100 + hidden);
    const std::vector<Doubles> exact = FiniteDifferences(layer);
    ForEachTarget([&] {
      const Fast fast = RunFast(layer);
      const size_t count = GetParam() == Cell::kGru ? kCell : kCell + 1;
      for (size_t which = 0; which < count; ++which) {
        ExpectNear(fast.gradients[which], exact[which], 1e-5, kNames[which]);
      }
    });
  }
}

TEST_P(RecurrentTest, BitsDoNotDependOnThreads) {
  const Layer layer = RandomLayer({GetParam(), 12, 37, 20, 40}, 5);
  const Fast alone = RunFast(layer);
  for (const size_t threads : {2, 3, 8}) {
    const Fast together = RunFast(layer, {threads, ParallelFor});
    EXPECT_EQ(alone.output, together.output) << threads;
    EXPECT_EQ(alone.gradients, together.gradients) << threads;
  }
}

TEST_P(RecurrentTest, WhatIsLeftOutIsZero) {
  const RecurrentShape shape = {GetParam(), 4, 3, 5, 6};
  Layer layer = RandomLayer(shape, 9);
  for (const Given which : {kInputBias, kRecurrentBias, kHidden, kCell}) {
    std::fill(layer.given[which].begin(), layer.given[which].end(), 0.0);
  }
  std::fill(layer.hidden_weight.begin(), layer.hidden_weight.end(), 0.0);
  std::fill(layer.cell_weight.begin(), layer.cell_weight.end(), 0.0);
  const Fast with_zeros = RunFast(layer);

  const Values x = Floats32(layer.given[kInput]), w = Floats32(layer.given[kInputWeights]);
  const Values u = Floats32(layer.given[kRecurrentWeights]);
  const Values d_output = Floats32(layer.output_weight);
  Values gates(RecurrentTape::GateValues(shape)), memory(RecurrentTape::MemoryValues(shape));
  Values states(RecurrentTape::StateValues(shape)), d_input(x.size());
  const RecurrentTape tape = {gates.data(), memory.data(), states.data()};
  const MatrixView input = RowMajor(x.data(), shape.Rows(), shape.inputs);
  RecurrentForward(shape, {w.data(), u.data()}, input, {}, tape);
  RecurrentGradients only_input;
  only_input.input = d_input.data();
  RecurrentBackward(shape, {w.data(), u.data()}, input, tape, {d_output.data()}, only_input);
  EXPECT_EQ(d_input, with_zeros.gradients[kInput]);
}

INSTANTIATE_TEST_SUITE_P(Cells, RecurrentTest, testing::Values(Cell::kGru, Cell::kLstm),
                         [](const auto& cell) {
                           return cell.param == Cell::kGru ? "Gru" : "Lstm";
                         });

}  // namespace
}  // namespace almanac::neural
