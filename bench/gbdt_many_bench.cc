// Many models on rows of their own over one matrix, binned once, with and without feature_screen,
// beside LightGBM, which bins and trains each alone: as one process of all threads or as two that
// share them, whichever is faster.
//
//   gbdt_many_bench [key=value ...]
//     shape=a|b|c|ROWSxCOLUMNS  rows of a variant, about: half of twice as many, drawn for each
//     variants=64  rounds=100  threads=2
//     lightgbm=PATH  (a shared library; without it the bench goes on alone)
//     screen=100  columns of a round
//     made_variants=4  made_rounds=20 (without screening)  peer_rounds=5
//
// What is not made is scaled from what is, and the lines say so; with feature_screen all rounds are
// made, as later ones cost less.
#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "almanac/base/parallel.h"
#include "almanac/gbdt/predictor.h"
#include "almanac/gbdt/train_many.h"
#include "arguments.h"
#include "boosting.h"
#include "turns.h"

namespace almanac::bench {
namespace {

struct Options : BoostingOptions {
  Options() { rounds = 100; }

  size_t variants = 64, made_variants = 4, screen = 100;
  int made_rounds = 20, peer_rounds = 5;
};

// At the end of a training.
struct Outcome {
  double memory = 0, log_loss = 0;
};

// The variants' rows: each half of them, and their labels.
struct VariantRows {
  std::vector<std::vector<uint32_t>> rows;
  std::vector<std::vector<float>> labels;
};

VariantRows DrawRows(const Matrix& all, size_t variants) {
  VariantRows drawn{std::vector<std::vector<uint32_t>>(variants),
                    std::vector<std::vector<float>>(variants)};
  for (size_t v = 0; v < variants; ++v) {
    Random random(v + 1);
    for (uint32_t row = 0; row < all.rows; ++row) {
      if (random.Uniform() >= 0.5) continue;
      drawn.rows[v].push_back(row);
      drawn.labels[v].push_back(all.label[row]);
    }
  }
  return drawn;
}

Matrix RowsOf(const Matrix& all, const VariantRows& drawn, size_t v) {
  Matrix own{drawn.rows[v].size(), all.columns, {}, drawn.labels[v]};
  own.values.reserve(own.rows * own.columns);
  for (size_t c = 0; c < all.columns; ++c) {
    for (const uint32_t row : drawn.rows[v]) own.values.push_back(all.values[c * all.rows + row]);
  }
  return own;
}

struct Data {
  Matrix all, test;
  VariantRows drawn;
};

// Ours are trained so often, at different times: machines are not always equally fast.
constexpr int kTrainings = 3;

// All of the drawn variants over one binned matrix, as many side by side as there are threads: a
// step to bin and one for each training.
Outcome TrainVariants(Turns& turns, const Options& options, int rounds, size_t screen,
                      const Data& data) {
  const double before = Memory("VmRSS");
  SetThreadCount(options.threads);
  std::vector<gbdt::Variant> variants(data.drawn.rows.size());
  for (size_t v = 0; v < variants.size(); ++v) {
    gbdt::Settings settings = SettingsOf(rounds, v + 1);
    if (screen > 0) settings.emplace_back("feature_screen", std::to_string(screen));
    variants[v].params = gbdt::Params::Parse(settings, "bench");
    variants[v].params.exact = false;
    variants[v].rows = data.drawn.rows[v];
    variants[v].targets.label = data.drawn.labels[v];
  }
  const auto binned = gbdt::BinnedData::Make(SourceOf(data.all), variants[0].params);
  turns.Done();
  gbdt::Model first;
  gbdt::TrainManyOptions many;
  many.on_done = [&](size_t v, gbdt::TrainResult result) {
    if (v == 0) first = std::move(result.model);
  };
  for (int i = 0; i < kTrainings; ++i) {
    TrainMany(binned, variants, many);
    turns.Done();
  }
  const double memory = Memory("VmHWM") - before;
  const gbdt::Predictor predictor(first);
  const auto raw = predictor.PredictAll(SourceOf(data.test), gbdt::Output::kTransformed);
  return {memory, Judge(raw, data.test).log_loss};
}

// One of our ways to train them.
class Ours {
 public:
  Ours(const Options& options, int rounds, size_t screen, const Data& data)
      : options_(options),
        name_(screen > 0 ? fmt::format("almanac, feature_screen={}", screen) : "almanac"),
        rounds_(rounds),
        made_(data.drawn.rows.size()),
        contestant_([&options, rounds, screen, &data](Turns& turns) {
          return TrainVariants(turns, options, rounds, screen, data);
        }),
        bin_(contestant_.Step()) {}

  void Train() {
    const std::optional<Time> training = bin_ ? contestant_.Step() : std::nullopt;
    if (training) trainings_.push_back(*training);
  }
  // After all trainings: what all variants take, from what `rounds` of the rounds took of those
  // that were drawn.
  std::optional<Time> Finish() const {
    if (trainings_.size() < kTrainings) return std::nullopt;
    const std::optional<Outcome> outcome = contestant_.Finish();
    if (!outcome) return std::nullopt;
    Time mean;
    for (const Time& training : trainings_) mean = mean + training * (1.0 / kTrainings);
    fmt::print(
        "{}: binning {:.1f} s, CPU {:.1f} s; {} of {} variants, {} of {} rounds {:.1f} s, CPU "
        "{:.1f} s (mean of {:.1f}, {:.1f} and {:.1f} s); {:.0f} MB more; log loss of the first "
        "{:.5f}\n",
        name_, bin_->wall, bin_->cpu, made_, options_.variants, rounds_, options_.rounds, mean.wall,
        mean.cpu, trainings_[0].wall, trainings_[1].wall, trainings_[2].wall, outcome->memory / 1e6,
        outcome->log_loss);
    const double made = static_cast<double>(made_) * rounds_;
    return *bin_ + mean * (static_cast<double>(options_.variants) * options_.rounds / made);
  }
  const std::string& name() const { return name_; }

