#include "almanac/neural/batched.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <string>
#include <vector>

#include "almanac/base/error_for_test.h"

namespace almanac::neural {
namespace {

constexpr int64_t kSteps = 6, kBatch = 9, kFeatures = 5, kTrainingSteps = 12;

BatchedShape MakeShape(std::optional<Cell> cell) {
  return {cell, kSteps, kFeatures, 10, 2, {7, 4}, 2};
}

// Models that differ in everything that may differ.
std::vector<BatchedModel> MakeModels(size_t count) {
  std::vector<BatchedModel> models;
  for (size_t k = 0; k < count; ++k) {
    BatchedModel model;
    model.seed = 100 + k;
    model.learning_rate = 0.002 * static_cast<double>(k + 1);
    model.dropout = k % 3 == 2 ? 0.0 : 0.1 * static_cast<double>(k + 1);
    model.weight_decay = k % 2 == 0 ? 0.0 : 0.1;
    models.push_back(model);
  }
  return models;
}

ModelTensors MakeWeights(const BatchedShape& shape, uint64_t seed) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  ModelTensors weights;
  for (const auto& [name, sizes] : shape.Tensors()) {
    weights.emplace_back(name, at::randn(sizes, generator) * 0.4);
  }
  return weights;
}

// Model k's windows and targets of a step.
struct Data {
  at::Tensor windows, targets;  // (B, T, F), (B, outputs)
};

Data MakeData(const BatchedShape& shape, uint64_t model, int64_t step) {
  at::Generator generator =
      at::make_generator<at::CPUGeneratorImpl>(model * 1000 + static_cast<uint64_t>(step));
  return {at::randn({kBatch, shape.steps, shape.features}, generator),
          at::randn({kBatch, shape.outputs}, generator)};
}

at::Tensor LossOf(const at::Tensor& forecasts, const at::Tensor& targets) {
  return (forecasts - targets).square().flatten(1).mean(1);
}

struct Training {
  at::Tensor losses;  // of the last step, (K)
  std::vector<ModelTensors> models;
};

// Models `first` to `first + count` of those that MakeModels makes.
Training TrainTogether(const BatchedShape& shape, size_t first, size_t count) {
  std::vector<BatchedModel> models = MakeModels(first + count);
  models.erase(models.begin(), models.begin() + static_cast<ptrdiff_t>(first));
  std::vector<ModelTensors> initial;
  for (size_t k = 0; k < count; ++k) initial.push_back(MakeWeights(shape, first + k));
  BatchedNetwork network(shape, models, initial);
  Training training;
  for (int64_t step = 0; step < kTrainingSteps; ++step) {
    std::vector<at::Tensor> windows, targets;
    for (size_t k = 0; k < count; ++k) {
      const Data data = MakeData(shape, first + k, step);
      windows.push_back(data.windows);
      targets.push_back(data.targets);
    }
    const at::Tensor forecasts = network.Forward(at::stack(windows), /*training=*/true);
    training.losses = LossOf(forecasts, at::stack(targets));
    network.Step(training.losses, 1.0);
  }
  for (int64_t k = 0; k < network.models(); ++k) training.models.push_back(network.Model(k));
  return training;
}

// One model alone, in double, with LibTorch's layers; the random numbers are those of float32.
class AloneInDouble {
 public:
  AloneInDouble(const BatchedShape& shape, const BatchedModel& model, uint64_t index)
      : shape_(shape),
        model_(model),
        generator_(at::make_generator<at::CPUGeneratorImpl>(model.seed)) {
    for (const auto& [name, tensor] : MakeWeights(shape, index)) {
      weights_.push_back(tensor.to(at::kDouble).requires_grad_());
      first_.push_back(at::zeros_like(weights_.back()));
      second_.push_back(at::zeros_like(weights_.back()));
    }
  }

  double Step(const Data& data) {
    const at::Tensor forecasts = Forward(data.windows.to(at::kDouble));
    const at::Tensor loss = (forecasts - data.targets).square().mean();
    const auto gradients = torch::autograd::grad({loss}, weights_);
    double squares = 0;
    for (const at::Tensor& gradient : gradients) squares += gradient.square().sum().item<double>();
    const double factor = std::min(1.0, 1.0 / (std::sqrt(squares) + 1e-6));
    ++step_;
    for (size_t i = 0; i < weights_.size(); ++i) Adam(i, gradients[i] * factor);
    return loss.item<double>();
  }

  const std::vector<at::Tensor>& weights() const { return weights_; }

