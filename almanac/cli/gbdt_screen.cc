#include "almanac/cli/gbdt_screen.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "almanac/base/config.h"
#include "almanac/base/error.h"
#include "almanac/base/hash.h"
#include "almanac/base/text.h"
#include "almanac/cli/feature_bins.h"
#include "almanac/cli/recipe_flags.h"
#include "almanac/dataset/memory_use.h"
#include "almanac/gbdt/config_file.h"
#include "almanac/gbdt/screen.h"
#include "almanac/lake/candle_store.h"
#include "almanac/pipeline/code_version.h"
#include "almanac/registry/registry.h"
#include "almanac/target/any_target.h"
#include "almanac/target/swing_grid.h"

namespace almanac {
namespace fs = std::filesystem;
namespace {

// What a sweep's recipe says about its screening.
struct Sweep {
  std::string name, hash, market, set;
  Timeframe timeframe;
  TimeMs from = kMinTime, to = kMaxTime;
  FeatureBinFlags bins;
  SwingGridSpec grid;
  gbdt::ScreenSpec screen;
};

gbdt::ScreenSpec ScreenFromConfig(const ConfigNode& node) {
  const auto count = [&](const char* key, size_t otherwise) {
    return static_cast<size_t>(
        node.Int(key, static_cast<int64_t>(otherwise), Range<int64_t>::AtLeast(1)));
  };
  gbdt::ScreenSpec spec;
  spec.most_rows = count("most_rows", spec.most_rows);
  spec.least_rows = count("least_rows", spec.least_rows);
  spec.validation_share = node.Double("validation", spec.validation_share, Range<double>::Any());
  spec.best_columns = count("best_columns", spec.best_columns);
  spec.least_chosen = count("least_chosen", spec.least_chosen);
  spec.most_chosen = count("most_chosen", spec.most_chosen);
  spec.chosen_share = node.Double("chosen_share", spec.chosen_share, Range<double>::Between(0, 1));
  spec.embargo = node.Duration("embargo", 0);
  gbdt::Settings settings = {{"objective", "multiclass"}, {"num_class", "3"},
                             {"num_leaves", "30"},        {"max_depth", "5"},
                             {"num_iterations", "100"},   {"early_stopping_round", "20"}};
  for (const auto& given : gbdt::SettingsFromJson(node.OptionalMap("parameters").ToJson())) {
    const std::string_view name = gbdt::CanonicalParameter(given.first);
    std::erase_if(settings, [&](const auto& setting) { return setting.first == name; });
    settings.push_back(given);
  }
  spec.params = gbdt::Params::Parse(settings, node.Place("parameters"));
  spec.params.exact = node.Bool("exact", false);
  if (spec.params.objective != "multiclass" || spec.params.num_class != 3) {
    throw Error(ErrorCode::kUsage, node.Place("parameters"), "swing targets have three classes",
                "leave objective and num_class out");
  }
  spec.Check();
  return spec;
}

Sweep ReadSweep(const RecipeFlags& flags) {
  const ConfigDocument document = ConfigDocument::Load(flags.file, ToConfigOptions(flags));
  const ConfigNode root = document.root();
  Sweep sweep;
  sweep.name = root.String("name");
  root.String("title", "");
  root.String("description", "");
  const ConfigNode data = root.Map("data"), features = root.Map("features");
  sweep.market = data.String("market");
  sweep.timeframe = Timeframe::Parse(data.String("timeframe"));
  sweep.from = data.Time("from", kMinTime);
  sweep.to = data.Time("to", kMaxTime);
  sweep.set = features.String("set");
  sweep.bins.memory = features.String("memory", sweep.bins.memory);
  const ConfigNode split = root.OptionalMap("split");
  sweep.bins.validation = split.Double("validation", sweep.bins.validation, Range<double>::Any());
  sweep.bins.test = split.Double("test", sweep.bins.test, Range<double>::Any());
  sweep.grid = SwingGridSpec::FromConfig(root.Map("grid"));
  sweep.screen = ScreenFromConfig(root.OptionalMap("screen"));
  sweep.screen.memory = ParseMemory(sweep.bins.memory);
  document.RefuseUnknownKeys();
  sweep.hash = Sha256(document.ToJson().dump());
  return sweep;
}

class ScreenRun {
 public:
  ScreenRun(Sweep sweep, size_t variants, fs::path folder, Invocation& invocation)
      : sweep_(std::move(sweep)),
        grid_(ExpandSwingGrid(sweep_.grid)),
        folder_(std::move(folder)),
        invocation_(invocation) {
    const size_t all = grid_.variants.size();
    count_ = variants == 0 ? all : std::min(variants, all);
  }

