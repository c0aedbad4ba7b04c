#include "almanac/neural/host/network_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "almanac/base/error_for_test.h"

namespace almanac {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

NetworkOptions Read(const std::string& yaml) {
  const ConfigDocument document = ConfigDocument::Parse(yaml, "test");
  NetworkOptions options = NetworkOptions::FromConfig(document.root());
  document.RefuseUnknownKeys();
  return options;
}

TEST(NetworkOptions, ReadsWhatARecipeSays) {
  const NetworkOptions options = Read(
      "{kind: lstm, steps: 20, hidden: 32, layers: 1, dropout: 0, dense: [8], quantiles: [5, 50, "
      "95], across_gaps: true, training: {epochs: 7, optimizer: adamw, schedule: one_cycle, "
      "device: 'cuda:1', seed: 9}}");
  EXPECT_EQ(options.architecture, Architecture::kLstm);
  EXPECT_EQ(options.hidden, 32);
  EXPECT_THAT(options.dense, ElementsAre(8));
  EXPECT_THAT(options.quantiles, ElementsAre(5, 50, 95));
  EXPECT_EQ(options.training.optimizer, Optimizer::kAdamW);
  EXPECT_EQ(options.training.schedule, Schedule::kOneCycle);
  EXPECT_EQ(NetworkOptions::FromJson(options.ToJson()).ToJson(), options.ToJson());
  const NetworkOptions gru = Read("kind: gru_attention");
  EXPECT_EQ(gru.steps, 60);
  EXPECT_EQ(gru.hidden, 128);
  EXPECT_THAT(gru.dense, ElementsAre(64, 32));
  EXPECT_EQ(gru.training.patience, 30);
  EXPECT_EQ(gru.training.clip, 1.0);
  EXPECT_EQ(Read("kind: lstm").loss, Loss::kMae);
  EXPECT_THAT(Read("kind: tft").quantiles, ElementsAre(10, 50, 90));
}

TEST(NetworkOptions, RefusesWrongUse) {
  const auto message = [](const char* yaml) { return MessageOf([yaml] { Read(yaml); }); };
  EXPECT_THAT(message("{kind: lstm, hiden: 3}"), AllOf(HasSubstr("hiden"), HasSubstr("hidden")));
  EXPECT_THAT(message("{kind: dnn, hidden: 3}"), HasSubstr("hidden"));
  EXPECT_THAT(message("{kind: lstm, dropout: 1}"), HasSubstr("dropout"));
  EXPECT_THAT(message("{kind: cdnn, kernel: 4}"), HasSubstr("odd"));
  EXPECT_THAT(message("{kind: tft, hidden: 10, heads: 3}"), HasSubstr("a divisor of hidden"));
  EXPECT_THAT(message("{kind: tft, dense: [3]}"), HasSubstr("dense"));
  EXPECT_THAT(message("{kind: lstm, quantiles: [10, 90]}"), HasSubstr("add 50"));
  EXPECT_THAT(message("{kind: lstm, quantiles: [50, 10]}"), HasSubstr("out of order"));
  EXPECT_THAT(message("{kind: lstm, quantiles: [50], loss: mse}"), HasSubstr("pinball"));
  EXPECT_THAT(message("{kind: lstm, loss: msee}"), HasSubstr("mse"));
  EXPECT_THAT(message("{kind: lstm, training: {device: gpu}}"), HasSubstr("\"gpu\" is no device"));
  EXPECT_THAT(message("{kind: lstm, training: {device: 'cuda:x'}}"), HasSubstr("no device"));
  EXPECT_THAT(message("{kind: lstm, training: {epochs: 0}}"), HasSubstr("epochs"));
  EXPECT_THAT(message("{kind: lstm, training: {precision: half}}"), HasSubstr("mixed"));
  EXPECT_THAT(message("{kind: lstm, training: {device: cpu, precision: mixed}}"),
              HasSubstr("mixed precision is for CUDA devices"));
}

TEST(NetworkOptions, PrecisionIsFloat32WhereAnOlderNetworkDoesNotSay) {
  EXPECT_EQ(Read("kind: lstm").training.precision, Precision::kAuto);
  const NetworkOptions given = Read("{kind: lstm, training: {device: cuda, precision: mixed}}");
  EXPECT_EQ(given.training.precision, Precision::kMixed);
  Json json = given.ToJson();
  EXPECT_EQ(json.at("training").at("precision"), "mixed");
  json.at("training").erase("precision");
  EXPECT_EQ(NetworkOptions::FromJson(json).training.precision, Precision::kFloat32);
}

TEST(NetworkOptions, RefusesATargetThatItCannotForecast) {
  const std::vector<std::string> classes = {"down", "up"};
  const auto message = [&](const char* yaml) {
    return MessageOf([&] { Read(yaml).CheckTarget(classes); });
  };
  Read("kind: gru_attention").CheckTarget(classes);
  Read("{kind: tft, quantiles: []}").CheckTarget(classes);
  Read("kind: tft").CheckTarget({});
  EXPECT_THAT(message("kind: tft"), AllOf(HasSubstr("down, up"), HasSubstr("quantiles: []")));
  EXPECT_THAT(message("{kind: dnn, quantiles: [50]}"), HasSubstr("leave quantiles out"));
  EXPECT_THAT(message("{kind: dnn, loss: huber}"), HasSubstr("cross-entropy"));
}

}  // namespace
}  // namespace almanac