 private:
  at::Tensor Drop(const at::Tensor& x) {
    if (model_.dropout == 0) return x;
    const at::Tensor kept =
        at::empty(x.sizes(), at::kFloat).bernoulli_(1 - model_.dropout, generator_);
    return x * kept / (1 - model_.dropout);
  }

  at::Tensor Forward(const at::Tensor& windows) {
    at::Tensor x = windows.flatten(1);
    size_t next = 0;
    if (shape_.cell) {
      at::Tensor sequence = windows.transpose(0, 1);
      for (int64_t layer = 0; layer < shape_.layers; ++layer, next += 4) {
        if (layer > 0) sequence = Drop(sequence);
        const std::vector<at::Tensor> own(weights_.begin() + static_cast<ptrdiff_t>(next),
                                          weights_.begin() + static_cast<ptrdiff_t>(next) + 4);
        const at::Tensor start = at::zeros({1, kBatch, shape_.hidden}, at::kDouble);
        sequence = *shape_.cell == Cell::kGru
                       ? std::get<0>(at::gru(sequence, start, own, true, 1, 0, true, false, false))
                       : std::get<0>(at::lstm(sequence, {start, start}, own, true, 1, 0, true,
                                              false, false));
      }
      x = Drop(sequence[-1]);
    }
    for (; next + 2 < weights_.size(); next += 2) {
      x = Drop(at::relu(at::linear(x, weights_[next], weights_[next + 1])));
    }
    return at::linear(x, weights_[next], weights_[next + 1]);
  }

  // Kingma and Ba 2015, algorithm 1; decay as Loshchilov and Hutter 2019, algorithm 2.
  void Adam(size_t i, const at::Tensor& gradient) {
    const at::NoGradGuard no_gradients;
    first_[i] = 0.9 * first_[i] + 0.1 * gradient;
    second_[i] = 0.999 * second_[i] + 0.001 * gradient * gradient;
    const at::Tensor m = first_[i] / (1 - std::pow(0.9, step_));
    const at::Tensor v = second_[i] / (1 - std::pow(0.999, step_));
    weights_[i].sub_(model_.learning_rate *
                     (m / (v.sqrt() + 1e-8) + model_.weight_decay * weights_[i]));
  }

