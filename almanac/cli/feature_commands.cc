// almanac features list | build | bins | audit.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/text.h"
#include "almanac/cli/command.h"
#include "almanac/cli/feature_bins.h"
#include "almanac/cli/recipe_flags.h"
#include "almanac/feature/audit.h"
#include "almanac/feature/build.h"
#include "almanac/feature/feature_set.h"
#include "almanac/feature/frame.h"
#include "almanac/feature/role.h"
#include "almanac/lake/candle_store.h"
#include "almanac/lake/matrix.h"
#include "almanac/lake/partition_path.h"
#include "almanac/market/fill.h"
#include "almanac/pipeline/feature_frame.h"
#include "almanac/pipeline/recipe.h"

namespace almanac {
namespace {

constexpr size_t kListWidth = 100;

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

// `text` in lines of at most kListWidth columns unless a word is longer, each after `indent`; the
// first after `first`.
std::string Wrapped(const std::string& first, const std::string& indent, std::string_view text) {
  std::string lines, line = first;
  bool is_empty = true;
  for (const std::string_view word : Split(text, ' ')) {
    if (!is_empty && line.size() + 1 + word.size() > kListWidth) {
      lines += line + "\n";
      line = indent;
      is_empty = true;
    }
    line += (is_empty ? "" : " ") + std::string(word);
    is_empty = false;
  }
  return lines + line + "\n";
}

// What is known of a family or column in a few lines: its name and facts, then its formula.
std::string EntryText(const std::string& name, const std::vector<std::string>& facts,
                      const std::string& formula) {
  const std::string indent = "    ";
  return Wrapped(name + ": ", indent, fmt::format("{}", fmt::join(facts, "; "))) +
         Wrapped(indent, indent, formula);
}

std::string BarsOf(const FeatureInfo& info) {
  const std::string bars = info.look_back == 1 ? "bar" : "bars";
  return info.spec.timeframe ? bars + " of " + info.timeframe : bars;
}

int ListFamilies(const std::string& family, const Invocation& invocation) {
  Json document = Json::array();
  std::string text;
  for (const FamilyInfo& info : Catalogue()) {
    if (!IsWanted(info, family)) continue;
    document.push_back(ToJson(info));
    text += EntryText(info.name, {info.group, info.unit, info.range, info.look_back}, info.formula);
  }
  invocation.Say(text);
  invocation.PrintJson(document);
  return 0;
}

// The names of the families that `family` means.
std::set<std::string> FamiliesOf(const std::string& family) {
  RequireKnownFamily(family);
  std::set<std::string> names;
  for (const FamilyInfo& info : Catalogue()) {
    if (IsWanted(info, family)) names.insert(info.name);
  }
  return names;
}

int ListColumns(const FeatureSet& set, const std::string& family, const Invocation& invocation) {
  const std::set<std::string> wanted = FamiliesOf(family);
  Json document = Json::array();
  std::string text;
  for (const FeatureInfo& info : set.Columns()) {
    if (!wanted.contains(info.spec.family)) continue;
    document.push_back(ToJson(info));
    const std::string bars = FormatCount(info.look_back) + (info.unbounded_memory ? "+" : "");
    const std::string role(Name(RoleOf(info.spec)));
    text += EntryText(info.name,
                      {info.unit, info.range, bars + " " + BarsOf(info), info.known_at, role},
                      info.formula);
  }
  invocation.Say(text);
  invocation.PrintJson(document);
  return 0;
}

// A shipped set on a frame of symbols, instead of a recipe.
struct SetFlags {
  std::string name;
  std::vector<std::string> symbols;
  std::string market, timeframe, from, to;
};

// `--set NAME` is a shipped set, `--set KEY=VALUE` replaces a value of the recipe.
void TakeSet(RecipeFlags& flags, SetFlags& set) {
  const auto is_name = [](const std::string& text) { return text.find('=') == std::string::npos; };
  for (const std::string& text : flags.sets) {
    if (!is_name(text)) continue;
    if (!set.name.empty()) {
      throw Error(ErrorCode::kUsage, "--set " + text, "--set " + set.name + " is given too",
                  "name one set");
    }
    set.name = text;
  }
  std::erase_if(flags.sets, is_name);
  if (set.name.empty() == flags.file.empty()) {
    throw Error(ErrorCode::kUsage, set.name.empty() ? "features" : "--set " + set.name,
                set.name.empty() ? "neither a recipe nor a set" : "a recipe is given too",
                "give either a recipe, or --set with the name of a shipped set");
  }
}

TimeMs TimeOf(const char* flag, const std::string& text, TimeMs otherwise) {
  if (text.empty()) return otherwise;
  if (const auto time = ParseTime(text)) return *time;
  throw Error(ErrorCode::kUsage, std::string(flag) + " " + text, "not a time",
              "give a date or a time such as 2024-01-31T12:00:00Z");
}

// The series of the lake that the flags mean.
SeriesKey KeyOf(const SetFlags& flags, const std::string& symbol,
                const std::vector<SeriesInfo>& series) {
  const Timeframe timeframe = Timeframe::Parse(flags.timeframe);
  std::vector<SeriesKey> found;
  for (const SeriesInfo& info : series) {
    const bool market = flags.market.empty() || info.key.market == flags.market;
    if (market && info.key.symbol == symbol && info.key.timeframe == timeframe) {
      found.push_back(info.key);
    }
  }
  if (found.size() == 1) return found.front();
  std::vector<std::string> markets;
  for (const SeriesKey& key : found) markets.push_back(key.market);
  throw Error(ErrorCode::kBadData, symbol + " " + timeframe.name(),
              found.empty() ? "the lake has no such bars" : "several markets have such bars",
              found.empty() ? std::string("almanac data show lists what there is")
                            : fmt::format("give --market, one of {}", fmt::join(markets, ", ")));
}

Frame ReadFrame(const SetFlags& flags, const Home& home) {
  if (flags.symbols.empty()) {
    throw Error(ErrorCode::kUsage, "--set " + flags.name, "of no symbols",
                "give them: --symbols BTCUSDT,ETHUSDT");
  }
  const CandleStore store(home);
  const std::vector<SeriesInfo> known = store.List();
  std::vector<CandleSeries> series;
  for (const std::string& symbol : flags.symbols) {
    series.push_back(store.Read(KeyOf(flags, symbol, known), TimeOf("--from", flags.from, kMinTime),
                                TimeOf("--to", flags.to, kMaxTime)));
  }
  const Calendar& calendar = CalendarOfMarket(series.front().key.market);
  return Frame(std::move(series), FrameRows::kUnion,
               &calendar == &AlwaysOpenCalendar() ? nullptr : &calendar);
}

// The columns of the set for the flags' symbols, of one family or group alone if it is named.
FeatureSet SetOf(const SetFlags& flags, const std::string& family) {
  const FeatureSet set = FeatureSet::Named(flags.name, flags.symbols);
  const std::set<std::string> wanted = FamiliesOf(family);
  std::vector<FeatureSpec> specs;
  for (const FeatureSpec& spec : set.specs()) {
    if (wanted.contains(spec.family)) specs.push_back(spec);
  }
  if (!specs.empty()) return FeatureSet(std::move(specs));
  throw Error(ErrorCode::kUsage, "--family " + family, "the set has no column of it",
              "almanac features list --set " + flags.name + " lists its columns");
}

// The columns of a recipe or of a shipped set, or the families that there are.
int List(RecipeFlags flags, SetFlags set, const std::string& family, const Invocation& invocation) {
  RequireKnownFamily(family);
  if (flags.file.empty() && flags.sets.empty()) return ListFamilies(family, invocation);
  TakeSet(flags, set);
  if (!set.name.empty()) {
    return ListColumns(set.symbols.empty() ? FeatureSet::Named(set.name)
                                           : FeatureSet::Named(set.name, set.symbols),
                       family, invocation);
  }
  const Recipe recipe = LoadRecipe(flags.file, ToConfigOptions(flags), invocation.home());
  return ListColumns(
      recipe.data.frame.empty() ? recipe.features : recipe.features.BoundTo(recipe.data.frame),
      family, invocation);
}

// The frames whose columns a recipe's models see: one for all of its symbols, or one for each.
std::vector<Frame> FramesOf(const Recipe& recipe, const Home& home) {
  std::vector<std::vector<std::string>> groups;
  for (const std::string& symbol : recipe.data.symbols) groups.push_back({symbol});
  if (!recipe.data.frame.empty()) groups = {recipe.data.frame};
  std::vector<Frame> frames;
  for (const std::vector<std::string>& symbols : groups) {
    std::vector<CandleSeries> series;
    for (const std::string& symbol : symbols) {
      const CandleSeries raw =
          CandleStore(home).Read(recipe.data.KeyOf(symbol), recipe.data.from, recipe.data.to);
      series.push_back(Fill(raw, recipe.data.fill, *recipe.data.calendar).series);
    }
    frames.push_back(FeatureFrame(std::move(series), recipe.data.calendar,
                                  ObservationsFor(recipe.features, symbols, home)));
  }
  return frames;
}

std::string SymbolsText(const Frame& frame) {
  return fmt::format("{}", fmt::join(frame.key().symbols(), ","));
}

void SayMatrix(const Frame& frame, const FeatureSet& set, size_t rows,
               const std::filesystem::path& folder, const Invocation& invocation) {
  invocation.Say(fmt::format("{}: {} columns x {} rows in {}", ToString(frame.key()), set.size(),
                             FormatCount(static_cast<int64_t>(rows)), folder.string()));
}

Json MatrixJson(const Frame& frame, const FeatureSet& set, size_t rows,
                const std::filesystem::path& folder) {
  return {{"symbols", frame.key().symbols()},
          {"folder", folder.string()},
          {"columns", set.size()},
          {"rows", rows}};
}

int BuildRecipe(const RecipeFlags& flags, const std::filesystem::path& out,
                Invocation& invocation) {
  const Recipe recipe = LoadRecipe(flags.file, ToConfigOptions(flags), invocation.home());
  Json document = Json::array();
  for (const Frame& frame : FramesOf(recipe, invocation.home())) {
    const FeatureSet set = recipe.features.BoundTo(frame.key().symbols());
    const std::filesystem::path target =
        out / (frame.symbols() == 1 ? EscapePartition(SymbolsText(frame)) : "frame");
    AtomicFolder folder(target);
    const size_t rows = WriteFeatures(set, frame, folder.staging(), invocation.progress());
    folder.Commit();
    document.push_back(MatrixJson(frame, set, rows, target));
    if (frame.symbols() == 1) document.back()["symbol"] = SymbolsText(frame);
    SayMatrix(frame, set, rows, target, invocation);
  }
  invocation.PrintJson(document);
  return 0;
}

int BuildSet(const SetFlags& flags, const std::string& family, const std::filesystem::path& out,
             Invocation& invocation) {
  const Frame frame = ReadFrame(flags, invocation.home());
  const FeatureSet set = SetOf(flags, family).BoundTo(frame.key().symbols());
  AtomicFolder folder(out);
  const size_t rows = WriteFeatures(set, frame, folder.staging(), invocation.progress());
  folder.Commit();
  SayMatrix(frame, set, rows, out, invocation);
  invocation.PrintJson(MatrixJson(frame, set, rows, out));
  return 0;
}

// The audit as JSON after saying that it passed; fails if it did not.
Json Report(const LeakAudit& audit, const FrameKey& key, const Invocation& invocation) {
  Json entry = {{"symbol", fmt::format("{}", fmt::join(key.symbols(), ","))}};
  entry.update(ToJson(audit));
  if (!audit.passed()) {
    invocation.PrintJson(Json::array({entry}));
    RequireNoLeak(audit, key);
  }
  invocation.Say(fmt::format(
      "{}: {} columns x {} rows at {} cuts: no value changes when the future is taken away",
      ToString(key), audit.columns, FormatCount(static_cast<int64_t>(audit.rows)),
      audit.cuts.size()));
  return entry;
}

int AuditRecipe(const RecipeFlags& flags, int64_t cuts, const Invocation& invocation) {
  const Recipe recipe = LoadRecipe(flags.file, ToConfigOptions(flags), invocation.home());
  LeakAuditOptions options = recipe.leak_audit;
  if (cuts > 0) options.cuts = static_cast<size_t>(cuts);
  Json document = Json::array();
  for (const Frame& frame : FramesOf(recipe, invocation.home())) {
    const LeakAudit audit = AuditFeatures(recipe.features, frame, options);
    document.push_back(Report(audit, frame.key(), invocation));
  }
  invocation.PrintJson(document);
  return 0;
}

int AuditSet(const SetFlags& flags, const std::string& family, int64_t cuts,
             const Invocation& invocation) {
  const Frame frame = ReadFrame(flags, invocation.home());
  LeakAuditOptions options;
  if (cuts > 0) options.cuts = static_cast<size_t>(cuts);
  const LeakAudit audit = AuditFeatures(SetOf(flags, family), frame, options);
  invocation.PrintJson(Json::array({Report(audit, frame.key(), invocation)}));
  return 0;
}

// What `build` and `audit` share: a recipe, or a set and the frame that it is computed for.
struct SourceFlags {
  RecipeFlags recipe;
  SetFlags set;
  std::string family;
};

void AddSourceFlags(CLI::App& command, SourceFlags& flags) {
  AddRecipeFlags(command, flags.recipe, /*required=*/false);
  command.get_option("--set")->description(
      "A shipped set instead of a recipe; KEY.SUBKEY=VALUE replaces a value of the recipe");
  command.add_option("--symbols", flags.set.symbols, "The set's symbols, as BTCUSDT,ETHUSDT")
      ->delimiter(',');
  command.add_option("--family", flags.family,
                     "Of the set only this family, or this group of families");
}

void AddBarFlags(CLI::App& command, SetFlags& flags) {
  flags.timeframe = "5m";
  command.add_option("--market", flags.market, "Where the set's bars are from (if several are)");
  command.add_option("--timeframe", flags.timeframe, "The set's bars")->capture_default_str();
  command.add_option("--from", flags.from, "The set's bars from this time on (ISO 8601, UTC)");
  command.add_option("--to", flags.to, "The set's bars before this time");
}

}  // namespace

void RegisterFeatureCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* features =
      app.add_subcommand("features", "Features: catalogue, build, bins, leak audit");
  features->require_subcommand(1);

