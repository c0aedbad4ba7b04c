// Boosted trees on real features: what a way of training costs in held-out log loss and average
// precision beside another, over swing targets and seeds. The features are those of a screening
// (`almanac gbdt screen RECIPE` leaves them in HOME/screens/NAME/bins/columns.bins), the candles
// those of its home.
//
//   gbdt_real_bench home=DIR bins=FILE [key=value ...] try=... [try=...]
//     variants=6   targets, evenly spread over those of look-backs 2 and 3
//     seeds=4      of bagging, of the features of a tree, of screening
//     threads=2    market=binance-spot  timeframe=5m
//     try=[key=value,...]  a way of training, on top of the other parameters; the first is what the
//                  others are compared with. `exact` is one, too.
//     key=value    a parameter of all trainings; the defaults are those of the sweep's screening
//                  with feature_fraction 0.7
//
// A target's events are parted by time: 60 % to learn from, 20 % for early stopping, 20 % to judge.
// What is judged is the model cut at its best round. Differences are means over targets; the noise
// is the standard deviation of such a mean between seeds, of the first way alone.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "almanac/base/home.h"
#include "almanac/base/parallel.h"
#include "almanac/dataset/bin_file.h"
#include "almanac/gbdt/metric.h"
#include "almanac/gbdt/train.h"
#include "almanac/lake/candle_store.h"
#include "almanac/target/any_target.h"
#include "almanac/target/swing_grid.h"
#include "arguments.h"
#include "clock.h"

