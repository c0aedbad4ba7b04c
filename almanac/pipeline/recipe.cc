#include "almanac/pipeline/recipe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "almanac/base/error.h"
#include "almanac/base/hash.h"
#include "almanac/forecast/conformal.h"
#include "almanac/gbdt/gbdt_forecaster.h"
#include "almanac/neural/host/network_options.h"
#include "almanac/neural/host/network_proxy.h"
#include "almanac/neural/host/pretrained_network.h"
#include "almanac/pipeline/yaml_text.h"
#include "almanac/source/collect.h"

namespace almanac {
namespace {

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

// Names become folders and labels.
std::string ReadName(const ConfigNode& node, std::string_view key, const std::string& otherwise) {
  std::string name = otherwise.empty() ? node.String(key) : node.String(key, otherwise);
  constexpr size_t kLongest = 64;
  if (name.empty() || name.size() > kLongest || name.front() == '.' ||
      !std::all_of(name.begin(), name.end(), IsNameCharacter)) {
    throw Error(ErrorCode::kUsage, node.Place(key), "\"" + name + "\" is not a name",
                "use up to 64 letters, digits, '-', '_' and '.'");
  }
  return name;
}

std::vector<ModelSection> ReadModels(const ConfigNode& root, const ForecasterKinds& kinds,
                                     const AnyTarget& target) {
  std::vector<ModelSection> models;
  std::set<std::string> names;
  for (const ConfigNode& node : root.Maps("models")) {
    const std::string kind = node.Choice("kind", kinds.Names());
    ModelSection model{ReadName(node, "name", kind), kind, node, ""};
    if (!names.insert(model.name).second) {
      throw Error(ErrorCode::kUsage, node.Place("name"),
                  "a second model is called \"" + model.name + "\"",
                  "give each model a name of its own");
    }
    // Made once here, so that mistakes in a model's keys come out before anything is run, and its
    // keys count as known. ToJson is not asked before: it would make any key known.
    const auto forecaster = kinds.Make(node);
    try {
      forecaster->CheckTarget(ClassesOf(target));
    } catch (const Error& error) {
      throw error.Within(node.Place());
    }
    models.push_back(std::move(model));
  }
  if (models.empty()) {
    throw Error(ErrorCode::kUsage, root.Place("models"), "names no model",
                "list at least one, such as {kind: ridge}");
  }
  return models;
}

// Whether a shipped set that the recipe names has this column of two symbols.
bool IsOfSet(const ConfigNode& root, const FeatureSpec& spec) {
  for (const ConfigNode& node : root.Maps("features")) {
    if (!node.Has("set")) continue;
    const FeatureSet set = FeatureSet::Named(node.String("set"));
    if (std::find(set.specs().begin(), set.specs().end(), spec) != set.specs().end()) return true;
  }
  return false;
}

// The columns, which must be ones that the recipe's symbols can have. Of a set those of two symbols
// are left out where there is only one.
FeatureSet ReadFeatures(const ConfigNode& root, const DataSection& data) {
  FeatureSet features = FeatureSet::FromConfig(root);
  std::set<std::string> cross;
  for (const FamilyInfo& family : Catalogue()) {
    if (family.two_symbols) cross.insert(family.name);
  }
  if (data.frame.size() < 2) {
    std::vector<FeatureSpec> specs;
    for (const FeatureSpec& spec : features.specs()) {
      const bool of_two = cross.contains(spec.family) && spec.against.empty();
      if (!of_two || !IsOfSet(root, spec)) specs.push_back(spec);
    }
    features = FeatureSet(std::move(specs));
  }
  for (const std::string& symbol : data.symbols) {
    const std::vector<std::string> alone = {symbol};
    try {
      static_cast<void>(features.BoundTo(data.frame.empty() ? alone : data.frame));
    } catch (const Error& error) {
      throw Error(error.code(), root.Place("features"), error.problem(),
                  data.frame.empty() ? "list the symbols whose bars features read in data.frame"
                                     : error.remedy());
    }
  }
  return features;
}

void CheckEveryStep(const ConfigNode& node, const AnyTarget& target,
                    const std::vector<ModelSection>& models) {
  const auto* price = std::get_if<TargetSpec>(&target);
  if (price == nullptr || !price->every_step) return;
  const std::vector<std::string>& networks = ArchitectureNames();
  const auto forecasts_steps = [&](const ModelSection& model) {
    return model.kind == kPretrained ||
           std::find(networks.begin(), networks.end(), model.kind) != networks.end();
  };
  if (std::any_of(models.begin(), models.end(), forecasts_steps)) return;
  throw Error(ErrorCode::kUsage, node.Place("every_step"),
              "none of the models forecasts every step, only networks do",
              "leave it out: the forecast is for the last step");
}

EvaluateSection ReadEvaluate(const ConfigNode& node) {
  EvaluateSection section;
  section.bootstrap.replicates = static_cast<int>(
      node.Int("replicates", section.bootstrap.replicates, Range<int64_t>::Between(0, 100000)));
  section.bootstrap.confidence =
      node.Double("confidence", section.bootstrap.confidence, Range<double>::Between(0.5, 0.999));
  section.bootstrap.seed = static_cast<uint64_t>(node.Int("seed", 1, Range<int64_t>::AtLeast(0)));
  section.bootstrap.block_length =
      node.Double("block_length", section.bootstrap.block_length, Range<double>::AtLeast(0.0));
  section.significance =
      node.Double("significance", section.significance, Range<double>::Between(0.0001, 0.5));
  section.cross_section.buckets =
      static_cast<size_t>(node.Int("buckets", static_cast<int64_t>(section.cross_section.buckets),
                                   Range<int64_t>::Between(2, 100)));
  CheckOptions(section.bootstrap);
  return section;
}

// What is traded must be what is forecast: returns, or the probabilities of up and down.
void CheckTradesTarget(const ConfigNode& node, const BacktestSection& section,
                       const AnyTarget& target) {
  if (section.models.empty()) return;
  if (std::holds_alternative<VolatilitySpec>(target)) {
    throw Error(ErrorCode::kUsage, node.Place(),
                "models of " + ColumnName(target) +
                    " forecast how far the price moves, not which way: there is nothing to trade",
                "leave backtest out, or set models: []");
  }
  const std::vector<std::string> classes = ClassesOf(target);
  const std::string known = fmt::format("{}", fmt::join(classes, ", "));
  const bool probability = section.kind == BacktestKind::kSignal && section.signal.probability;
  if (classes.empty() && probability) {
    throw Error(ErrorCode::kUsage, node.Place("signal"),
                ColumnName(target) + " is a number and gives no probabilities",
                "leave signal out, or take a target of classes such as direction");
  }
  if (classes.empty()) return;
  if (!probability) {
    throw Error(ErrorCode::kUsage, node.Place("models"),
                "models of " + ColumnName(target) + " forecast the probabilities of " + known +
                    ", no return",
                "set kind: signal and signal: probability, or models: []");
  }
  for (const auto& [key, name] : {std::pair<const char*, std::string>{"up", section.signal.up},
                                  {"down", section.signal.down}}) {
    if (std::find(classes.begin(), classes.end(), name) != classes.end()) continue;
    throw Error(ErrorCode::kUsage, node.Place(key),
                "there is no class \"" + name + "\" of " + ColumnName(target),
                "its classes are " + known);
  }
}

BacktestSection ReadBacktest(const ConfigNode& root, const std::vector<ModelSection>& models,
                             const AnyTarget& target, const DataSection& data,
                             const SplitSection& split) {
  const ConfigNode node = root.OptionalMap("backtest");
  std::vector<std::string> names, traded;
  // Probabilities are traded where the recipe says how, volatilities never.
  const bool trades = std::holds_alternative<VolatilitySpec>(target)
                          ? root.Has("backtest")
                          : ClassesOf(target).empty() || node.Has("kind") || node.Has("signal");
  for (const ModelSection& model : models) {
    names.push_back(model.name);
    if (!model.baseline() && trades) traded.push_back(model.name);
  }
  BacktestSection section = ReadBacktestSection(node, names, traded, HorizonOf(target));
  CheckTradesTarget(node, section, target);
  if (section.signal.grid && split.folds) {
    throw Error(ErrorCode::kUsage, node.Place("grid"),
                "a grid is chosen on the validation part, which folds have none of in common",
                "split by shares or dates, or leave the grid out");
  }
  const bool is_panel = section.kind == BacktestKind::kPanel;
  if (is_panel && !data.panel) {
    throw Error(ErrorCode::kUsage, node.Place("kind"), "panel trades symbols against each other",
                "set data.panel: true, so that one model learns from all of them");
  }
  if (section.kind == BacktestKind::kThreshold && data.panel && !section.models.empty()) {
    throw Error(ErrorCode::kUsage, node.Place("kind"),
                "threshold trades one symbol, but the data are a panel",
                "set backtest.kind: panel or signal, or backtest.models: []");
  }
  if (section.signal.has_limits && !data.panel) {
    throw Error(ErrorCode::kUsage, node.Place("limits"),
                "limits hold for several symbols in one account, but each has its own",
                "set data.panel: true, so that they share one");
  }
  return section;
}

ReportSection ReadReport(const ConfigNode& node) {
  ReportSection section;
  section.pictures = node.Bool("pictures", true);
  section.currency = node.String("currency", "USDT");
  return section;
}

}  // namespace

size_t Recipe::NaiveModel() const {
  const auto found = std::find_if(models.begin(), models.end(),
                                  [](const ModelSection& model) { return model.kind == "naive"; });
  return static_cast<size_t>(found - models.begin());
}

Recipe LoadRecipe(const std::filesystem::path& file, const ConfigOptions& options,
                  const Home& home) {
  const auto document = std::make_shared<const ConfigDocument>(ConfigDocument::Load(file, options));
  const ConfigNode root = document->root();
  ForecasterKinds kinds = ForecasterKinds::BuiltIn();
  kinds.Add("gbdt", GbdtForecasterKind());
  AddNetworkKinds(kinds);
  kinds.Add("conformal", ConformalKind(kinds));
  const std::string name = ReadName(root, "name", file.stem().string());
  const std::string title = root.String("title", name);
  const std::string description = root.String("description", "");
  // What `almanac data collect` reads; checked here too, so that a slip in it is found.
  if (root.Has("collect")) ReadCollectConfig(root);
  DataSection data = ReadDataSection(root.Map("data"), home.root);
  FeatureSet features = ReadFeatures(root, data);
  const ConfigNode audit = root.OptionalMap("leak_audit");
  LeakAuditOptions leak_audit;
  leak_audit.cuts = static_cast<size_t>(
      audit.Int("cuts", static_cast<int64_t>(leak_audit.cuts), Range<int64_t>::Between(1, 1000)));
  leak_audit.seed = static_cast<uint64_t>(audit.Int("seed", 1, Range<int64_t>::AtLeast(0)));
  const AnyTarget target = AnyTargetFromConfig(root.Map("target"));
  const SplitSection split = ReadSplitSection(root.OptionalMap("split"));
  std::optional<PruneSpec> prune;
  if (root.Has("prune")) prune = PruneSpec::FromConfig(root.Map("prune"));
  // Every result stands beside the naive forecast, asked for or not.
  const auto naive =
      std::make_shared<const ConfigDocument>(ConfigDocument::Parse("kind: naive", "naive"));
  std::vector<ModelSection> models = ReadModels(root, kinds, target);
  CheckEveryStep(root.Map("target"), target, models);
  if (std::none_of(models.begin(), models.end(),
                   [](const ModelSection& model) { return model.kind == "naive"; })) {
    models.insert(models.begin(), {"naive", "naive", naive->root(), ""});
  }
  const EvaluateSection evaluate = ReadEvaluate(root.OptionalMap("evaluate"));
  BacktestSection backtest = ReadBacktest(root, models, target, data, split);
  ReportSection report = ReadReport(root.OptionalMap("report"));
  document->RefuseUnknownKeys();

  const ConfigNode backtest_node = root.OptionalMap("backtest");
  backtest.configuration = TrialConfiguration(backtest, backtest_node);
  if (backtest.signal.grid) backtest.grid_text = backtest_node.Map("grid").ToJson().dump();
  for (ModelSection& model : models) model.configuration = model.config.ToJson().dump();
  const Json merged = document->ToJson();
  return Recipe{name,
                title,
                description,
                std::move(data),
                std::move(features),
                leak_audit,
                target,
                split,
                prune,
                std::move(models),
                evaluate,
                std::move(backtest),
                std::move(report),
                std::move(kinds),
                ToYamlText(merged),
                Sha256(merged.dump()),
                {document, naive}};
}

}  // namespace almanac
