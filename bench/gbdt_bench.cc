// Boosted trees beside LightGBM and XGBoost in one run: time to bin, time of a round, memory beyond
// the raw matrix, held-out log loss and average precision.
//
//   gbdt_bench [key=value ...]
//     shape=a|b|c|ROWSxCOLUMNS  a: 25000x6000, b: 100000x1000, c: 300000x400; default 20000x1000
//     rounds=20  threads=2  seeds=1
//     lightgbm=PATH  xgboost=PATH  (shared libraries; without them the bench goes on alone)
//     engines=almanac,exact,lightgbm,xgboost
//     against=PROGRAM  another build of this bench, whose almanac and exact then take part, too
//
// Data and parameters are boosting.h's; other keys are parameters of ours. The engines take turns,
// round by round; CPU seconds are those of all threads of one.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <string>
#include <vector>

#include "almanac/base/parallel.h"
#include "almanac/base/text.h"
#include "almanac/gbdt/predictor.h"
#include "arguments.h"
#include "boosting.h"
#include "turns.h"

namespace almanac::bench {
namespace {

struct Options : BoostingOptions {
  Options() { rounds = 20; }

  size_t seeds = 1;
  std::string xgboost, against, engines = "almanac,exact,lightgbm,xgboost";
  std::string plays;  // that of another build: almanac or exact, at these ends of pipes
  int from = -1, to = -1;
  gbdt::Settings extra;
};

// At the end of a training.
struct Outcome {
  double memory = 0;  // beyond what there was before
  Quality quality;
};

class Setting {
 public:
  Setting(const Options& options, uint64_t seed)
      : options_(options),
        seed_(seed),
        train_(MakeMatrix(options.shape.rows, options.shape.columns, 1)),
        test_(MakeMatrix(options.shape.rows / 4, options.shape.columns, 2)) {}

  // A step to bin, and one a round.
  Outcome RunAlmanac(Turns& turns, bool exact) const {
    const double before = Memory("VmRSS");
    SetThreadCount(options_.threads);
    gbdt::Settings settings = SettingsOf(options_.rounds, seed_);
    settings.insert(settings.end(), options_.extra.begin(), options_.extra.end());
    gbdt::Params params = gbdt::Params::Parse(settings, "bench");
    params.exact = exact;
    const auto data = gbdt::BinnedData::Make(SourceOf(train_), params);
    turns.Done();
    gbdt::TrainOptions on;
    on.on_round = [&](int, const std::vector<gbdt::Evaluation>&) { turns.Done(); };
    const gbdt::Model model = Train(params, data, {train_.label, {}}, {}, on).model;
    if (model.trees.size() != static_cast<size_t>(options_.rounds) * kClasses) {
      throw std::runtime_error("training ended before its last round");
    }
    const double memory = Memory("VmHWM") - before;
    const gbdt::Predictor predictor(model);
    return {memory,
            Judge(predictor.PredictAll(SourceOf(test_), gbdt::Output::kTransformed), test_)};
  }

  Outcome RunLightGbm(Turns& turns) const {
    const double before = Memory("VmRSS");
    LightGbm peer(options_.lightgbm);
    peer.Bin(train_, PeerParameters(options_.rounds, seed_, options_.threads));
    turns.Done();
    for (int i = 0; i < options_.rounds; ++i) {
      peer.Round();
      turns.Done();
    }
    return {Memory("VmHWM") - before, Judge(peer.Predict(test_, kClasses), test_)};
  }

