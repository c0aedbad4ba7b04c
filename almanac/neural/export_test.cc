#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/checker.h>
#include <onnx/onnx_pb.h>
#include <onnx/shape_inference/implementation.h>
#include <torch/csrc/jit/serialization/import.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "almanac/base/error_for_test.h"
#include "almanac/base/file.h"
#include "almanac/base/places_for_test.h"
#include "almanac/base/random.h"
#include "almanac/base/test_folder.h"
#include "almanac/neural/export.h"
#include "almanac/neural/export_graph.h"
#include "almanac/neural/export_onnx.h"
#include "almanac/neural/export_torchscript.h"
#include "almanac/neural/golden_for_test.h"
#include "almanac/neural/import.h"
#include "almanac/neural/network.h"
#include "almanac/neural/saved_network.h"
#include "almanac/neural/state_dict.h"
#include "almanac/neural/tensor_file.h"

namespace almanac::neural {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr uint64_t kShapes = 4;      // of each architecture
constexpr double kTolerance = 1e-5;  // of the largest answer

// A network with random sizes, weights and scalers, and windows in the features' units.
struct Case {
  ExportSource source;
  std::unique_ptr<Network> network;
  NetworkInput input;
};

int64_t Between(Random& random, int64_t least, int64_t most) {
  return least + static_cast<int64_t>(random.Below(static_cast<uint64_t>(most - least + 1)));
}

NetworkOptions RandomOptions(Architecture architecture, Random& random) {
  NetworkOptions options = NetworkOptions::Defaults(architecture);
  options.steps = Between(random, 1, 9);
  options.heads = Between(random, 1, 3);
  options.hidden = options.heads * Between(random, 1, 6);
  options.layers = Between(random, 1, 3);
  options.kernel = 2 * Between(random, 0, 2) + 1;
  options.dense.clear();
  options.channels.clear();
  for (int64_t i = Between(random, 0, 2); i > 0; --i) {
    options.dense.push_back(Between(random, 1, 7));
  }
  for (int64_t i = Between(random, 1, 2); i > 0; --i) {
    options.channels.push_back(Between(random, 1, 5));
  }
  return options;
}

// What the network puts out. All three are among the seeds of every architecture.
enum class Output { kNumber, kQuantiles, kClasses };
Output OutputOf(uint64_t seed) { return static_cast<Output>(seed % 3); }

NetworkShape RandomShape(const NetworkOptions& options, Output output, Random& random) {
  const bool is_tft = options.architecture == Architecture::kTft;
  return {options.steps,
          Between(random, 1, 6),
          Between(random, 1, 4),
          output == Output::kNumber ? 1 : Between(random, 2, 4),
          is_tft ? Between(random, 1, 6) : 0,
          is_tft ? Between(random, 1, 5) : 1};
}

// Running statistics that are not those of a new network.
void Disturb(Parameters& parameters) {
  const at::NoGradGuard no_gradients;
  for (auto [name, weight] : parameters.learnt()) {
    weight.add_(at::randn(weight.sizes()), 0.1);
  }
  for (auto [name, buffer] : parameters.buffers()) {
    buffer.add_(at::rand(buffer.sizes()));
  }
}

Case RandomCase(Architecture architecture, uint64_t seed) {
  Random random(seed);
  at::manual_seed(seed);
  ExportSource source;
  source.options = RandomOptions(architecture, random);
  source.shape = RandomShape(source.options, OutputOf(seed), random);
  source.is_class = OutputOf(seed) == Output::kClasses;
  if (!source.is_class) source.target = {0.3, 2.5};
  for (int64_t f = 0; f < source.shape.features; ++f) {
    source.mean.push_back(static_cast<float>(random.Normal()));
    source.inverse.push_back(static_cast<float>(0.1 + random.Uniform()));
  }
  source.about = {{"seed", seed}};
  auto network = MakeNetwork(source.options, source.shape);
  Disturb(network->parameters());
  source.weights = network->parameters().Snapshot();
  const NetworkShape& shape = source.shape;
  const int64_t rows = Between(random, 1, 5);
  NetworkInput input{at::randn({rows, shape.steps, shape.features}) * 3,
                     at::randn({rows, shape.steps + shape.horizons, shape.known}),
                     at::randint(shape.groups, {rows}, at::kLong)};
  return {std::move(source), std::move(network), std::move(input)};
}

at::Tensor Expected(const Case& one) {
  const at::NoGradGuard no_gradients;
  const ExportSource& source = one.source;
  NetworkInput scaled = one.input;
  scaled.windows = (one.input.windows - at::tensor(source.mean)) * at::tensor(source.inverse);
  const at::Tensor answers = one.network->Forward(scaled, /*training=*/false).to(at::kDouble);
  if (source.is_class) return at::softmax(answers, -1);
  return std::get<0>(at::sort(answers, -1)) * source.target.scale + source.target.mean;
}

double RelativeDifference(const at::Tensor& answers, const at::Tensor& expected) {
  if (answers.sizes() != expected.sizes()) return std::numeric_limits<double>::infinity();
  const at::Tensor reference = expected.to(at::kDouble);
  return ((answers.to(at::kDouble) - reference).abs().max() / reference.abs().max()).item<double>();
}

at::Tensor RunTorchScript(const std::string& bytes, const NetworkInput& input, bool has_known) {
  const at::NoGradGuard no_gradients;
  std::istringstream stream(bytes);
  torch::jit::Module module = torch::jit::load(stream);
  std::vector<c10::IValue> inputs = {input.windows};
  if (has_known) inputs.insert(inputs.end(), {input.known, input.groups});
  return module.forward(inputs).toTensor();
}

struct OnnxJob {
  std::string bytes;
  NetworkInput input;
  bool has_known = false;
};

template <typename Number>
Json ToJson(const at::Tensor& tensor, const char* type) {
  const at::Tensor stored = tensor.contiguous();
  const Number* numbers = stored.data_ptr<Number>();
  return {{"type", type},
          {"dims", tensor.sizes().vec()},
          {"data", std::vector<Number>(numbers, numbers + stored.numel())}};
}

Json InputsOf(const OnnxJob& job) {
  Json inputs = {{kWindowsInput, ToJson<float>(job.input.windows, "float32")}};
  if (job.has_known) {
    inputs[kKnownInput] = ToJson<float>(job.input.known, "float32");
    inputs[kGroupInput] = ToJson<int64_t>(job.input.groups, "int64");
  }
  return inputs;
}

// By ONNX Runtime, in one process of Node.js.
std::vector<at::Tensor> RunOnnx(const std::vector<OnnxJob>& jobs) {
  const TestFolder folder;
  const std::string root = SourceFolder().string();
  Json list = Json::array();
  for (const OnnxJob& job : jobs) {
    const std::string model = (folder / fmt::format("{}.onnx", list.size())).string();
    WriteFileAtomic(model, job.bytes);
    list.push_back({{"model", model}, {"inputs", InputsOf(job)}});
  }
  WriteFileAtomic(folder / "jobs.json", list.dump());
  const std::string command = fmt::format(
      "NODE_PATH='{0}/third_party/npm' node '{0}/almanac/neural/testdata/run_onnx.js' '{1}' "
      ">'{2}' 2>&1",
      root, (folder / "jobs.json").string(), (folder / "answers").string());
  const int status = std::system(command.c_str());
  const std::string said = ReadFile(folder / "answers");
  if (status != 0) {
    throw Error(ErrorCode::kFailed, "node", said, "script/setup installs what this test needs");
  }
  std::vector<at::Tensor> answers;
  for (const Json& answer : Json::parse(said)) {
    answers.push_back(at::tensor(answer.at("data").get<std::vector<float>>())
                          .view(answer.at("dims").get<std::vector<int64_t>>()));
  }
  return answers;
}

TEST(Export, TorchScriptGivesTheSameForecasts) {
  for (const Architecture architecture : kEveryArchitecture) {
    for (uint64_t seed = 1; seed <= kShapes; ++seed) {
      SCOPED_TRACE(fmt::format("{} {}", Name(architecture), seed));
      const Case one = RandomCase(architecture, seed);
      const std::string bytes = TorchScriptOf(one.source);
      EXPECT_EQ(bytes, TorchScriptOf(one.source));
      EXPECT_LE(RelativeDifference(RunTorchScript(bytes, one.input, one.source.has_known()),
                                   Expected(one)),
                kTolerance);
    }
  }
}

TEST(Export, OnnxRuntimeGivesTheSameForecasts) {
  std::vector<Case> cases;
  std::vector<OnnxJob> jobs;
  for (const Architecture architecture : kEveryArchitecture) {
    for (uint64_t seed = 1; seed <= kShapes; ++seed) {
      SCOPED_TRACE(fmt::format("{} {}", Name(architecture), seed));
      cases.push_back(RandomCase(architecture, seed));
      const Case& one = cases.back();
      jobs.push_back({OnnxOf(one.source), one.input, one.source.has_known()});
      EXPECT_EQ(jobs.back().bytes, OnnxOf(one.source));
      onnx::ModelProto model;
      ASSERT_TRUE(model.ParseFromString(jobs.back().bytes));
      // ONNX's own rules, and that every shape follows from the inputs'.
      EXPECT_NO_THROW(onnx::checker::check_model(model));
      EXPECT_NO_THROW(onnx::shape_inference::InferShapes(model, onnx::OpSchemaRegistry::Instance(),
                                                         {/*check_type=*/true, /*strict_mode=*/1}));
    }
  }
  const std::vector<at::Tensor> answers = RunOnnx(jobs);
  ASSERT_EQ(answers.size(), cases.size());
  for (size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(fmt::format("{} {}", Name(cases[i].source.options.architecture),
                             cases[i].source.about.dump()));
    EXPECT_LE(RelativeDifference(answers[i], Expected(cases[i])), kTolerance);
  }
}

// A saved LSTM, made from PyTorch's weights.
fs::path SavedLstm(const TestFolder& folder) {
  WriteFileAtomic(
      folder / "lstm.yaml",
      "model: {kind: lstm, steps: 7, hidden: 6, layers: 2, dense: [5]}\n"
      "features: [{name: a, mean: 1, scale: 2}, {name: b, scale: 0.5}, {name: c}]\n"
      "target: {name: forward_return, unit: return, horizons: 2, mean: -4, scale: 3}\n");
  const fs::path made = folder / "lstm";
  ImportNetwork({SourceFolder() / "almanac/neural/testdata/state_dicts/lstm.pt",
                 folder / "lstm.yaml",
                 made,
                 {}});
  return made;
}

TEST(Export, ASavedNetworkTakesFeaturesAndGivesTargets) {
  const TestFolder folder;
  const fs::path saved = SavedLstm(folder);
  const fs::path script = folder / "lstm.pt", onnx = folder / "lstm.onnx";
  ExportNetwork(saved, Checkpoint::kBest, ExportFormat::kTorchScript, script);
  ExportNetwork(saved, Checkpoint::kFinal, ExportFormat::kOnnx, onnx);

  const at::NoGradGuard no_gradients;
  const SavedNetwork read = ReadSavedNetwork(saved);
  const auto network = MakeNetwork(read.options, read.shape);
  network->parameters().Restore(read.best);
  const NetworkInput scaled = SmallInput(at::kFloat);
  const at::Tensor expected = network->Forward(scaled, /*training=*/false) * 3 - 4;
  NetworkInput raw = scaled;
  raw.windows = scaled.windows * at::tensor({2.0F, 0.5F, 1.0F}) + at::tensor({1.0F, 0.0F, 0.0F});

  EXPECT_LE(RelativeDifference(RunTorchScript(ReadFile(script), raw, false), expected), kTolerance);
  const std::vector<at::Tensor> answers = RunOnnx({{ReadFile(onnx), raw, false}});
  EXPECT_LE(RelativeDifference(answers.at(0), expected), kTolerance);
}

TEST(Export, FilesSayWhatTheyAre) {
  const TestFolder folder;
  const fs::path saved = SavedLstm(folder);
  ExportNetwork(saved, Checkpoint::kBest, ExportFormat::kTorchScript, folder / "lstm.pt");
  torch::jit::ExtraFilesMap files = {{"almanac.json", ""}};
  torch::jit::Module module =
      torch::jit::load((folder / "lstm.pt").string(), at::Device(at::kCPU), files);
  const Json about = Json::parse(files.at("almanac.json"));
  EXPECT_EQ(about.at("features"), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(about.at("outputs"), (std::vector<std::string>{"value"}));
  EXPECT_EQ(about.at("target").at("unit"), "return");
  try {
    module.forward({at::zeros({1, 6, 3})});
    ADD_FAILURE() << "took windows of another shape";
  } catch (const std::exception& error) {
    EXPECT_THAT(error.what(), HasSubstr("windows must have the shape (batch, 7, 3)"));
  }

  ExportNetwork(saved, Checkpoint::kBest, ExportFormat::kOnnx, folder / "lstm.onnx");
  onnx::ModelProto model;
  ASSERT_TRUE(model.ParseFromString(ReadFile(folder / "lstm.onnx")));
  EXPECT_EQ(Json::parse(model.metadata_props(0).value()), about);
}

TEST(Export, WeightsOfAnotherNetworkAreRefused) {
  const TestFolder folder;
  const fs::path saved = SavedLstm(folder);
  NamedTensors weights = LoadTensors(saved / kBestWeights);
  weights.emplace_back("extra", at::zeros({1}));
  SaveTensors(weights, saved / kBestWeights);
  for (const ExportFormat format : {ExportFormat::kTorchScript, ExportFormat::kOnnx}) {
    EXPECT_THAT(MessageOf([&] { ExportNetwork(saved, Checkpoint::kBest, format, folder / "out"); }),
                HasSubstr("extra: the network has no such tensor"));
    EXPECT_FALSE(fs::exists(folder / "out"));
    EXPECT_NO_THROW(ExportNetwork(saved, Checkpoint::kFinal, format, folder / "out"));
    fs::remove(folder / "out");
  }
  EXPECT_THAT(MessageOf([&] {
                ExportNetwork(folder / "none", Checkpoint::kBest, ExportFormat::kOnnx,
                              folder / "out");
              }),
              HasSubstr("none/network.json"));
}

// What Python's state_dict() of an exported network holds can be imported.
TEST(Export, TorchScriptHasTheWeightsByName) {
  for (const Architecture architecture : kEveryArchitecture) {
    SCOPED_TRACE(Name(architecture));
    const Case one = RandomCase(architecture, 1);
    std::istringstream stream(TorchScriptOf(one.source));
    const torch::jit::Module module = torch::jit::load(stream);
    NamedTensors state;
    for (const auto& weight : module.named_parameters())
      state.emplace_back(weight.name, weight.value);
    for (const auto& buffer : module.named_buffers()) state.emplace_back(buffer.name, buffer.value);
    const NamedTensors matched = MatchStateDict(state, one.source.weights, {});
    ASSERT_EQ(matched.size(), one.source.weights.size());
    for (size_t i = 0; i < matched.size(); ++i) {
      EXPECT_TRUE(at::equal(matched[i].second, one.source.weights[i].second)) << matched[i].first;
    }
  }
}

// A description that forgets a tensor is noticed in every export.
TEST(Export, EveryTensorMustBeUsed) {
  Case one = RandomCase(Architecture::kDnn, 1);
  one.source.weights.emplace_back("forgotten", at::zeros({1}));
  EXPECT_THAT(MessageOf([&] { OnnxOf(one.source); }), HasSubstr("forgotten"));
  EXPECT_THAT(MessageOf([&] { TorchScriptOf(one.source); }), HasSubstr("forgotten"));
  one.source.weights.clear();
  EXPECT_THAT(MessageOf([&] { OnnxOf(one.source); }), HasSubstr("no such tensor"));
}

}  // namespace
}  // namespace almanac::neural