  int Run() {
    ReadBars();
    MakeBins();
    const auto start = std::chrono::steady_clock::now();
    const std::clock_t processor_start = std::clock();
    BeginRun();
    invocation_.progress().Begin("screening", static_cast<int64_t>(count_));
    const gbdt::Selection selection = gbdt::Screen(
        sweep_.screen, file_, count_, [&](size_t i) { return VariantAt(i); }, folder_,
        [&](size_t i, const gbdt::ScreenVariant& variant, const gbdt::VariantResult& result,
            bool was_there) { OnDone(i, variant, result, was_there); });
    invocation_.progress().End(fmt::format("{} columns", selection.columns.size()));
    Registry(home_.registry()).FinishRun(run_id_, RunStatus::kDone, Now());
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
    Report(selection, wall.count(),
           static_cast<double>(std::clock() - processor_start) / CLOCKS_PER_SEC);
    return 0;
  }

 private:
  void ReadBars() {
    const CandleStore store(home_);
    for (const std::string& symbol : sweep_.grid.symbols) {
      series_.push_back(
          store.Read({sweep_.market, symbol, sweep_.timeframe}, sweep_.from, sweep_.to));
    }
  }

  void MakeBins() {
    const Frame frame(std::vector<CandleSeries>(series_), FrameRows::kUnion, nullptr);
    const FeatureSet set = FeatureSet::Named(sweep_.set, sweep_.grid.symbols);
    Invocation quiet;  // the file's own report is not this command's result
    quiet.home_flag = invocation_.home_flag;
    quiet.quiet = true;
    BuildFeatureBins(set, frame, sweep_.bins, folder_ / "bins", quiet);
    file_ = std::make_shared<const BinFile>(folder_ / "bins" / "columns.bins");
    const Json description = file_->description();
    dataset_ = Sha256(description.dump());
    config_ = Sha256(sweep_.screen.ToJson().dump());
    const Json configuration = description.at("configuration");
    const auto from = ParseTime(configuration.at("split").at("validation_from").get<std::string>());
    learn_before_ = from.value_or(kMaxTime);
  }

  // Evenly spread over the grid where not all are asked for.
  const SwingVariant& SwingAt(size_t i) const {
    return grid_.variants[i * grid_.variants.size() / count_];
  }

  gbdt::ScreenVariant VariantAt(size_t i) const {
    const SwingVariant& swing = SwingAt(i);
    const auto place =
        std::find(sweep_.grid.symbols.begin(), sweep_.grid.symbols.end(), swing.symbol);
    const Labels labels =
        BuildLabels(swing.spec, series_[static_cast<size_t>(place - sweep_.grid.symbols.begin())]);
    gbdt::ScreenVariant variant{swing.Name(), grid_.groups[swing.group], {}, {}, {}};
    const std::span<const TimeMs> times = file_->times();
    for (size_t l = 0; l < labels.rows(); ++l) {
      // Only what the columns were judged on: later rows belong to the models' own judgement.
      if (labels.t1[l] + sweep_.screen.embargo >= learn_before_) continue;
      const auto row = std::lower_bound(times.begin(), times.end(), labels.t0[l]);
      if (row == times.end() || *row != labels.t0[l] || std::isnan(labels.value[l])) continue;
      variant.rows.push_back(static_cast<uint32_t>(row - times.begin()));
      variant.end.push_back(labels.t1[l]);
      variant.label.push_back(static_cast<float>(labels.value[l]));
    }
    return variant;
  }

  void BeginRun() {
    run_id_ = "screen-" + Sha256(sweep_.hash + folder_.string()).substr(0, 16);
    RunRecord run;
    run.id = run_id_;
    run.recipe_name = sweep_.name;
    run.recipe_hash = sweep_.hash;
    run.code_version = ProgramVersion();
    run.started = Now();
    Registry(home_.registry()).BeginRun(run);
  }

  void OnDone(size_t i, const gbdt::ScreenVariant& variant, const gbdt::VariantResult& result,
              bool was_there) {
    invocation_.progress().Note(variant.name);
    invocation_.progress().Advance(static_cast<int64_t>(++done_));
    if (was_there) ++were_there_;
    rows_ += result.rows;
    better_ += result.left_out.empty() && result.metric < result.naive_metric ? 1 : 0;
    rounds_ += result.rounds;
    if (!result.left_out.empty()) return;
    const SwingVariant& swing = SwingAt(i);
    TrialRecord trial;
    trial.key.problem = ToString(SeriesKey{sweep_.market, swing.symbol, sweep_.timeframe}) + " " +
                        ToJson(AnyTarget(swing.spec)).dump();
    trial.key.dataset = dataset_;
    trial.key.config = config_;
    trial.run_id = run_id_;
    trial.model = "gbdt-screen";
    trial.metrics_json = Json{
        {sweep_.screen.params.metric[0], result.metric},
        {"naive", result.naive_metric},
        {"rounds",
         result.rounds}}.dump();
    trial.recorded = Now();
    Registry(home_.registry()).RecordTrial(trial);
  }