  BatchedShape shape_;
  BatchedModel model_;
  at::Generator generator_;
  std::vector<at::Tensor> weights_, first_, second_;
  int step_ = 0;
};

class BatchedTest : public testing::TestWithParam<std::optional<Cell>> {};

TEST_P(BatchedTest, TrainsEachModelAsIfItWereAlone) {
  constexpr size_t kModels = 5;
  const BatchedShape shape = MakeShape(GetParam());
  const Training together = TrainTogether(shape, 0, kModels);
  const std::vector<BatchedModel> models = MakeModels(kModels);
  for (size_t k = 0; k < kModels; ++k) {
    SCOPED_TRACE(k);
    AloneInDouble alone(shape, models[k], k);
    double loss = 0;
    for (int64_t step = 0; step < kTrainingSteps; ++step) {
      loss = alone.Step(MakeData(shape, k, step));
    }
    EXPECT_NEAR(together.losses[static_cast<int64_t>(k)].item<double>(), loss, 1e-4);
    for (size_t i = 0; i < alone.weights().size(); ++i) {
      const auto& [name, weight] = together.models[k][i];
      EXPECT_LE((weight - alone.weights()[i]).abs().max().item<double>(), 1e-4) << name;
    }
  }
}

void ExpectSame(const Training& a, const Training& b, size_t first, size_t count) {
  for (size_t k = 0; k < count; ++k) {
    for (size_t i = 0; i < a.models[first + k].size(); ++i) {
      EXPECT_TRUE(a.models[first + k][i].second.equal(b.models[k][i].second))
          << first + k << " " << a.models[first + k][i].first;
    }
  }
}

TEST_P(BatchedTest, BitsDependNeitherOnThreadsNorOnOtherModels) {
  const BatchedShape shape = MakeShape(GetParam());
  const int before = at::get_num_threads();
  at::set_num_threads(2);
  const Training together = TrainTogether(shape, 0, 4);
  ExpectSame(together, TrainTogether(shape, 0, 4), 0, 4);
  at::set_num_threads(1);
  ExpectSame(together, TrainTogether(shape, 0, 4), 0, 4);
  ExpectSame(together, TrainTogether(shape, 1, 2), 1, 2);
  ExpectSame(together, TrainTogether(shape, 3, 1), 3, 1);
  at::set_num_threads(before);
}

INSTANTIATE_TEST_SUITE_P(Shapes, BatchedTest,
                         testing::Values(std::optional<Cell>(), Cell::kGru, Cell::kLstm),
                         [](const auto& shape) {
                           if (!shape.param) return "Dense";
                           return *shape.param == Cell::kGru ? "Gru" : "Lstm";
                         });

// What runs on other devices, here in double on the CPU.
TEST(BatchedNetworkTest, OtherKindsOfNumbersTrainTheSame) {
  for (const std::optional<Cell> cell : {std::optional<Cell>(), {Cell::kGru}, {Cell::kLstm}}) {
    const BatchedShape shape = MakeShape(cell);
    BatchedModel model = MakeModels(2)[1];
    model.dropout = 0;
    AloneInDouble alone(shape, model, 1);
    ModelTensors initial = MakeWeights(shape, 1);
    for (auto& [name, tensor] : initial) tensor = tensor.to(at::kDouble);
    BatchedNetwork network(shape, {model, model}, {initial, initial});
    for (int64_t step = 0; step < kTrainingSteps; ++step) {
      const Data data = MakeData(shape, 1, step);
      const at::Tensor windows = data.windows.to(at::kDouble), targets = data.targets;
      const at::Tensor forecasts = network.Forward(at::stack({windows, windows}), true);
      network.Step(LossOf(forecasts, at::stack({targets, targets})), 1.0);
      alone.Step(data);
    }
    const ModelTensors trained = network.Model(1);
    for (size_t i = 0; i < alone.weights().size(); ++i) {
      const auto& [name, weight] = trained[i];
      EXPECT_LE((weight - alone.weights()[i]).abs().max().item<double>(), 1e-9) << name;
    }
  }
}

TEST(BatchedLayerTest, TheKernelsEqualTheLayerStepByStep) {
  at::manual_seed(5);
  for (const Cell cell : {Cell::kGru, Cell::kLstm}) {
    const int64_t rows = (cell == Cell::kGru ? 3 : 4) * 11;
    const std::vector<std::vector<int64_t>> sizes = {
        {3, 7, 4, 6}, {3, rows, 6}, {3, rows, 11}, {3, rows}, {3, rows}};
    std::vector<at::Tensor> fast, slow;
    for (const auto& size : sizes) {
      fast.push_back((at::randn(size) * 0.5).requires_grad_());
      slow.push_back(fast.back().detach().to(at::kDouble).requires_grad_());
    }
    const auto run = [&](const std::vector<at::Tensor>& given) {
      const auto results = BatchedLayer(cell, given[0], {given[1], given[2], given[3], given[4]});
      const at::Tensor loss = results[0].square().sum() + results[1].sum();
      std::vector<at::Tensor> all = torch::autograd::grad({loss}, given);
      all.push_back(results[0]);
      return all;
    };
    const std::vector<at::Tensor> ours = run(fast), exact = run(slow);
    for (size_t i = 0; i < ours.size(); ++i) {
      const double size = exact[i].abs().max().item<double>();
      EXPECT_LE((ours[i] - exact[i]).abs().max().item<double>(), 1e-5 * size) << i;
    }
  }
}

TEST(BatchedNetworkTest, WhatDoesNotFitIsRefused) {
  const BatchedShape shape = MakeShape(Cell::kLstm);
  const ModelTensors weights = MakeWeights(shape, 1);
  ModelTensors missing = weights, misshapen = weights;
  missing.pop_back();
  misshapen[0].second = at::zeros({3, 3});
  const auto message = [&](const BatchedModel& model, const ModelTensors& initial) {
    return MessageOf([&] { BatchedNetwork(shape, {model}, {initial}); });
  };
  EXPECT_THAT(message({}, missing), testing::HasSubstr("model 0, output.bias: is missing"));
  EXPECT_THAT(message({}, misshapen), testing::HasSubstr("(40, 5)"));
  BatchedModel drops_all;
  drops_all.dropout = 1;
  EXPECT_THAT(message(drops_all, weights), testing::HasSubstr("dropout is 1"));
  BatchedModel climbs;
  climbs.learning_rate = -1;
  EXPECT_THAT(message(climbs, weights), testing::HasSubstr("learning rate -1"));
  EXPECT_THAT(MessageOf([&] { BatchedNetwork(shape, {}, {}); }),
              testing::HasSubstr("at least one"));
}

}  // namespace
}  // namespace almanac::neural
