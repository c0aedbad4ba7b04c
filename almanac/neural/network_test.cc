#include "almanac/neural/network.h"

#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "almanac/base/error_for_test.h"
#include "almanac/neural/golden_for_test.h"
#include "almanac/neural/loss.h"
#include "almanac/neural/tft.h"

namespace almanac::neural {
namespace {

using ::testing::HasSubstr;

at::Tensor SmallTarget() { return Pattern({4, 2}, 2.0, 1.0); }

// The mean square against a pattern, whatever the outputs are.
at::Tensor SmallLoss(Network& network) {
  const at::Tensor forecast = network.Forward(SmallInput(), /*training=*/true);
  return at::mse_loss(forecast, Pattern(forecast.sizes(), 2.0, 1.0));
}

TEST(Network, AnswersAndGradientsAreThoseOfPyTorchsModules) {
  const Json golden = Golden();
  for (const Architecture architecture : kEveryArchitecture) {
    const std::string name(Name(architecture));
    SCOPED_TRACE(name);
    const Json& expected = golden.at("networks").at(name);
    const NetworkShape shape = SmallShape(architecture);
    const auto network = MakeNetwork(SmallOptions(architecture), shape);
    EXPECT_EQ(network->parameters().Count(), expected.at("parameters").get<int64_t>());
    FillWithPatterns(*network);
    const at::Tensor answers = network->Forward(SmallInput(), /*training=*/false);
    ASSERT_EQ(answers.sizes(), (at::IntArrayRef{4, 2, shape.outputs}));
    const at::Tensor flat = answers.flatten();
    for (int64_t i = 0; i < flat.numel(); ++i) {
      EXPECT_NEAR(flat[i].item<double>(), expected.at("answers").at(i).get<double>(), 1e-12);
    }
    const at::Tensor loss = SmallLoss(*network);
    EXPECT_NEAR(loss.item<double>(), expected.at("loss").get<double>(), 1e-12);
    loss.backward();
    ASSERT_EQ(network->parameters().learnt().size(), expected.at("gradients").size());
    for (const auto& [tensor_name, weight] : network->parameters().learnt()) {
      SCOPED_TRACE(tensor_name);
      const double sum = (weight.grad() * Pattern(weight.sizes(), 3.0, 1.0)).sum().item<double>();
      EXPECT_NEAR(sum, expected.at("gradients").at(tensor_name).get<double>(), 1e-11);
    }
  }
}

// Numbers between, of every loss, whose gradients LibTorch would not have to get right.
TEST(Network, GradientsAreTheFiniteDifferencesOfEveryLoss) {
  const std::vector<double> levels = {0.1, 0.5, 0.9};
  const at::Tensor classes = at::remainder(at::arange(8).reshape({4, 2}), 3);
  for (const Architecture architecture : kEveryArchitecture) {
    for (const int kind : {0, 1, 2, 3, 4}) {
      SCOPED_TRACE(std::string(Name(architecture)) + " loss " + std::to_string(kind));
      const NetworkShape shape = SmallShape(architecture, kind < 3 ? 1 : 3);
      const auto network = MakeNetwork(SmallOptions(architecture), shape);
      FillWithPatterns(*network);
      const auto loss_now = [&] {
        const at::Tensor forecast = network->Forward(SmallInput(), /*training=*/false);
        if (kind == 3) return PinballLoss(forecast, SmallTarget(), levels);
        if (kind == 4) return ClassLoss(forecast, classes);
        return PointLoss(static_cast<Loss>(kind), forecast, SmallTarget());
      };
      loss_now().backward();
      constexpr double kStep = 1e-6;
      for (auto [name, weight] : network->parameters().learnt()) {
        SCOPED_TRACE(name);
        double* value = weight.data_ptr<double>() + weight.numel() / 2;
        const double slope = weight.grad().flatten()[weight.numel() / 2].item<double>();
        const at::NoGradGuard no_gradients;
        const double before = *value;
        *value = before + kStep;
        const double above = loss_now().item<double>();
        *value = before - kStep;
        const double below = loss_now().item<double>();
        *value = before;
        EXPECT_NEAR(slope, (above - below) / (2 * kStep), 1e-7);
      }
    }
  }
}

TEST(Network, GruAttentionHasTheParametersOfItsDiagram) {
  const auto network =
      MakeNetwork(NetworkOptions::Defaults(Architecture::kGruAttention), {60, 44, 1, 1});
  // 44 -> 128; two GRU layers; attention; 128 -> 64 -> 32, both normalised; 1.
  const int64_t projection = 44 * 128 + 128, layer = 3 * 128 * (128 + 128 + 2);
  const int64_t dense = 128 * 64 + 64 + 2 * 64 + 64 * 32 + 32 + 2 * 32;
  EXPECT_EQ(network->parameters().Count(), projection + 2 * layer + (128 + 1) + dense + 32 + 1);
  EXPECT_EQ(network->parameters().Count(), 214594);
  const at::Tensor answer = network->Forward({at::zeros({2, 60, 44}), {}, {}}, /*training=*/false);
  EXPECT_EQ(answer.sizes(), (at::IntArrayRef{2, 1, 1}));
}

TEST(Network, InitialWeightsAreXavierAndOrthogonal) {
  at::manual_seed(7);
  const auto network =
      MakeNetwork(NetworkOptions::Defaults(Architecture::kGruAttention), {60, 44, 1, 1});
  for (const auto& [name, weight] : network->parameters().learnt()) {
    SCOPED_TRACE(name);
    if (name.find("weight_hh") != name.npos) {
      for (int64_t gate = 0; gate < 3; ++gate) {
        const at::Tensor square = weight.slice(0, gate * 128, (gate + 1) * 128);
        EXPECT_TRUE(at::allclose(square.t().mm(square), at::eye(128), 1e-5, 1e-5));
      }
    } else if (weight.dim() == 2) {
      const double bound = std::sqrt(6.0 / static_cast<double>(weight.size(0) + weight.size(1)));
      EXPECT_LE(weight.abs().max().item<double>(), bound);
      EXPECT_GT(weight.abs().max().item<double>(), 0.95 * bound);
    }
  }
}

TEST(Network, DropoutIsForTrainingAlone) {
  for (const Architecture architecture : kEveryArchitecture) {
    SCOPED_TRACE(Name(architecture));
    NetworkOptions options = SmallOptions(architecture);
    options.dropout = 0.5;
    const auto network = MakeNetwork(options, SmallShape(architecture));
    const auto answer = [&](bool training) {
      return network->Forward(SmallInput(at::kFloat), training);
    };
    EXPECT_TRUE(at::equal(answer(false), answer(false)));
    at::manual_seed(1);
    const at::Tensor first = answer(true);
    EXPECT_FALSE(at::equal(first, answer(true)));
  }
}

TEST(Network, RefusesConvolutionsWithoutChannels) {
  NetworkOptions options = SmallOptions(Architecture::kCdnn);
  options.channels.clear();
  EXPECT_THAT(MessageOf([&] { MakeNetwork(options, kSmallShape); }), HasSubstr("take dnn"));
}

TEST(Tft, ShowsWhatItLookedAt) {
  const Json golden = Golden().at("networks").at("tft");
  const auto network =
      MakeNetwork(SmallOptions(Architecture::kTft), SmallShape(Architecture::kTft));
  FillWithPatterns(*network);
  const TftWeights weights = ExplainTft(*network, SmallInput());
  const auto compare = [&](const char* name, const at::Tensor& found) {
    const at::Tensor flat = found.flatten();
    ASSERT_EQ(static_cast<size_t>(flat.numel()), golden.at(name).size());
    for (int64_t i = 0; i < flat.numel(); ++i) {
      EXPECT_NEAR(flat[i].item<double>(), golden.at(name).at(i).get<double>(), 1e-12) << name << i;
    }
  };
  compare("past", weights.past);
  compare("future", weights.future);
  compare("attention", weights.attention);
  EXPECT_EQ(weights.attention[0][8].item<double>(),
            0);  // the first horizon does not see the second
}

TEST(Tft, RefusesHeadsThatDoNotShareItsUnits) {
  NetworkOptions options = SmallOptions(Architecture::kTft);
  options.heads = 3;
  EXPECT_THAT(MessageOf([&] { MakeNetwork(options, SmallShape(Architecture::kTft)); }),
              HasSubstr("a divisor of hidden"));
}

TEST(Parameters, RestoreRefusesTensorsOfAnotherNetwork) {
  const auto gru = MakeNetwork(SmallOptions(Architecture::kGruAttention), kSmallShape);
  NamedTensors saved = gru->parameters().Snapshot();
  const auto restore = [&] { return MessageOf([&] { gru->parameters().Restore(saved); }); };
  EXPECT_EQ(restore(), "no error");
  saved[0].second = at::zeros({2, 3});
  EXPECT_THAT(restore(), HasSubstr("input.weight: has the shape [2, 3] instead of [6, 3]"));
  saved.erase(saved.begin());
  EXPECT_THAT(restore(), HasSubstr("input.weight: the weights have no such tensor"));
  saved = gru->parameters().Snapshot();
  saved.emplace_back("extra", at::zeros({1}));
  EXPECT_THAT(restore(), HasSubstr("extra: the network has no such tensor"));
}

TEST(Loss, ValuesAreThoseOfPyTorch) {
  const Json golden = Golden().at("losses");
  const at::Tensor forecasts = Pattern({3, 2, 1}, 1.0, 2.0), targets = Pattern({3, 2}, 2.0, 2.0);
  const auto point = [&](Loss loss) { return PointLoss(loss, forecasts, targets).item<double>(); };
  EXPECT_NEAR(point(Loss::kMse), golden.at("mse_loss").get<double>(), 1e-12);
  EXPECT_NEAR(point(Loss::kMae), golden.at("l1_loss").get<double>(), 1e-12);
  EXPECT_NEAR(point(Loss::kHuber), golden.at("huber_loss").get<double>(), 1e-12);
  const at::Tensor classes = at::tensor({0, 1, 2, 3, 1, 1}, at::kLong).reshape({3, 2});
  EXPECT_NEAR(ClassLoss(Pattern({3, 2, 4}, 1.0, 2.0), classes).item<double>(),
              golden.at("cross_entropy").get<double>(), 1e-12);
}

TEST(Loss, PinballIsItsFormula) {
  const std::vector<double> levels = {0.1, 0.5, 0.9};
  const at::Tensor forecasts = Pattern({3, 2, 3}, 1.0, 2.0), targets = Pattern({3, 2}, 2.0, 2.0);
  double sum = 0;
  for (int64_t b = 0; b < 3; ++b) {
    for (int64_t h = 0; h < 2; ++h) {
      for (int64_t q = 0; q < 3; ++q) {
        const double d = targets[b][h].item<double>() - forecasts[b][h][q].item<double>();
        const double level = levels[static_cast<size_t>(q)];
        sum += d > 0 ? level * d : (level - 1) * d;
      }
    }
  }
  EXPECT_NEAR(PinballLoss(forecasts, targets, levels).item<double>(), sum / 18, 1e-12);
}

}  // namespace
}  // namespace almanac::neural