  Outcome RunXgBoost(Turns& turns) const {
    const double before = Memory("VmRSS");
    XgBoost peer(options_.xgboost);
    peer.Bin(train_, {{"objective", "multi:softprob"},
                      {"num_class", std::to_string(kClasses)},
                      {"tree_method", "hist"},
                      {"grow_policy", "lossguide"},
                      {"max_leaves", "30"},
                      {"max_depth", "5"},
                      {"max_bin", "255"},
                      {"eta", "0.1"},
                      {"lambda", "0"},
                      {"min_child_weight", "0.001"},
                      {"colsample_bytree", "0.7"},
                      {"subsample", "0.8"},
                      {"seed", std::to_string(seed_)},
                      {"verbosity", "0"},
                      {"nthread", std::to_string(options_.threads)}});
    peer.Round();  // it bins in its first round, which is not counted as one
    turns.Done();
    for (int i = 0; i < options_.rounds; ++i) {
      peer.Round();
      turns.Done();
    }
    return {Memory("VmHWM") - before, Judge(peer.Predict(test_), test_)};
  }

 private:
  const Options& options_;
  uint64_t seed_;
  Matrix train_, test_;
};

struct Engine {
  std::string name;
  Contestant<Outcome> contestant;
  bool has_failed = false;
  Time bin;
  std::vector<Time> rounds;
  Outcome outcome;

