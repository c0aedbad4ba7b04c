#include "almanac/pipeline/pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "almanac/base/cancel.h"
#include "almanac/base/config.h"
#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/log.h"
#include "almanac/base/text.h"
#include "almanac/base/time.h"
#include "almanac/lake/partition_path.h"
#include "almanac/pipeline/code_version.h"
#include "almanac/pipeline/stage_run.h"

namespace almanac {
namespace fs = std::filesystem;
namespace {

constexpr size_t kRunDigits = 12;

struct StageInfo {
  std::string name;
  std::vector<std::string> needs;
  std::vector<std::string_view> rooms;  // whose code can change what it makes
};

// In the order in which they run.
const std::vector<StageInfo>& Stages() {
  static const std::vector<StageInfo> kStages = {
      {"collect", {}, {}},
      {"audit", {"collect"}, {"base", "market", "lake"}},
      {"features", {"audit"}, {"base", "market", "lake", "feature"}},
      {"dataset", {"features"}, {"base", "market", "lake", "feature", "target", "dataset"}},
      {"train",
       {"dataset"},
       {"base", "market", "lake", "feature", "target", "dataset", "forecast", "gbdt", "neural"}},
      {"evaluate",
       {"train"},
       {"base", "market", "lake", "feature", "target", "dataset", "forecast", "gbdt", "neural",
        "evaluate"}},
      {"trials", {"evaluate"}, {}},
      {"backtest",
       {"trials"},
       {"base", "market", "lake", "feature", "target", "dataset", "forecast", "gbdt", "neural",
        "evaluate", "backtest"}},
      {"report",
       {"backtest"},
       {"base", "market", "lake", "feature", "target", "dataset", "forecast", "gbdt", "neural",
        "registry", "evaluate", "backtest", "report", "pipeline"}},
  };
  return kStages;
}

const StageInfo& InfoOf(std::string_view name) {
  const auto found = std::find_if(Stages().begin(), Stages().end(),
                                  [&](const StageInfo& stage) { return stage.name == name; });
  return *found;
}

void CheckStageName(const std::string& flag, const std::string& name) {
  const std::vector<std::string>& names = StageNames();
  if (std::find(names.begin(), names.end(), name) != names.end()) return;
  const auto near = NearestWord(name, names);
  throw Error(ErrorCode::kUsage, flag + " " + name, "there is no such stage",
              near ? "did you mean \"" + *near + "\"?"
                   : fmt::format("the stages are {}", fmt::join(names, ", ")));
}

size_t PositionOf(std::string_view stage) {
  const auto& names = StageNames();
  return static_cast<size_t>(std::find(names.begin(), names.end(), stage) - names.begin());
}

// What a report's artifact holds for people.
std::vector<fs::path> ReportFiles(const fs::path& artifact) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(artifact)) {
    if (entry.path().filename() != "manifest.json") files.push_back(entry.path());
  }
  return files;
}

bool HasCopies(const fs::path& artifact, const fs::path& folder) {
  const std::vector<fs::path> files = ReportFiles(artifact);
  return std::all_of(files.begin(), files.end(), [&](const fs::path& file) {
    std::error_code error;
    return fs::file_size(folder / file.filename(), error) == fs::file_size(file) && !error;
  });
}

// Ends the run in the registry as what it became, also when an Error passes through.
class RunEnd {
 public:
  RunEnd(const Home& home, std::string id, const bool& begun)
      : home_(home), id_(std::move(id)), begun_(begun) {}
  void Finish(RunStatus status) const {
    if (begun_) Registry(home_.registry()).FinishRun(id_, status, Now());
  }

 private:
  const Home& home_;
  std::string id_;
  const bool& begun_;
};

}  // namespace

const std::vector<std::string>& StageNames() {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> names;
    for (const StageInfo& stage : Stages()) names.push_back(stage.name);
    return names;
  }();
  return kNames;
}

StageRun::StageRun(const Recipe& recipe, const Home& home, const RunOptions& options,
                   Progress& progress)
    : recipe_(recipe),
      home_(home),
      options_(options),
      progress_(progress),
      store_(home),
      candles_(home),
      run_id_(recipe.name + "-" + recipe.hash.substr(0, kRunDigits)) {
  FindSymbols();
}