 private:
  const Options& options_;
  std::string name_;
  int rounds_;
  size_t made_;
  Contestant<Outcome> contestant_;
  std::optional<Time> bin_;
  std::vector<Time> trainings_;
};

// What a variant costs LightGBM, of `processes` at the same time with the threads shared among
// them. Only some rounds are made; they are scaled.
std::optional<Time> TimePeer(const Options& options, const Matrix& own, int processes) {
  const int threads = std::max(1, options.threads / processes);
  std::vector<Contestant<Outcome>> contestants;
  contestants.reserve(static_cast<size_t>(processes));
  for (int i = 0; i < processes; ++i) {
    contestants.emplace_back([&](Turns& turns) {
      LightGbm peer(options.lightgbm);
      peer.Bin(own, PeerParameters(options.rounds, 1, threads));
      turns.Done();
      for (int round = 0; round < options.peer_rounds; ++round) peer.Round();
      turns.Done();
      return Outcome();
    });
  }
  Time sum;
  for (const double factor : {1.0, 1.0 * options.rounds / options.peer_rounds}) {
    for (const auto& contestant : contestants) contestant.Begin();
    for (const auto& contestant : contestants) {
      const std::optional<Time> step = contestant.End();
      if (!step) return std::nullopt;
      sum = sum + *step * factor;
    }
  }
  const double of_one = 1.0 / processes;
  const Time of_variant{sum.wall * of_one * of_one, sum.cpu * of_one};
  fmt::print("lightgbm, {} x {} threads: a variant {:.1f} s, CPU {:.1f} s ({} of {} rounds made)\n",
             processes, threads, of_variant.wall, of_variant.cpu, options.peer_rounds,
             options.rounds);
  return of_variant;
}

void Compare(const Options& options) {
  Data data{MakeMatrix(options.shape.rows * 2, options.shape.columns, 1),
            MakeMatrix(options.shape.rows / 4, options.shape.columns, 2),
            {}};
  data.drawn = DrawRows(data.all, std::min(options.variants, options.made_variants));
  fmt::print("{} variants of about {} of {} rows x {} columns, {} rounds, {} threads\n",
             options.variants, options.shape.rows, data.all.rows, options.shape.columns,
             options.rounds, options.threads);
  Ours all_columns(options, std::min(options.rounds, options.made_rounds), 0, data);
  Ours screened(options, options.rounds, options.screen, data);
  const auto train = [&] {
    all_columns.Train();
    screened.Train();
  };
  train();
  std::optional<Time> best;
  const auto time_peer = [&](const Matrix& own, int processes) {
    const std::optional<Time> time = TimePeer(options, own, processes);
    if (time && (!best || time->wall < best->wall)) best = time;
  };
  if (options.lightgbm.empty()) {
    fmt::print("lightgbm: no library given (lightgbm=PATH): going on without it\n");
    train();
  } else {
    const Matrix own = RowsOf(data.all, data.drawn, 0);
    time_peer(own, 1);
    train();
    if (options.threads > 1) time_peer(own, 2);
  }
  train();
  const std::vector<std::optional<Time>> totals = {all_columns.Finish(), screened.Finish()};
  if (!best) return;
  const Time theirs = *best * static_cast<double>(options.variants);
  fmt::print("all {} variants, lightgbm at its best: {:.0f} s, CPU {:.0f} s\n", options.variants,
             theirs.wall, theirs.cpu);
  for (size_t i = 0; i < totals.size(); ++i) {
    if (!totals[i]) continue;
    fmt::print("  {}: {:.0f} s, CPU {:.0f} s: {:.1f}x ({:.1f}x CPU)\n",
               i == 0 ? all_columns.name() : screened.name(), totals[i]->wall, totals[i]->cpu,
               theirs.wall / totals[i]->wall, theirs.cpu / totals[i]->cpu);
  }
}

Options ParseOptions(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto [key, value] = KeyAndValue(word);
    if (options.Take(key, value)) continue;
    if (key == "variants") {
      options.variants = std::stoul(value);
    } else if (key == "made_variants") {
      options.made_variants = std::max<size_t>(1, std::stoul(value));
    } else if (key == "made_rounds") {
      options.made_rounds = std::max(1, std::stoi(value));
    } else if (key == "peer_rounds") {
      options.peer_rounds = std::max(1, std::stoi(value));
    } else if (key == "screen") {
      options.screen = std::stoul(value);
    } else {
      throw std::runtime_error(key + ": no such key; see the head of gbdt_many_bench.cc");
    }
  }
  return options;
}

}  // namespace
}  // namespace almanac::bench

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // of a contestant that failed
  try {
    almanac::bench::Compare(almanac::bench::ParseOptions(argc, argv));
  } catch (const std::exception& error) {
    std::fputs(fmt::format("gbdt_many_bench: {}\n", error.what()).c_str(), stderr);
    return 1;
  }
  return 0;
}
