#include "almanac/neural/import.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "almanac/base/config.h"
#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/hash.h"
#include "almanac/base/json_file.h"
#include "almanac/neural/network.h"
#include "almanac/neural/saved_network.h"
#include "almanac/neural/state_dict.h"
#include "almanac/neural/tensor_file.h"

namespace almanac::neural {
namespace fs = std::filesystem;
namespace {

constexpr int64_t kMostHorizons = 100000;

Json ReadColumns(const ConfigNode& node) {
  Json columns = Json::array();
  std::set<std::string> names;
  for (const ConfigNode& feature : node.Maps("features")) {
    const std::string name = feature.String("name");
    if (!names.insert(name).second) {
      throw Error(ErrorCode::kUsage, feature.Place("name"), name + " was listed before",
                  "list each feature once, in the network's order");
    }
    columns.push_back({{"name", name},
                       {"mean", feature.Double("mean", 0, Range<double>::Any())},
                       {"scale", feature.Double("scale", 1, Range<double>::Above(0))}});
  }
  if (columns.empty()) {
    throw Error(ErrorCode::kUsage, node.Place("features"), "there is none",
                "list the features with name, mean and scale, in the network's order");
  }
  return columns;
}

Json ReadTarget(const ConfigNode& node) {
  return {{"name", node.String("name", "target")},
          {"unit", node.String("unit", "")},
          {"classes", node.Strings("classes", {})},
          {"scale",
           {{"mean", node.Double("mean", 0, Range<double>::Any())},
            {"scale", node.Double("scale", 1, Range<double>::Above(0))}}}};
}

// What network.json would hold of the network that a description describes.
Json FromDescription(const fs::path& file) {
  const ConfigDocument document = ConfigDocument::Load(file);
  const ConfigNode root = document.root();
  const ConfigNode model = root.Map("model");
  model.Choice("kind", ArchitectureNames());
  const NetworkOptions options = NetworkOptions::FromConfig(model);
  const Json columns = ReadColumns(root);
  const ConfigNode target = root.OptionalMap("target");
  const Json target_json = ReadTarget(target);
  const auto classes = target_json.at("classes").get<std::vector<std::string>>();
  options.CheckTarget(classes);
  const bool is_tft = options.architecture == Architecture::kTft;
  const std::vector<std::string> symbols = root.Strings("symbols", {""});
  const NetworkShape shape{
      options.steps,
      static_cast<int64_t>(columns.size()),
      target.Int("horizons", 1, Range<int64_t>::Between(1, kMostHorizons)),
      static_cast<int64_t>(std::max<size_t>({1, options.quantiles.size(), classes.size()})),
      is_tft ? static_cast<int64_t>(kKnownInputs) : 0,
      is_tft ? static_cast<int64_t>(symbols.size()) : 1};
  RowCalendar calendar;
  calendar.spacing = root.Duration("bar", 0);
  calendar.days.fill(true);
  document.RefuseUnknownKeys();
  return {{"kind", Name(options.architecture)},
          {"options", options.ToJson()},
          {"shape", ToJson(shape)},
          {"target", target_json},
          {"data", {{"hash", ""}, {"calendar", calendar.ToJson()}, {"symbols", symbols}}},
          {"scaler", {{"kind", "standard"}, {"rows", 0}, {"dropped", 0}, {"columns", columns}}}};
}

SavedNetwork Parse(const Json& json, const fs::path& like) {
  try {
    return ParseSavedNetwork(json);
  } catch (const Error& error) {
    throw error.Within(like.string());
  }
}

NamedTensors ReadWeights(const ImportRequest& request, const NamedTensors& wanted) {
  const NamedTensors state = LoadStateDict(request.state_dict);
  try {
    return MatchStateDict(state, wanted, request.renames);
  } catch (const Error& error) {
    throw error.Within(request.state_dict.string());
  }
}

// network.json of the network to come, but for what is told by its weights.
Json ReadLike(const fs::path& like) {
  if (!fs::is_directory(like)) return FromDescription(like);
  Json json = ReadJsonFile(like / kNetworkFile, "expected a saved network");
  // It was not trained on that data.
  if (json.contains("data")) json["data"]["hash"] = "";
  return json;
}

}  // namespace

void ImportNetwork(const ImportRequest& request) {
  if (fs::exists(request.folder)) {
    throw Error(ErrorCode::kUsage, request.folder.string(), "exists already",
                "name another folder");
  }
  try {
    Json json = ReadLike(request.like);
    json["training"] = {{"imported",
                         {{"file", request.state_dict.filename().string()},
                          {"sha256", Sha256OfFile(request.state_dict)}}}};
    const SavedNetwork saved = Parse(json, request.like);
    const auto network = MakeNetwork(saved.options, saved.shape);
    json["parameters"] = network->parameters().Count();
    const NamedTensors weights = ReadWeights(request, network->parameters().Snapshot());
    AtomicFolder folder(request.folder);
    WriteJsonFile(folder.staging() / kNetworkFile, json);
    SaveTensors(weights, folder.staging() / kBestWeights);
    SaveTensors(weights, folder.staging() / kFinalWeights);
    folder.Commit();
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::kBadData, request.like.string(), error.what(),
                "expected a saved network or a description of one");
  } catch (const c10::Error& error) {
    throw Error(ErrorCode::kBadData, request.like.string(),
                std::string("its sizes make no network: ") + error.what_without_backtrace(),
                "expected a saved network or a description of one");
  }
}

}  // namespace almanac::neural
