// almanac train and predict, from a recipe to a trained network's forecasts.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "almanac/base/file.h"
#include "almanac/base/places_for_test.h"
#include "almanac/cli/program_for_test.h"

namespace almanac {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

class NetworkCommands : public testing::Test {
 protected:
  NetworkCommands() {
    recipe_ = folder_
                  .Write("network.yaml",
                         "name: network\n"
                         "data:\n"
                         "  {source: simulator, symbols: [BTCUSDT], timeframe: 30m,\n"
                         "   from: 2024-01-01, to: 2024-03-01, simulator: {seed: 1}}\n"
                         "features:\n"
                         "  - {family: log_return, windows: [1, 4]}\n"
                         "  - {family: realised_volatility, windows: [16]}\n"
                         "target: {kind: forward_return, horizon: 3, every_step: true}\n"
                         "models:\n"
                         "  - kind: lstm\n"
                         "    name: small\n"
                         "    steps: 6\n"
                         "    hidden: 8\n"
                         "    quantiles: [10, 50, 90]\n"
                         "    training: {epochs: 3, batch_size: 64, checkpoint_every: 5}\n"
                         "evaluate: {replicates: 50}\n"
                         "backtest: {models: []}\n"
                         "report: {pictures: false}\n")
                  .string();
  }
  // A build without LibTorch has no module beside the program.
  void SetUp() override {
    if (!fs::exists(ProgramFile().parent_path() / "libalmanac_neural.so")) {
      GTEST_SKIP() << "this build has no networks";
    }
  }
  ProgramEnd Run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--threads", "1"});
    return folder_.Run(arguments);
  }

  ProgramFolder folder_;
  std::string recipe_;
};

TEST_F(NetworkCommands, TrainAndPredict) {
  const ProgramEnd trained = Run({"train", recipe_, "--epochs", "2", "--json"});
  ASSERT_EQ(trained.status, 0) << trained.err;
  const Json learnt = trained.json().at(0).at("learnt");
  EXPECT_EQ(learnt.at("training").at("epochs").size(), 2u);
  EXPECT_EQ(learnt.at("shape").at("horizons"), 3);

  // The same flags find the same network, which is not trained again.
  const ProgramEnd text = Run({"predict", recipe_, "--epochs", "2", "--num-predictions", "2"});
  ASSERT_EQ(text.status, 0) << text.err;
  EXPECT_THAT(text.out, HasSubstr("small (best weights), the last forecasts"));
  EXPECT_THAT(text.out, HasSubstr("beside the naive forecast"));
  EXPECT_THAT(text.out, HasSubstr("MAPE"));
  EXPECT_THAT(text.out, HasSubstr("the 80 % interval held"));
  const ProgramEnd best = Run({"predict", recipe_, "--epochs", "2", "--json"});
  const ProgramEnd last =
      Run({"predict", recipe_, "--epochs", "2", "--model-type", "final", "--json"});
  ASSERT_EQ(last.status, 0) << last.err;
  EXPECT_EQ(best.json().at("predictions").size(), 30u);  // ten instants, three steps
  EXPECT_EQ(best.json().at("evaluation").at("horizons").size(), 3u);
  const bool same = learnt.at("training").at("best_epoch") == 2;
  EXPECT_EQ(best.json().at("predictions") == last.json().at("predictions"), same);
}