  // The columns that gain most.
  void SayBest(const gbdt::Selection& selection) const {
    constexpr size_t kShown = 10;
    TextTable table({"column", ">of the gain", ">among the best"});
    for (size_t i = 0; i < std::min(kShown, selection.columns.size()); ++i) {
      const gbdt::ChosenColumn& column = selection.columns[i];
      table.AddRow({file_->column(column.column).name, fmt::format("{:.2f} %", 100 * column.score),
                    fmt::format("{} of {}", column.variants, selection.trained)});
    }
    invocation_.Say(table.Render());
  }

  void Report(const gbdt::Selection& selection, double wall, double processor) const {
    const auto made = static_cast<double>(count_ - were_there_);
    const auto trained = static_cast<double>(std::max<size_t>(1, selection.trained));
    Json document = selection.ToJson(*file_);
    document["folder"] = folder_.string();
    document["variants_that_were_there"] = were_there_;
    document["better_than_naive"] = better_;
    document["wall_seconds"] = wall;
    document["processor_seconds"] = processor;
    document["peak_memory"] = ReadMemoryUse().peak;
    invocation_.PrintJson(document);
    SayBest(selection);
    invocation_.Say(fmt::format(
        "{} of {} variants ({} were there), {} left out; {:.0f} rows and {:.1f} rounds on the mean",
        count_, grid_.variants.size(), were_there_, selection.left_out,
        static_cast<double>(rows_) / static_cast<double>(count_), rounds_ / trained));
    invocation_.Say(fmt::format(
        "{} of {} columns: {:.1f} % of the gain of the {} that were among the best {} of a variant",
        selection.columns.size(), file_->columns(), 100 * selection.held_share,
        selection.seen_columns, sweep_.screen.best_columns));
    if (selection.held_share < sweep_.screen.chosen_share) {
      invocation_.Say(fmt::format("more would be needed to hold {:.1f} %: most_chosen is {}",
                                  100 * sweep_.screen.chosen_share, sweep_.screen.most_chosen));
    }
    invocation_.Say(fmt::format(
        "stability {:.3f} over all variants, {:.3f} inside groups (1: the same columns, 0: as by "
        "chance)",
        selection.stability, selection.group_stability));
    invocation_.Say(fmt::format("{} of {} models are better than their classes' shares", better_,
                                selection.trained));
    if (made > 0) {
      const auto all = static_cast<double>(grid_.variants.size());
      invocation_.Say(fmt::format(
          "{:.1f} s, {:.1f} s of the processors: {:.2f} s a variant, {:.1f} hours of the "
          "processors for all {}; peak memory {}",
          wall, processor, processor / made, processor / made * all / 3600, grid_.variants.size(),
          FormatBytes(static_cast<int64_t>(ReadMemoryUse().peak))));
    }
    invocation_.Say((folder_ / "selection.json").string());
  }

  const Sweep sweep_;
  const SwingGrid grid_;
  fs::path folder_;
  Invocation& invocation_;
  Home home_ = invocation_.home();
  size_t count_ = 0, done_ = 0, were_there_ = 0, rows_ = 0, better_ = 0;
  double rounds_ = 0;
  std::vector<CandleSeries> series_;
  std::shared_ptr<const BinFile> file_;
  TimeMs learn_before_ = kMaxTime;
  std::string run_id_, dataset_, config_;  // the last two of all trials
};

struct ScreenFlags {
  RecipeFlags recipe;
  int64_t variants = 0;
  std::string out;
};

}  // namespace

void AddGbdtScreen(CLI::App& gbdt, Invocation& invocation) {
  const auto flags = std::make_shared<ScreenFlags>();
  CLI::App* screen =
      gbdt.add_subcommand("screen", "Choose columns over a recipe's grid of swing targets");
  AddRecipeFlags(*screen, flags->recipe);
  screen
      ->add_option("--variants", flags->variants, "Only so many of the grid's, evenly spread (all)")
      ->check(CLI::PositiveNumber);
  screen->add_option("--out", flags->out, "The folder of the results (HOME/screens/NAME)");
  screen->callback([flags, &invocation] {
    invocation.action = [flags, &invocation] {
      Sweep sweep = ReadSweep(flags->recipe);
      const fs::path folder = flags->out.empty() ? invocation.home().root / "screens" / sweep.name
                                                 : fs::path(flags->out);
      return ScreenRun(std::move(sweep), static_cast<size_t>(flags->variants), folder, invocation)
          .Run();
    };
  });
}

}  // namespace almanac
