// almanac models export and import: networks as files of other programs.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "almanac/base/error.h"
#include "almanac/base/hash.h"
#include "almanac/base/json_file.h"
#include "almanac/base/text.h"
#include "almanac/cli/model_commands.h"
#include "almanac/neural/host/module.h"
#include "almanac/neural/host/pretrained_network.h"

namespace almanac {
namespace fs = std::filesystem;
namespace {

constexpr const char* kNetworkFile = "network.json";

struct ExportFlags {
  fs::path folder, out;
  std::string format, checkpoint = "best";
};

struct ImportFlags {
  fs::path state_dict, like, out;
  std::vector<std::string> renames;
};

// The saved network's folder; that of the artifact or of the model around it will do.
fs::path NetworkFolder(const fs::path& folder) {
  for (const fs::path& place : {folder, folder / "model"}) {
    if (fs::exists(place / kNetworkFile)) return place;
  }
  throw Error(ErrorCode::kUsage, folder.string(), "is no saved network: it has no network.json",
              "name the folder that almanac train prints after \"model:\"");
}

int RunExport(const ExportFlags& flags, const Invocation& invocation) {
  const fs::path folder = NetworkFolder(flags.folder);
  Networks().Export(folder, flags.checkpoint == "final" ? Checkpoint::kFinal : Checkpoint::kBest,
                    flags.format == "onnx" ? ExportFormat::kOnnx : ExportFormat::kTorchScript,
                    flags.out);
  const Json network = ReadJsonFile(folder / kNetworkFile, "expected a saved network");
  const Json& shape = network.at("shape");
  const auto bytes = fs::file_size(flags.out);
  invocation.Say(fmt::format(
      "{} ({} weights) as {}: {}, {} bytes; windows (batch, {}, {}) to forecasts (batch, {}, {})",
      network.at("kind").get<std::string>(), flags.checkpoint, flags.format, flags.out.string(),
      FormatCount(static_cast<int64_t>(bytes)), shape.at("steps").get<int64_t>(),
      shape.at("features").get<int64_t>(), shape.at("horizons").get<int64_t>(),
      shape.at("outputs").get<int64_t>()));
  invocation.PrintJson({{"network", folder.string()},
                        {"model_type", flags.checkpoint},
                        {"format", flags.format},
                        {"file", flags.out.string()},
                        {"bytes", bytes},
                        {"sha256", Sha256OfFile(flags.out)},
                        {"shape", shape}});
  return 0;
}

std::vector<std::pair<std::string, std::string>> ReadRenames(
    const std::vector<std::string>& texts) {
  std::vector<std::pair<std::string, std::string>> renames;
  for (const std::string& text : texts) {
    const size_t middle = text.find('=');
    if (middle == std::string::npos || middle == 0) {
      throw Error(ErrorCode::kUsage, "--rename " + text, "is not OLD=NEW",
                  "give a prefix and what takes its place, such as encoder.=gru.");
    }
    renames.emplace_back(text.substr(0, middle), text.substr(middle + 1));
  }
  return renames;
}

int RunImport(const ImportFlags& flags, const Invocation& invocation) {
  Networks().Import({flags.state_dict,
                     fs::is_directory(flags.like) ? NetworkFolder(flags.like) : flags.like,
                     flags.out, ReadRenames(flags.renames)});
  const Json network = ReadJsonFile(flags.out / kNetworkFile, "expected a saved network");
  invocation.Say(fmt::format("{} with {} parameters from {}: {}",
                             network.at("kind").get<std::string>(),
                             FormatCount(network.at("parameters").get<int64_t>()),
                             flags.state_dict.string(), flags.out.string()));
  const std::string digest = NetworkDigest(flags.out);
  invocation.Say(fmt::format("in a recipe: {{kind: {}, folder: {}, sha256: {}}}", kPretrained,
                             flags.out.string(), digest));
  invocation.PrintJson({{"network", flags.out.string()},
                        {"kind", network.at("kind")},
                        {"parameters", network.at("parameters")},
                        {"shape", network.at("shape")},
                        {"sha256", digest},
                        {"imported", network.at("training").at("imported")}});
  return 0;
}

}  // namespace

void AddNetworkFileCommands(CLI::App& models, Invocation& invocation) {
  const auto out = std::make_shared<ExportFlags>();
  CLI::App* write =
      models.add_subcommand("export", "A trained network as a file that runs without almanac");
  write->add_option("FOLDER", out->folder, "Of the saved network; almanac train prints it")
      ->required();
  write->add_option("--format", out->format, "torchscript or onnx")
      ->required()
      ->check(CLI::IsMember({"torchscript", "onnx"}));
  write->add_option("--out", out->out, "The file")->required();
  write->add_option("--model-type", out->checkpoint, "Weights: best or final")
      ->check(CLI::IsMember({"best", "final"}))
      ->capture_default_str();
  write->callback([out, &invocation] {
    invocation.uses_home = false;
    invocation.action = [out, &invocation] { return RunExport(*out, invocation); };
  });

  const auto in = std::make_shared<ImportFlags>();
  CLI::App* read = models.add_subcommand("import", "A PyTorch state dict as a saved network");
  read->add_option("STATE_DICT", in->state_dict, "Of torch.save, or a safetensors file")
      ->required();
  read->add_option("--like", in->like, "A saved network's folder, or a description (YAML)")
      ->required();
  read->add_option("--out", in->out, "The saved network's folder; must not exist")->required();
  read->add_option("--rename", in->renames, "OLD=NEW: replaces a prefix of tensors' names");
  read->callback([in, &invocation] {
    invocation.uses_home = false;
    invocation.action = [in, &invocation] { return RunImport(*in, invocation); };
  });
}

}  // namespace almanac