void StageRun::FindSymbols() {
  std::vector<SeriesKey> keys;
  for (const std::string& symbol : recipe_.data.AllSymbols()) {
    keys.push_back(recipe_.data.KeyOf(symbol));
  }
  if (keys.empty()) {
    const auto& data = recipe_.data;
    for (const SeriesInfo& info : candles_.List()) {
      if (info.key.market == data.market && info.key.timeframe == data.timeframe) {
        keys.push_back(info.key);
      }
    }
    if (keys.empty()) {
      throw Error(ErrorCode::kBadData, "data.symbols",
                  "the lake has no " + data.timeframe.name() + " bars of market " + data.market,
                  "import them; almanac data show lists what there is");
    }
  }
  for (const SeriesKey& key : keys) {
    symbols_.emplace_back();
    symbols_.back().key = key;
  }
  if (!recipe_.data.panel) {
    // The frame's other symbols are there to be read.
    const std::vector<std::string>& forecast = recipe_.data.symbols;
    for (SymbolState& state : symbols_) {
      const auto found = std::find(forecast.begin(), forecast.end(), state.key.symbol);
      if (forecast.empty() || found != forecast.end()) judged_.push_back(&state);
    }
    return;
  }
  panel_.emplace();
  panel_->key = {recipe_.data.market, "panel", recipe_.data.timeframe};
  for (SymbolState& state : symbols_) panel_->members.push_back(&state);
  judged_ = {&*panel_};
}

bool StageRun::IsForced(std::string_view stage) const {
  for (const std::string& forced : options_.force) {
    if (forced == stage) return true;
  }
  const std::vector<std::string>& needs = InfoOf(stage).needs;
  return std::any_of(needs.begin(), needs.end(),
                     [&](const std::string& need) { return IsForced(need); });
}

ArtifactKey StageRun::KeyOf(std::string_view stage, std::string configuration) const {
  ArtifactKey key;
  key.stage = stage;
  key.configuration = std::move(configuration);
  key.code_version = CodeVersionOf(InfoOf(stage).rooms);
  return key;
}

void StageRun::Note(std::string_view stage, const std::string& detail, StageStatus status,
                    const std::string& result) {
  stages_.push_back({std::string(stage), detail, status, {}, result});
}

void StageRun::EnsureRunBegun() {
  if (begun_) return;
  RunRecord record;
  record.id = run_id_;
  record.recipe_name = recipe_.name;
  record.recipe_hash = recipe_.hash;
  record.code_version = ProgramVersion();
  record.started = Now();
  Registry(home_.registry()).BeginRun(record);
  begun_ = true;
}

void StageRun::Make(const ArtifactKey& key, const std::string& detail, const Write& write) {
  CheckCancel();
  StageReport report{key.stage, detail, StageStatus::kComplete, FolderOf(key), ""};
  const bool complete = store_.IsComplete(key) && !IsForced(key.stage);
  if (options_.dry_run) {
    report.status = complete ? StageStatus::kComplete : StageStatus::kToDo;
  } else if (!complete) {
    EnsureRunBegun();
    if (IsForced(key.stage)) store_.Remove(key);
    if (!one_step_) {
      progress_.Begin(key.stage + (detail.empty() ? "" : " " + detail), 0);
    } else {
      if (!one_step_begun_) {
        progress_.Begin(key.stage, static_cast<int64_t>(symbols_.size()));
        one_step_begun_ = true;
      }
      progress_.Note(detail);
    }
    const auto made =
        store_.Make(key, [&](const fs::path& folder) { report.result = write(folder); });
    report.status = made.made_now ? StageStatus::kMade : StageStatus::kComplete;
    if (!one_step_) progress_.End(made.made_now ? report.result : "made by another process");
    Log(LogLevel::kInfo, "stage",
        {{"run", run_id_},
         {"stage", key.stage},
         {"of", detail},
         {"artifact", key.Hash()},
         {"result", report.result}});
  }
  stages_.push_back(std::move(report));
}

void StageRun::ForEachSymbol(void (StageRun::*step)(SymbolState&)) {
  // Fewer have a line each, which says what was made of it.
  constexpr size_t kLinesOfTheirOwn = 8;
  one_step_ = symbols_.size() > kLinesOfTheirOwn;
  one_step_begun_ = false;
  int64_t made = 0;
  for (SymbolState& state : symbols_) {
    (this->*step)(state);
    made += stages_.back().status == StageStatus::kMade ? 1 : 0;
    if (one_step_begun_) progress_.Advance(1);
  }
  if (one_step_begun_) {
    progress_.End(fmt::format("{} of {} symbols made", FormatCount(made),
                              FormatCount(static_cast<int64_t>(symbols_.size()))));
  }
  one_step_ = false;
}