  Time Round() const {
    Time sum;
    for (const Time& round : rounds) sum = sum + round;
    return sum * (1.0 / static_cast<double>(rounds.size()));
  }
};

// The engine as another program has it, with the same arguments.
void PlayElsewhere(const Options& options, const std::vector<std::string>& arguments,
                   const std::string& engine, int from, int to) {
  std::vector<std::string> words = {options.against};
  words.insert(words.end(), arguments.begin(), arguments.end());
  words.push_back(fmt::format("plays={},{},{}", engine, from, to));
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  execv(argv[0], argv.data());
  fmt::print(stderr, "  {}: does not start\n", options.against);
}

std::vector<Engine> Start(const Options& options, const std::vector<std::string>& arguments,
                          const Setting& setting) {
  std::vector<Engine> engines;
  const auto start = [&](const std::string& name, const std::function<Outcome(Turns&)>& run) {
    if (options.engines.find(name) == std::string::npos) return;
    engines.push_back({name, Contestant<Outcome>(run), false, {}, {}, {}});
  };
  start("almanac", [&](Turns& turns) { return setting.RunAlmanac(turns, false); });
  start("exact", [&](Turns& turns) { return setting.RunAlmanac(turns, true); });
  for (const std::string engine : {"almanac", "exact"}) {
    const bool takes_part = options.engines.find(engine) != std::string::npos;
    if (options.against.empty() || !takes_part) continue;
    engines.push_back({engine + "'",
                       Contestant<Outcome>([&](int from, int to) {
                         PlayElsewhere(options, arguments, engine, from, to);
                       }),
                       false,
                       {},
                       {},
                       {}});
  }
  if (options.lightgbm.empty()) {
    fmt::print("lightgbm   no library given (lightgbm=PATH): going on without it\n");
  } else {
    start("lightgbm", [&](Turns& turns) { return setting.RunLightGbm(turns); });
  }
  if (options.xgboost.empty()) {
    fmt::print("xgboost    no library given (xgboost=PATH): going on without it\n");
  } else {
    start("xgboost", [&](Turns& turns) { return setting.RunXgBoost(turns); });
  }
  return engines;
}

// Lets all make their steps in turn.
void Run(const Options& options, std::vector<Engine>& engines) {
  for (int step = 0; step <= options.rounds; ++step) {
    for (Engine& engine : engines) {
      if (engine.has_failed) continue;
      const std::optional<Time> time = engine.contestant.Step();
      engine.has_failed = !time.has_value();
      if (engine.has_failed) continue;
      if (step == 0) {
        engine.bin = *time;
      } else {
        engine.rounds.push_back(*time);
      }
    }
  }
  for (Engine& engine : engines) {
    if (engine.has_failed) continue;
    const std::optional<Outcome> outcome = engine.contestant.Finish();
    engine.has_failed = !outcome.has_value();
    if (!engine.has_failed) engine.outcome = *outcome;
  }
}

void Print(const Engine& engine) {
  if (engine.has_failed) {
    fmt::print("{:<10} did not run\n", engine.name);
    return;
  }
  const Time round = engine.Round();
  fmt::print("{:<10} {:>8.2f} {:>8.2f} {:>9.4f} {:>9.4f} {:>8.0f} {:>10.6f} {:>9.5f}\n",
             engine.name, engine.bin.wall, engine.bin.cpu, round.wall, round.cpu,
             engine.outcome.memory / 1e6, engine.outcome.quality.log_loss,
             engine.outcome.quality.precision);
}

// Of the rounds, which were made one after the other.
double MedianRatio(const Engine& theirs, const Engine& ours) {
  std::vector<double> ratios;
  for (size_t i = 0; i < std::min(theirs.rounds.size(), ours.rounds.size()); ++i) {
    ratios.push_back(theirs.rounds[i].wall / ours.rounds[i].wall);
  }
  const auto middle = ratios.begin() + static_cast<std::ptrdiff_t>(ratios.size() / 2);
  std::nth_element(ratios.begin(), middle, ratios.end());
  return *middle;
}

void PrintRatios(const Engine& theirs, const Engine& ours) {
  if (theirs.has_failed || ours.has_failed) return;
  const Time theirs_round = theirs.Round(), our_round = ours.Round();
  fmt::print(
      "{} / {}: binning {:.1f}x ({:.1f}x CPU), round {:.2f}x (median {:.2f}x, {:.2f}x CPU), memory "
      "{:.2f}x\n",
      theirs.name, ours.name, theirs.bin.wall / ours.bin.wall, theirs.bin.cpu / ours.bin.cpu,
      theirs_round.wall / our_round.wall, MedianRatio(theirs, ours),
      theirs_round.cpu / our_round.cpu, theirs.outcome.memory / ours.outcome.memory);
}

void Compare(const Options& options, const std::vector<std::string>& arguments) {
  fmt::print("{} rows x {} columns, {} rounds, {} threads\n", options.shape.rows,
             options.shape.columns, options.rounds, options.threads);
  for (uint64_t seed = 1; seed <= options.seeds; ++seed) {
    const Setting setting(options, seed);
    std::vector<Engine> engines = Start(options, arguments, setting);
    Run(options, engines);
    fmt::print("engine      bin s  CPU s   round s     CPU s   MB more   log loss  precision\n");
    for (const Engine& engine : engines) Print(engine);
    for (const Engine& ours : engines) {
      if (ours.name != "almanac" && ours.name != "exact") continue;
      for (const Engine& theirs : engines) {
        if (&theirs > &ours) PrintRatios(theirs, ours);
      }
    }
  }
}

Options ParseOptions(const std::vector<std::string>& arguments) {
  Options options;
  for (const std::string& word : arguments) {
    const auto [key, value] = KeyAndValue(word);
    if (options.Take(key, value)) continue;
    if (key == "seeds") {
      options.seeds = std::stoul(value);
    } else if (key == "xgboost") {
      options.xgboost = value;
    } else if (key == "engines") {
      options.engines = value;
    } else if (key == "against") {
      options.against = value;
    } else if (key == "plays") {
      const std::vector<std::string_view> words = Split(value, ',');
      options.plays = words.at(0);
      options.from = std::stoi(std::string(words.at(1)));
      options.to = std::stoi(std::string(words.at(2)));
    } else {
      options.extra.emplace_back(key, value);  // a parameter of training
    }
  }
  return options;
}

void Main(const std::vector<std::string>& arguments) {
  const Options options = ParseOptions(arguments);
  if (options.plays.empty()) return Compare(options, arguments);
  const Setting setting(options, 1);
  const auto run = [&](Turns& turns) {
    return setting.RunAlmanac(turns, options.plays == "exact");
  };
  Contestant<Outcome>::Play(run, options.from, options.to);
}

}  // namespace
}  // namespace almanac::bench

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // of an engine that failed
  try {
    almanac::bench::Main({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fputs(fmt::format("gbdt_bench: {}\n", error.what()).c_str(), stderr);
    return 1;
  }
  return 0;
}