  const auto listed = std::make_shared<SourceFlags>();
  CLI::App* list =
      features->add_subcommand("list", "The families, or the columns of a recipe or a set");
  AddSourceFlags(*list, *listed);
  list->callback([listed, &invocation] {
    invocation.action = [=, &invocation] {
      return List(listed->recipe, listed->set, listed->family, invocation);
    };
  });

  const auto built = std::make_shared<SourceFlags>();
  const auto out = std::make_shared<std::filesystem::path>();
  CLI::App* build = features->add_subcommand("build", "Write the matrices of a recipe or a set");
  AddSourceFlags(*build, *built);
  AddBarFlags(*build, built->set);
  build->add_option("--out", *out, "Folder; each symbol of a recipe gets one in it")->required();
  build->callback([built, out, &invocation] {
    invocation.action = [=, &invocation] {
      TakeSet(built->recipe, built->set);
      return built->set.name.empty() ? BuildRecipe(built->recipe, *out, invocation)
                                     : BuildSet(built->set, built->family, *out, invocation);
    };
  });

  const auto binned = std::make_shared<SourceFlags>();
  const auto bins = std::make_shared<FeatureBinFlags>();
  const auto bins_out = std::make_shared<std::filesystem::path>();
  CLI::App* bin = features->add_subcommand("bins", "Prune a set's columns and write them as bins");
  AddSourceFlags(*bin, *binned);
  AddBarFlags(*bin, binned->set);
  AddFeatureBinFlags(*bin, *bins);
  bin->add_option("--out", *bins_out, "Folder for columns.bins and report.json")->required();
  bin->callback([binned, bins, bins_out, &invocation] {
    invocation.action = [=, &invocation] {
      TakeSet(binned->recipe, binned->set);
      if (binned->set.name.empty()) {
        throw Error(ErrorCode::kUsage, "features bins", "bins are made of a shipped set",
                    "name it with --set");
      }
      return BuildFeatureBins(SetOf(binned->set, binned->family),
                              ReadFrame(binned->set, invocation.home()), *bins, *bins_out,
                              invocation);
    };
  });

  const auto audited = std::make_shared<SourceFlags>();
  const auto cuts = std::make_shared<int64_t>(0);
  CLI::App* audit = features->add_subcommand("audit", "Truncate history and recompute: no leak?");
  AddSourceFlags(*audit, *audited);
  AddBarFlags(*audit, audited->set);
  audit->add_option("--cuts", *cuts, "How many (the recipe's, or 5)")
      ->check(CLI::Range(1, 1000000));
  audit->callback([audited, cuts, &invocation] {
    invocation.action = [=, &invocation] {
      TakeSet(audited->recipe, audited->set);
      return audited->set.name.empty() ? AuditRecipe(audited->recipe, *cuts, invocation)
                                       : AuditSet(audited->set, audited->family, *cuts, invocation);
    };
  });
}

}  // namespace almanac
