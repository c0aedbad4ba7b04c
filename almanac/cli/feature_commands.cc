// almanac features list | build | audit.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <set>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/text.h"
#include "almanac/cli/command.h"
#include "almanac/cli/recipe_flags.h"
#include "almanac/feature/audit.h"
#include "almanac/feature/build.h"
#include "almanac/feature/feature_set.h"
#include "almanac/lake/candle_store.h"
#include "almanac/lake/matrix.h"
#include "almanac/lake/partition_path.h"
#include "almanac/market/fill.h"
#include "almanac/pipeline/recipe.h"

namespace almanac {
namespace {

bool IsWanted(const FamilyInfo& info, const std::string& family) {
  return family.empty() || info.name == family || info.group == family;
}

void RequireKnownFamily(const std::string& family) {
  std::vector<std::string> names;
  for (const FamilyInfo& info : Catalogue()) {
    if (IsWanted(info, family)) return;
    names.push_back(info.name);
    names.push_back(info.group);
  }
  const auto near = NearestWord(family, names);
  throw Error(ErrorCode::kUsage, "--family " + family, "there is no such family",
              near ? "did you mean \"" + *near + "\"?" : "almanac features list names them");
}

int ListFamilies(const std::string& family, const Invocation& invocation) {
  Json document = Json::array();
  TextTable table({"group", "family", "formula", "unit", "range", "look-back"});
  for (const FamilyInfo& info : Catalogue()) {
    if (!IsWanted(info, family)) continue;
    document.push_back(ToJson(info));
    table.AddRow({info.group, info.name, info.formula, info.unit, info.range, info.look_back});
  }
  invocation.Say(table.Render());
  invocation.PrintJson(document);
  return 0;
}

int ListColumns(const FeatureSet& set, const std::string& family, const Invocation& invocation) {
  std::set<std::string> wanted;
  for (const FamilyInfo& info : Catalogue()) {
    if (IsWanted(info, family)) wanted.insert(info.name);
  }
  Json document = Json::array();
  TextTable table({"column", "formula", "unit", "range", ">look-back", "known at"});
  for (const FeatureInfo& info : set.Columns()) {
    if (!wanted.contains(info.spec.family)) continue;
    document.push_back(ToJson(info));
    table.AddRow({info.name, info.formula, info.unit, info.range,
                  FormatCount(info.look_back) + (info.unbounded_memory ? "+" : ""), info.known_at});
  }
  invocation.Say(table.Render());
  invocation.PrintJson(document);
  return 0;
}

// The columns of a recipe or of a shipped set, or the families that there are.
int List(const RecipeFlags& flags, const std::string& family, const std::string& set,
         const Invocation& invocation) {
  RequireKnownFamily(family);
  if (!set.empty()) {
    if (!flags.file.empty()) {
      throw Error(ErrorCode::kUsage, "--set " + set, "a recipe is given too",
                  "list either the recipe's columns or the set's");
    }
    return ListColumns(FeatureSet::Named(set), family, invocation);
  }
  if (flags.file.empty()) return ListFamilies(family, invocation);
  const Recipe recipe = LoadRecipe(flags.file, ToConfigOptions(flags), invocation.home());
  return ListColumns(recipe.features, family, invocation);
}

CandleSeries ReadSeries(const Recipe& recipe, const SeriesKey& key, const Home& home) {
  const CandleSeries raw = CandleStore(home).Read(key, recipe.data.from, recipe.data.to);
  return Fill(raw, recipe.data.fill, *recipe.data.calendar).series;
}

int Build(const RecipeFlags& flags, const std::filesystem::path& out, Invocation& invocation) {
  const Recipe recipe = LoadRecipe(flags.file, ToConfigOptions(flags), invocation.home());
  Json document = Json::array();
  for (const SeriesKey& key : recipe.data.Keys()) {
    const CandleSeries series = ReadSeries(recipe, key, invocation.home());
    const FeatureTable table = BuildFeatures(recipe.features, series);
    const std::filesystem::path target = out / EscapePartition(key.symbol);
    AtomicFolder folder(target);
    WriteMatrix(folder.staging(), table.index, table.names, table.columns,
                recipe.features.ToJson());
    folder.Commit();
    document.push_back({{"symbol", key.symbol},
                        {"folder", target.string()},
                        {"columns", table.columns.size()},
                        {"rows", table.rows()}});
    invocation.Say(fmt::format("{}: {} columns x {} rows in {}", ToString(key),
                               table.columns.size(),
                               FormatCount(static_cast<int64_t>(table.rows())), target.string()));
  }
  invocation.PrintJson(document);
  return 0;
}

int Audit(const RecipeFlags& flags, int64_t cuts, const Invocation& invocation) {
  const Recipe recipe = LoadRecipe(flags.file, ToConfigOptions(flags), invocation.home());
  LeakAuditOptions options = recipe.leak_audit;
  if (cuts > 0) options.cuts = static_cast<size_t>(cuts);
  Json document = Json::array();
  for (const SeriesKey& key : recipe.data.Keys()) {
    const CandleSeries series = ReadSeries(recipe, key, invocation.home());
    const LeakAudit audit = AuditFeatures(recipe.features, series, options);
    Json entry = {{"symbol", key.symbol}};
    entry.update(ToJson(audit));
    document.push_back(std::move(entry));
    if (audit.passed()) {
      invocation.Say(
          fmt::format("{}: {} columns x {} rows at {} cuts: no value changes when the "
                      "future is taken away",
                      ToString(key), audit.columns, FormatCount(static_cast<int64_t>(audit.rows)),
                      audit.cuts.size()));
    } else {
      invocation.PrintJson(document);
      RequireNoLeak(audit, key);
    }
  }
  invocation.PrintJson(document);
  return 0;
}

}  // namespace

void RegisterFeatureCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* features = app.add_subcommand("features", "Features: catalogue, build, leak audit");
  features->require_subcommand(1);

  const auto listed = std::make_shared<RecipeFlags>();
  const auto family = std::make_shared<std::string>();
  const auto set = std::make_shared<std::string>();
  CLI::App* list =
      features->add_subcommand("list", "The families, or the columns of a recipe or a set");
  AddRecipeFlags(*list, *listed, /*required=*/false);
  list->add_option("--family", *family, "Only this family, or this group of families");
  list->add_option("--set", *set, "The columns of this shipped set");
  list->callback([listed, family, set, &invocation] {
    invocation.action = [=, &invocation] { return List(*listed, *family, *set, invocation); };
  });

  const auto built = std::make_shared<RecipeFlags>();
  const auto out = std::make_shared<std::filesystem::path>();
  CLI::App* build = features->add_subcommand("build", "Write a recipe's feature matrices");
  AddRecipeFlags(*build, *built);
  build->add_option("--out", *out, "Folder; each symbol gets one in it")->required();
  build->callback([built, out, &invocation] {
    invocation.action = [=, &invocation] { return Build(*built, *out, invocation); };
  });

  const auto audited = std::make_shared<RecipeFlags>();
  const auto cuts = std::make_shared<int64_t>(0);
  CLI::App* audit = features->add_subcommand("audit", "Truncate history and recompute: no leak?");
  AddRecipeFlags(*audit, *audited);
  audit->add_option("--cuts", *cuts, "How many (the recipe's)")->check(CLI::Range(1, 1000000));
  audit->callback([audited, cuts, &invocation] {
    invocation.action = [=, &invocation] { return Audit(*audited, *cuts, invocation); };
  });
}

}  // namespace almanac
