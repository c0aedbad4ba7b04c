#include "almanac/neural/import.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "almanac/base/error_for_test.h"
#include "almanac/base/file.h"
#include "almanac/base/json_file.h"
#include "almanac/base/places_for_test.h"
#include "almanac/base/random.h"
#include "almanac/base/test_folder.h"
#include "almanac/neural/golden_for_test.h"
#include "almanac/neural/network.h"
#include "almanac/neural/network_forecaster.h"
#include "almanac/neural/saved_network.h"
#include "almanac/neural/state_dict.h"
#include "almanac/neural/tensor_file.h"

namespace almanac::neural {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

// What make_state_dicts.py wrote.
fs::path StateDict(std::string_view name) {
  return SourceFolder() / "almanac/neural/testdata/state_dicts" / name;
}

constexpr const char* kRest =
    "features: [{name: a, mean: 1, scale: 2}, {name: b}, {name: c}]\n"
    "target: {name: forward_return, unit: return, horizons: 2, mean: 0.5, scale: 3}\n"
    "symbols: [X, Y, Z]\n"
    "bar: 1h\n";

std::string Description(Architecture architecture) {
  constexpr const char* kModels[] = {
      "{kind: gru_attention, steps: 7, hidden: 6, layers: 2, dense: [5, 4]}",
      "{kind: lstm, steps: 7, hidden: 6, layers: 2, dense: [5]}",
      "{kind: dnn, steps: 7, dense: [5, 4]}",
      "{kind: cdnn, steps: 7, channels: [4, 5], dense: [4]}",
      "{kind: clstm, steps: 7, channels: [4, 5], hidden: 6, layers: 1, dense: [4]}",
      "{kind: tft, steps: 7, hidden: 4, heads: 2}"};
  return fmt::format("model: {}\n{}", kModels[static_cast<size_t>(architecture)], kRest);
}

class Import : public testing::Test {
 protected:
  fs::path Write(const char* name, const std::string& text) {
    WriteFileAtomic(folder_ / name, text);
    return folder_ / name;
  }
  fs::path ImportFrom(const fs::path& state, const std::string& description,
                      const Renames& renames = {}) {
    const fs::path made = folder_ / fmt::format("network{}", ++count_);
    ImportNetwork({state, Write("description.yaml", description), made, renames});
    return made;
  }
  at::Tensor AnswersOf(const fs::path& folder) {
    const SavedNetwork saved = ReadSavedNetwork(folder);
    const auto network = MakeNetwork(saved.options, saved.shape);
    network->parameters().Restore(saved.best);
    return network->Forward(SmallInput(at::kFloat), /*training=*/false).detach();
  }
  std::string RefusalOf(const fs::path& state, const std::string& description,
                        const Renames& renames = {}) {
    return MessageOf([&] { ImportFrom(state, description, renames); });
  }