TEST_F(NetworkCommands, ForecastsClasses) {
  const std::string recipe = R"(
name: classes
data:
  {source: simulator, symbols: [BTCUSDT], timeframe: 30m, from: 2024-01-01, to: 2024-03-01,
   simulator: {seed: 1}}
features: [{family: log_return, windows: [1, 4]}]
target: {kind: direction, horizon: 4, threshold: 0.002}
models: [{kind: KIND, steps: 6, training: {epochs: 2, batch_size: 64}}]
evaluate: {replicates: 20}
report: {pictures: false}
)";
  const auto with = [&](const std::string& kind) {
    std::string text = recipe;
    return folder_.Write("classes.yaml", text.replace(text.find("KIND"), 4, kind)).string();
  };
  const ProgramEnd run = Run({"run", with("dnn")});
  ASSERT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("Class forecasts"));
  const ProgramEnd predict = Run({"predict", with("dnn"), "--num-predictions", "3"});
  ASSERT_EQ(predict.status, 0) << predict.err;
  EXPECT_THAT(predict.out, HasSubstr("p_down"));
  EXPECT_THAT(predict.out, HasSubstr("log loss"));
  EXPECT_THAT(predict.out, Not(HasSubstr("nan")));
  const ProgramEnd json = Run({"predict", with("dnn"), "--num-predictions", "3", "--json"});
  ASSERT_EQ(json.status, 0) << json.err;
  const Json rows = json.json().at("predictions");
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_NEAR(rows[0].at("p_down").get<double>() + rows[0].at("p_flat").get<double>() +
                  rows[0].at("p_up").get<double>(),
              1, 1e-9);
  // A transformer gives quantiles unless told otherwise.
  const ProgramEnd refused = Run({"run", with("tft")});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr("say quantiles: []"));
}

TEST_F(NetworkCommands, TrainingThatWasKilledEndsInTheSameBytes) {
  const ProgramFolder undisturbed;
  const std::vector<std::string> arguments = {"train", recipe_, "--threads", "1"};
  ASSERT_EQ(undisturbed.Run(arguments).status, 0);
  const fs::path states = folder_.home() / "tmp/training";
  int kills = 0;
  for (ProgramEnd end; end.status != 0;) {
    // As soon as there is a state, or there is another one.
    std::string seen;
    const auto newest = [&] {
      std::string times;
      std::error_code error;
      for (const auto& entry : fs::recursive_directory_iterator(states, error)) {
        if (entry.path().filename() != "progress.json") continue;
        times +=
            std::to_string(fs::last_write_time(entry.path(), error).time_since_epoch().count());
      }
      return times;
    };
    seen = newest();
    const int signal = kills % 2 == 0 ? SIGKILL : SIGINT;
    end = kills < 4 ? folder_.RunAndSignal(arguments, signal, [&] { return newest() != seen; })
                    : folder_.Run(arguments);
    kills += end.status != 0;
    ASSERT_LT(kills, 20) << end.err;
  }
  EXPECT_GT(kills, 0);
  EXPECT_EQ(folder_.Digests({"artifacts"}), undisturbed.Digests({"artifacts"}));
  EXPECT_TRUE(fs::is_empty(states));
}

TEST_F(NetworkCommands, ExportsAndImports) {
  const ProgramEnd trained = Run({"train", recipe_, "--epochs", "1", "--json"});
  ASSERT_EQ(trained.status, 0) << trained.err;
  const std::string artifact = trained.json().at(0).at("artifact");
  const auto bytes_of = [&](const std::string& folder, const std::string& format) {
    const std::string file = (folder_.path() / ("network." + format)).string();
    const ProgramEnd end =
        Run({"models", "export", folder, "--format", format, "--out", file, "--json"});
    EXPECT_EQ(end.status, 0) << end.err;
    EXPECT_EQ(end.json().at("bytes"), fs::file_size(file));
    return ReadFile(file);
  };
  const std::string onnx = bytes_of(artifact, "onnx");
  EXPECT_NE(onnx, bytes_of(artifact, "torchscript"));

  const std::string copy = (folder_.path() / "copy").string();
  const std::vector<std::string> import = {
      "models", "import", artifact + "/model/best.safetensors", "--like", artifact, "--out", copy};
  const ProgramEnd imported = Run(import);
  ASSERT_EQ(imported.status, 0) << imported.err;
  EXPECT_THAT(imported.out, HasSubstr("lstm with"));
  // The graph comes first; behind it is what differs, the hash of the training data.
  const std::string again = bytes_of(copy, "onnx");
  constexpr size_t kAbout = 1000;
  ASSERT_GT(again.size(), 2 * kAbout);
  EXPECT_EQ(again.substr(0, again.size() - kAbout), onnx.substr(0, again.size() - kAbout));

  EXPECT_EQ(Run(import).status, 2);  // the folder exists
  const ProgramEnd format =
      Run({"models", "export", copy, "--format", "pickle", "--out", copy + ".pt"});
  EXPECT_EQ(format.status, 2);
  EXPECT_THAT(format.err, HasSubstr("torchscript"));
  const ProgramEnd folder = Run(
      {"models", "export", folder_.path().string(), "--format", "onnx", "--out", copy + ".onnx"});
  EXPECT_EQ(folder.status, 2);
  EXPECT_THAT(folder.err, HasSubstr("is no saved network"));
  const ProgramEnd rename = Run({"models", "import", artifact + "/model/best.safetensors", "--like",
                                 artifact, "--out", copy + "2", "--rename", "lstm."});
  EXPECT_EQ(rename.status, 2);
  EXPECT_THAT(rename.err, HasSubstr("OLD=NEW"));
}