namespace almanac::gbdt {
namespace {

using bench::CpuSeconds;

constexpr size_t kClasses = 3;

struct Options {
  std::string home, bins, market = "binance-spot", timeframe = "5m";
  size_t variants = 6, seeds = 4;
  int threads = 2;
  std::vector<std::string> tries;
  std::map<std::string, std::string> settings = {
      {"objective", "multiclass"}, {"num_class", "3"},          {"num_leaves", "30"},
      {"max_depth", "5"},          {"num_iterations", "100"},   {"early_stopping_round", "20"},
      {"first_metric_only", "1"},  {"feature_fraction", "0.7"}, {"bagging_fraction", "0.8"},
      {"bagging_freq", "5"}};
};

struct Part {
  std::vector<uint32_t> rows;
  std::vector<float> label;
};

struct Target {
  std::string name;
  Part learn, stop, judge;
};

Target TargetOf(const Options& options, const SwingVariant& variant, const BinFile& file) {
  const CandleStore store(Home{options.home});
  const CandleSeries series =
      store.Read({options.market, variant.symbol, Timeframe::Parse(options.timeframe)});
  const Labels labels = BuildLabels(variant.spec, series);
  struct Event {
    uint32_t row;
    TimeMs end;
    float label;
  };
  std::vector<Event> events;
  const std::span<const TimeMs> times = file.times();
  for (size_t l = 0; l < labels.rows(); ++l) {
    const auto row = std::lower_bound(times.begin(), times.end(), labels.t0[l]);
    if (row == times.end() || *row != labels.t0[l] || std::isnan(labels.value[l])) continue;
    events.push_back({static_cast<uint32_t>(row - times.begin()), labels.t1[l],
                      static_cast<float>(labels.value[l])});
  }
  Target target{variant.Name(), {}, {}, {}};
  const size_t first = events.size() * 6 / 10, second = events.size() * 8 / 10;
  const auto take = [&](Part& part, size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      // What looks into the next part is left out.
      if (end < events.size() && events[i].end >= times[events[end].row]) continue;
      part.rows.push_back(events[i].row);
      part.label.push_back(events[i].label);
    }
  };
  take(target.learn, 0, first);
  take(target.stop, first, second);
  take(target.judge, second, events.size());
  return target;
}

std::vector<Target> MakeTargets(const Options& options, const BinFile& file) {
  SwingGridSpec spec;
  spec.symbols = {"BTCUSDT", "ETHUSDT", "SOLUSDT"};
  spec.look_backs = {2, 3};
  const SwingGrid grid = ExpandSwingGrid(spec);
  std::vector<Target> targets;
  for (size_t v = 0; v < options.variants; ++v) {
    // From the middle of each part of the grid.
    const size_t place = (2 * v + 1) * grid.variants.size() / (2 * options.variants);
    targets.push_back(TargetOf(options, grid.variants[place], file));
    fmt::print("{}: {} rows to learn from, {} to judge\n", targets.back().name,
               targets.back().learn.rows.size(), targets.back().judge.rows.size());
  }
  return targets;
}

// The mean over classes of the average precision of each against the others.
double MeanPrecision(std::span<const double> predictions, const Targets& targets) {
  double sum = 0;
  for (size_t k = 0; k < kClasses; ++k) {
    std::vector<float> is_class;
    for (const float label : targets.label) is_class.push_back(label == static_cast<float>(k));
    sum += Evaluate("average_precision", predictions.subspan(k * targets.rows(), targets.rows()),
                    {is_class, {}}, {});
  }
  return sum / kClasses;
}

struct Result {
  double log_loss = 0, precision = 0, rounds = 0, cpu = 0;
};

Result TrainOne(const Options& options, const std::string& way, size_t seed, const BinnedData& all,
                const Target& target) {
  std::map<std::string, std::string> settings = options.settings;
  settings["seed"] = std::to_string(seed);
  bool is_exact = false;
  for (size_t at = 0; at < way.size();) {
    const size_t end = std::min(way.find(',', at), way.size());
    const std::string word = way.substr(at, end - at);
    const size_t equals = word.find('=');
    is_exact |= word == "exact";
    if (equals != std::string::npos) settings[word.substr(0, equals)] = word.substr(equals + 1);
    at = end + 1;
  }
  Params params = Params::Parse({settings.begin(), settings.end()}, "bench");
  params.exact = is_exact;
  const BinnedData learn = all.Subset(target.learn.rows), stop = all.Subset(target.stop.rows),
                   judge = all.Subset(target.judge.rows);
  TrainOptions with;
  with.metrics = {{"precision", MeanPrecision, true}};
  const double before = CpuSeconds();
  const TrainResult trained =
      Train(params, learn, {target.learn.label, {}},
            {{"stop", stop, {target.stop.label, {}}},
             {"judge", judge, {target.judge.label, {}}, /*can_stop=*/false}},
            with);
  Result result;
  result.cpu = CpuSeconds() - before;
  result.rounds = static_cast<double>(trained.evaluations[0].values.size());
  const auto best = static_cast<size_t>(std::max(1, trained.best_round)) - 1;
  result.log_loss = trained.evaluations[2].values[best];
  result.precision = trained.evaluations[3].values[best];
  return result;
}

struct Spread {
  double mean = 0, deviation = 0;  // between seeds
};

Spread SpreadOf(const std::vector<double>& values) {
  Spread spread;
  const auto count = static_cast<double>(values.size());
  for (const double value : values) spread.mean += value / count;
  for (const double value : values) spread.deviation += std::pow(value - spread.mean, 2);
  spread.deviation = std::sqrt(spread.deviation / std::max(1.0, count - 1));
  return spread;
}

// Means over the targets, by seed.
using BySeed = std::vector<Result>;

Spread Of(const BySeed& results, const BySeed& than, double Result::*field) {
  std::vector<double> values;
  for (size_t s = 0; s < results.size(); ++s) {
    values.push_back(results[s].*field - (than.empty() ? 0 : than[s].*field));
  }
  return SpreadOf(values);
}

void Print(const std::string& way, const BySeed& results, const BySeed& first) {
  const Spread loss = Of(results, {}, &Result::log_loss),
               more = Of(results, first, &Result::log_loss);
  const Spread precision = Of(results, {}, &Result::precision);
  const Spread better = Of(results, first, &Result::precision);
  const double rounds = Of(results, {}, &Result::rounds).mean;
  const double error = std::sqrt(static_cast<double>(results.size()));
  fmt::print(
      "{:<52} {:.5f} {:.5f} {:+.5f} +- {:.5f}  {:.4f} {:.4f} {:+.4f} +- {:.4f}  {:5.1f} {:8.4f}\n",
      way.empty() ? "all" : way, loss.mean, loss.deviation, more.mean, more.deviation / error,
      precision.mean, precision.deviation, better.mean, better.deviation / error, rounds,
      Of(results, {}, &Result::cpu).mean / rounds);
  std::fflush(stdout);
}

void Run(const Options& options) {
  SetThreadCount(options.threads);
  const auto file = std::make_shared<const BinFile>(options.bins);
  const std::vector<Target> targets = MakeTargets(options, *file);
  const Params params = Params::Parse({options.settings.begin(), options.settings.end()}, "bench");
  const BinnedData all = BinnedData::FromFile(file, params, 0, file->rows());
  fmt::print(
      "{} columns, {} seeds\n{:<52} log loss, noise, difference  precision, noise, difference  "
      "rounds, CPU s a round\n",
      all.features(), options.seeds, "");
  BySeed first;
  for (const std::string& way : options.tries) {
    BySeed results(options.seeds);
    for (size_t s = 0; s < options.seeds; ++s) {
      for (const Target& target : targets) {
        const Result one = TrainOne(options, way, s + 1, all, target);
        const double share = 1.0 / static_cast<double>(targets.size());
        for (double Result::*field :
             {&Result::log_loss, &Result::precision, &Result::rounds, &Result::cpu}) {
          results[s].*field += share * one.*field;
        }
      }
    }
    if (first.empty()) first = results;
    Print(way, results, first);
  }
}

Options ParseOptions(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto [key, value] = bench::KeyAndValue(word);
    std::map<std::string, std::string*> texts = {{"home", &options.home},
                                                 {"bins", &options.bins},
                                                 {"market", &options.market},
                                                 {"timeframe", &options.timeframe}};
    if (texts.contains(key)) {
      *texts[key] = value;
    } else if (key == "variants") {
      options.variants = std::stoul(value);
    } else if (key == "seeds") {
      options.seeds = std::stoul(value);
    } else if (key == "threads") {
      options.threads = std::stoi(value);
    } else if (key == "try") {
      options.tries.push_back(value);
    } else {
      options.settings[key] = value;
    }
  }
  if (options.home.empty() || options.bins.empty()) {
    throw std::runtime_error("give home=DIR and bins=FILE of a screening");
  }
  if (options.tries.empty()) {
    options.tries = {"", "feature_screen=100", "feature_screen=100,feature_screen_freq=3", "exact"};
  }
  return options;
}

}  // namespace
}  // namespace almanac::gbdt

int main(int argc, char** argv) {
  try {
    almanac::gbdt::Run(almanac::gbdt::ParseOptions(argc, argv));
  } catch (const std::exception& error) {
    std::fputs(fmt::format("gbdt_real_bench: {}\n", error.what()).c_str(), stderr);
    return 1;
  }
  return 0;
}