  TestFolder folder_;
  int count_ = 0;
};

TEST_F(Import, AnswersAreThoseOfTheDocumentedModules) {
  const Json golden = ReadJsonFile(StateDict("answers.json"), "");
  for (const Architecture architecture : kEveryArchitecture) {
    const std::string name(Name(architecture));
    SCOPED_TRACE(name);
    const fs::path made = ImportFrom(StateDict(name + ".pt"), Description(architecture));
    const auto expected = at::tensor(golden.at(name).get<std::vector<float>>());
    const at::Tensor answers = AnswersOf(made).flatten();
    ASSERT_EQ(answers.sizes(), expected.sizes());
    EXPECT_LE((answers - expected).abs().max().item<float>(), 1e-5F);
    EXPECT_GT(expected.std().item<float>(), 1e-3F);
  }
}

TEST_F(Import, GivesASavedNetworkLikeAnyOther) {
  const fs::path made = ImportFrom(StateDict("lstm.pt"), Description(Architecture::kLstm));
  const auto forecaster = NetworkForecaster::Load(made, Checkpoint::kFinal);
  const Json about = forecaster->Describe();
  EXPECT_EQ(about.at("target").at("name"), "forward_return");
  EXPECT_EQ(about.at("target").at("scale").at("scale"), 3.0);
  EXPECT_EQ(about.at("training").at("imported").at("file"), "lstm.pt");
  EXPECT_EQ(about.at("data").at("calendar").at("spacing"), 3'600'000);
  const SavedNetwork saved = ReadSavedNetwork(made);
  EXPECT_EQ(saved.scaler.names(), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(saved.scaler.mean(0), 1);
  EXPECT_EQ(saved.scaler.scale(1), 1);

  // Its folder can say what another one is.
  const fs::path again = folder_ / "again";
  ImportNetwork({StateDict("lstm.pt"), made, again, {}});
  EXPECT_EQ(ReadFile(again / kNetworkFile), ReadFile(made / kNetworkFile));
  EXPECT_EQ(ReadFile(again / kBestWeights), ReadFile(made / kBestWeights));
  // So can the weights' own file be imported.
  const fs::path third = folder_ / "third";
  ImportNetwork({made / kBestWeights, made, third, {}});
  EXPECT_EQ(ReadFile(third / kBestWeights), ReadFile(made / kBestWeights));
  EXPECT_THAT(MessageOf([&] {
                ImportNetwork({StateDict("lstm.pt"), made, again, {}});
              }),
              HasSubstr("exists already"));
}

TEST_F(Import, FindsAStateDictInACheckpoint) {
  const std::string dnn = Description(Architecture::kDnn);
  const fs::path plain = ImportFrom(StateDict("dnn.pt"), dnn);
  const fs::path wrapped = ImportFrom(StateDict("dnn_checkpoint.pt"), dnn);
  EXPECT_EQ(ReadFile(plain / kBestWeights), ReadFile(wrapped / kBestWeights));
}

TEST_F(Import, RenamesPrefixes) {
  NamedTensors state = LoadStateDict(StateDict("dnn.pt"));
  for (auto& [name, tensor] : state) {
    if (name.starts_with("output.")) name = "fc_" + name;
  }
  SaveTensors(state, folder_ / "renamed.safetensors");
  const std::string dnn = Description(Architecture::kDnn);
  EXPECT_NO_THROW(ImportFrom(folder_ / "renamed.safetensors", dnn, {{"fc_output.", "output."}}));
  const std::string message = RefusalOf(folder_ / "renamed.safetensors", dnn);
  EXPECT_THAT(message, HasSubstr("missing: output.weight [2, 4], output.bias [2]"));
  EXPECT_THAT(message,
              HasSubstr("left over: fc_output.bias (did you mean output.bias?), fc_output.weight"));
  EXPECT_THAT(RefusalOf(folder_ / "renamed.safetensors", dnn, {{"fc_output.", "dense.0."}}),
              HasSubstr("two tensors of the state dict get this name"));
}

TEST_F(Import, NamesWhatDoesNotFit) {
  std::string wider = Description(Architecture::kDnn);
  wider.replace(wider.find("[5, 4]"), 6, "[5, 3]");
  EXPECT_THAT(RefusalOf(StateDict("dnn.pt"), wider),
              HasSubstr("of another shape: dense.1.weight [4, 5] instead of [3, 5]"));
  const std::string other = RefusalOf(StateDict("dnn.pt"), Description(Architecture::kLstm));
  EXPECT_THAT(other, HasSubstr("missing: lstm.weight_ih_l0 [24, 3]"));
  EXPECT_THAT(other, HasSubstr("left over: dense.1.bias"));
  EXPECT_THAT(other, HasSubstr("and 3 more"));
}

TEST_F(Import, RefusesNumbersThatAreNotFinite) {
  NamedTensors state = LoadStateDict(StateDict("dnn.pt"));
  state[0].second[0][0] = std::numeric_limits<float>::quiet_NaN();
  state[1].second = state[1].second.to(at::kDouble) * 1e300;
  SaveTensors(state, folder_ / "wild.safetensors");
  EXPECT_THAT(RefusalOf(folder_ / "wild.safetensors", Description(Architecture::kDnn)),
              HasSubstr("not finite: dense.0.weight, dense.0.bias;"));
}

TEST_F(Import, RefusesDamagedNetworksToBeLike) {
  const fs::path made = ImportFrom(StateDict("lstm.pt"), Description(Architecture::kLstm));
  const Json whole = ReadJsonFile(made / kNetworkFile, "");
  const auto refusal_of = [&](const char* pointer, const Json& value) {
    Json json = whole;
    json[Json::json_pointer(pointer)] = value;
    WriteJsonFile(made / kNetworkFile, json);
    return MessageOf([&] { ImportNetwork({StateDict("lstm.pt"), made, folder_ / "out", {}}); });
  };
  for (const char* pointer : {"/data", "/shape", "/options/hidden", "/scaler/columns/0/mean"}) {
    EXPECT_THAT(refusal_of(pointer, "wrong"), HasSubstr("network1")) << pointer;
  }
  EXPECT_THAT(refusal_of("/options/hidden", -3), HasSubstr("make no network"));
  EXPECT_THAT(refusal_of("/options/hidden", 7), HasSubstr("of another shape"));
}

TEST_F(Import, RefusesOtherFiles) {
  const std::string dnn = Description(Architecture::kDnn);
  EXPECT_THAT(RefusalOf(StateDict("dnn_old_format.pt"), dnn), HasSubstr("before PyTorch 1.6"));
  EXPECT_THAT(RefusalOf(StateDict("runs_something.pt"), dnn), HasSubstr("it holds a os.getenv"));
  EXPECT_THAT(RefusalOf(StateDict("torchscript.pt"), dnn), HasSubstr("is a TorchScript module"));
  EXPECT_THAT(RefusalOf(StateDict("answers.json"), dnn), HasSubstr("answers.json"));
  EXPECT_THAT(RefusalOf(folder_ / "none.pt", dnn), HasSubstr("none.pt"));
  EXPECT_THAT(RefusalOf(Write("empty.pt", ""), dnn), HasSubstr("is empty"));
}

TEST_F(Import, RefusesWrongDescriptions) {
  const fs::path state = StateDict("dnn.pt");
  const std::string model = "model: {kind: dnn, steps: 7, dense: [5, 4]}\n";
  EXPECT_THAT(RefusalOf(state, model), HasSubstr("features"));
  EXPECT_THAT(RefusalOf(state, model + "features: [{name: a}, {name: a}]\n"),
              HasSubstr("a was listed before"));
  EXPECT_THAT(RefusalOf(state, model + "features: [{name: a, scale: 0}]\n"), HasSubstr("scale"));
  EXPECT_THAT(RefusalOf(state, model + kRest + "targets: 1\n"), HasSubstr("target"));
  EXPECT_THAT(RefusalOf(state,
                        "model: {kind: tft, steps: 7}\nfeatures: [{name: a}]\n"
                        "target: {classes: [down, up]}\n"),
              HasSubstr("the target is of classes: down, up"));
  EXPECT_THAT(RefusalOf(state, "model: {kind: dense}\nfeatures: [{name: a}]\n"),
              HasSubstr("model.kind"));
}

// Whatever bytes a file has, it is read, or refused with an error.
TEST_F(Import, SurvivesDamage) {
  const std::string whole = ReadFile(StateDict("dnn_checkpoint.pt"));
  Random random(3);
  int refused = 0;
  for (int i = 0; i < 400; ++i) {
    std::string bytes = whole;
    for (uint64_t n = 1 + random.Below(4); n > 0; --n) {
      bytes[random.Below(bytes.size())] = static_cast<char>(random.Next());
    }
    if (i % 4 == 0) bytes.resize(random.Below(bytes.size()));
    const fs::path file = Write("damaged.pt", bytes);
    try {
      for (const auto& [name, tensor] : LoadStateDict(file)) tensor.sum();
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("damaged.pt"));
      ++refused;
    }
  }
  EXPECT_GT(refused, 100);
  EXPECT_LT(refused, 400);
}

}  // namespace
}  // namespace almanac::neural