// The network of one recipe is a model of another, which does not train it.
TEST_F(NetworkCommands, AnImportedNetworkForecastsInARecipe) {
  const ProgramEnd trained = Run({"train", recipe_, "--json"});
  ASSERT_EQ(trained.status, 0) << trained.err;
  const std::string artifact = trained.json().at(0).at("artifact");
  const std::string copy = (folder_.path() / "copy").string();
  const ProgramEnd imported = Run({"models", "import", artifact + "/model/best.safetensors",
                                   "--like", artifact, "--out", copy, "--json"});
  ASSERT_EQ(imported.status, 0) << imported.err;
  const std::string digest = imported.json().at("sha256");
  const auto recipe_with = [&](const std::string& model) {
    std::string text = ReadFile(recipe_);
    const size_t begin = text.find("models:"), end = text.find("evaluate:");
    text.replace(begin, end - begin, "models: [" + model + "]\n");
    return folder_.Write("pretrained.yaml", text).string();
  };
  const auto model = [&](const std::string& sha256) {
    return fmt::format("{{kind: pretrained, name: small, folder: {}, sha256: {}}}", copy, sha256);
  };
  const ProgramEnd same = Run({"predict", recipe_with(model(digest)), "--json"});
  ASSERT_EQ(same.status, 0) << same.err;
  EXPECT_EQ(same.json().at("predictions"),
            Run({"predict", recipe_, "--json"}).json().at("predictions"));

  const ProgramEnd changed = Run({"predict", recipe_with(model(std::string(64, '0')))});
  EXPECT_EQ(changed.status, 2);
  EXPECT_THAT(changed.err, HasSubstr("has the digest " + digest));
  const std::string other_target = recipe_with(model(digest));
  std::string text = ReadFile(other_target);
  text.replace(text.find("horizon: 3"), 10, "horizon: 4");
  const ProgramEnd target = Run({"train", folder_.Write("target.yaml", text).string()});
  EXPECT_EQ(target.status, 3);
  EXPECT_THAT(target.err, HasSubstr("take the target that the network was trained on"));
  text = ReadFile(other_target);
  text.replace(text.find("windows: [1, 4]"), 15, "windows: [1, 5]");
  const ProgramEnd features = Run({"train", folder_.Write("features.yaml", text).string()});
  EXPECT_EQ(features.status, 3);
  EXPECT_THAT(features.err, HasSubstr("where log_return"));
}

TEST_F(NetworkCommands, WrongUseIsRefused) {
  const ProgramEnd type = Run({"predict", recipe_, "--model-type", "worst"});
  EXPECT_EQ(type.status, 2);
  EXPECT_THAT(type.err, HasSubstr("best"));
  const ProgramEnd model = Run({"predict", recipe_, "--model", "large"});
  EXPECT_EQ(model.status, 2);
  EXPECT_THAT(model.err, HasSubstr("its networks are small"));
  const ProgramEnd epochs = Run({"train", recipe_, "--epochs", "0"});
  EXPECT_EQ(epochs.status, 2);
  EXPECT_THAT(epochs.err, HasSubstr("epochs"));
  const ProgramEnd none = Run({"train", folder_.Write("small.yaml", SmallRecipe()).string()});
  EXPECT_EQ(none.status, 2);
  EXPECT_THAT(none.err, HasSubstr("has no network"));
}

}  // namespace
}  // namespace almanac