RunResult StageRun::Run() {
  const size_t last = options_.until.empty() ? Stages().size() - 1 : PositionOf(options_.until);
  const auto wanted = [&](std::string_view stage) { return PositionOf(stage) <= last; };
  RunResult result;
  result.run_id = run_id_;
  result.folder = home_.runs() / run_id_;
  const RunEnd end(home_, run_id_, begun_);
  try {
    Collect();
    const bool known = stages_.back().status == StageStatus::kComplete || !options_.dry_run;
    if (known) ReadCandles();
    using Step = void (StageRun::*)(SymbolState&);
    const std::pair<std::string_view, Step> steps[] = {
        {"audit", &StageRun::AuditStage},       {"features", &StageRun::FeaturesStage},
        {"dataset", &StageRun::DatasetStage},   {"train", &StageRun::TrainStage},
        {"evaluate", &StageRun::EvaluateStage}, {"trials", &StageRun::TrialsStage},
        {"backtest", &StageRun::BacktestStage}, {"report", &StageRun::ReportStage},
    };
    for (const auto& [stage, step] : steps) {
      if (!wanted(stage)) continue;
      if (!known) {
        Note(stage, "", StageStatus::kUnknown, "");
        continue;
      }
      const bool for_each_symbol =
          stage == "audit" || (stage == "features" && recipe_.data.frame.empty());
      if (for_each_symbol) {
        ForEachSymbol(step);
      } else {
        for (SymbolState* state : judged_) (this->*step)(*state);
      }
    }
    result.stages = stages_;
    result.did_nothing = std::all_of(stages_.begin(), stages_.end(), [](const StageReport& stage) {
      return stage.status == StageStatus::kComplete;
    });
    if (!options_.dry_run && wanted("report")) WriteRunFolder(result);
  } catch (const Error& error) {
    end.Finish(error.code() == ErrorCode::kInterrupted ? RunStatus::kInterrupted
                                                       : RunStatus::kFailed);
    throw;
  } catch (...) {
    end.Finish(RunStatus::kFailed);
    throw;
  }
  end.Finish(RunStatus::kDone);
  return result;
}

fs::path StageRun::SubfolderOf(const SymbolState& state) const {
  // As the lake names it: BTC/USD would be two folders, /etc a place outside.
  return judged_.size() == 1 ? fs::path() : fs::path(EscapePartition(state.key.symbol));
}

void StageRun::WriteRunFolder(RunResult& result) {
  Json record = {{"run", run_id_},
                 {"recipe", recipe_.name},
                 {"recipe_hash", recipe_.hash},
                 {"code_version", ProgramVersion()},
                 {"stages", Json::array()}};
  for (const StageReport& stage : stages_) {
    if (stage.artifact.empty()) continue;
    record["stages"].push_back({{"stage", stage.stage},
                                {"detail", stage.detail},
                                {"artifact", stage.artifact.filename().string()}});
  }
  const std::string text = record.dump(2) + "\n";
  const bool same =
      fs::exists(result.folder / "run.json") && ReadFile(result.folder / "run.json") == text &&
      std::all_of(judged_.begin(), judged_.end(), [&](const SymbolState* state) {
        return HasCopies(FolderOf(state->report), result.folder / SubfolderOf(*state));
      });
  if (!same) {
    AtomicFolder folder(result.folder);
    for (const SymbolState* state : judged_) {
      const fs::path target = folder.staging() / SubfolderOf(*state);
      fs::create_directories(target);
      for (const fs::path& file : ReportFiles(FolderOf(state->report))) {
        fs::copy_file(file, target / file.filename());
      }
    }
    WriteFileAtomic(folder.staging() / "recipe.yaml", recipe_.text);
    WriteFileAtomic(folder.staging() / "run.json", text);
    folder.Commit();
  }
  for (const SymbolState* state : judged_) {
    const fs::path folder = result.folder / SubfolderOf(*state);
    result.reports.push_back(folder / "report.html");
    result.summary += ReadFile(folder / "summary.txt");
    result.results.emplace_back(state->key.symbol, ReadFile(folder / "results.json"));
  }
}

RunResult RunRecipe(const Recipe& recipe, const Home& home, const RunOptions& options,
                    Progress& progress) {
  for (const std::string& stage : options.force) CheckStageName("--force", stage);
  if (!options.until.empty()) CheckStageName("--until", options.until);
  if (!options.dry_run) {
    RemoveStaleTemporaries(home.artifacts());
    RemoveStaleTemporaries(home.runs());
    RemoveStaleTemporaries(home.temporary());
  }
  return StageRun(recipe, home, options, progress).Run();
}

}  // namespace almanac
