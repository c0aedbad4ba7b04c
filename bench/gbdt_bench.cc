// Boosted trees beside LightGBM and XGBoost in one run: time to bin, time of a round, memory beyond
// the raw matrix, held-out log loss and average precision.
//
//   gbdt_bench [key=value ...]
//     shape=a|b|c|ROWSxCOLUMNS  a: 25000x6000, b: 100000x1000, c: 300000x400; default 20000x1000
//     rounds=20  threads=2  seeds=1
//     variants=0  so many models on rows of their own instead, with and without feature_screen:
//       made_variants=4  made_rounds=20 (without screening)  peer_rounds=5  (the rest is scaled)
//       screen=100 (columns of a round)
//     lightgbm=PATH  xgboost=PATH  (shared libraries; without them the bench goes on alone)
//     engines=almanac,exact,lightgbm,xgboost
//
// Three classes, 30 leaves, depth 5, feature_fraction 0.7, bagging 0.8 every 5 rounds: the sweep's
// screening models. The columns are random normals, of which the first 20 carry signal; one in 50
// has missing values. Every engine runs in a process of its own, one after the other; CPU seconds
// are those of all its threads, which other load on the machine disturbs less than it does time.
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <exception>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "almanac/base/parallel.h"
#include "almanac/base/random.h"
#include "almanac/gbdt/metric.h"
#include "almanac/gbdt/predictor.h"
#include "almanac/gbdt/train.h"
#include "almanac/gbdt/train_many.h"
#include "arguments.h"
#include "boosting_peers.h"
#include "clock.h"

namespace almanac::gbdt {
namespace {

using bench::CpuSeconds;
using bench::Matrix;
using bench::WallSeconds;

constexpr size_t kSignalColumns = 20;
constexpr int kClasses = 3;

// VmRSS or VmHWM in bytes.
double Memory(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key)) return 1024 * std::stod(line.substr(key.size() + 1));
  }
  return 0;
}

struct Time {
  double wall = 0, cpu = 0;
};

struct Report {
  Time bin, round;
  double memory = 0, log_loss = 0, precision = 0;
};

Time Measure(const std::function<void()>& work) {
  const double wall = WallSeconds(), cpu = CpuSeconds();
  work();
  return {WallSeconds() - wall, CpuSeconds() - cpu};
}

struct Options {
  size_t rows = 20000, columns = 1000, variants = 0, seeds = 1;
  int rounds = 20, threads = 2;
  // Of many variants: how much is made, and the rest scaled.
  size_t made_variants = 4, screen = 100;
  int made_rounds = 20, peer_rounds = 5;
  std::string lightgbm, xgboost, engines = "almanac,exact,lightgbm,xgboost";
  Settings extra;
};

Matrix MakeMatrix(size_t rows, size_t columns, uint64_t seed) {
  Matrix matrix{rows, columns, std::vector<float>(rows * columns), {}};
  for (size_t c = 0; c < columns; ++c) {
    Random random(seed * 100003 + c);
    for (size_t row = 0; row < rows; ++row) {
      // About normal: the sum of four uniform 16-bit numbers.
      uint64_t bits = random.Next();
      int sum = 0;
      for (int i = 0; i < 4; ++i, bits >>= 16) sum += static_cast<int>(bits & 0xFFFF);
      float value = static_cast<float>(sum - 131070) / 37837.0F;
      if (c % 50 == 49 && value > 1) value = std::numeric_limits<float>::quiet_NaN();
      matrix.values[c * rows + row] = value;
    }
  }
  Random noise(seed);
  for (size_t row = 0; row < rows; ++row) {
    double sum = 2 * noise.Normal();
    for (size_t c = 0; c < std::min(columns, kSignalColumns); ++c) {
      const float value = matrix.values[c * rows + row];
      sum += c % 2 == 0 ? value : value * std::abs(value) / 2;
    }
    matrix.label.push_back(sum < -2 ? 0.0F : sum < 2 ? 1.0F : 2.0F);
  }
  return matrix;
}

ColumnSource SourceOf(const Matrix& matrix) {
  ColumnSource source;
  source.rows = matrix.rows;
  for (size_t c = 0; c < matrix.columns; ++c) source.names.push_back(fmt::format("x{}", c));
  source.read = [&matrix](size_t c, std::span<double> out) {
    std::copy_n(matrix.values.begin() + static_cast<std::ptrdiff_t>(c * matrix.rows), matrix.rows,
                out.begin());
  };
  return source;
}

// Log loss, and the mean over classes of the average precision of each against the others.
void Judge(const std::vector<double>& by_row, const Matrix& test, Report& report) {
  std::vector<double> by_class(by_row.size());
  for (size_t i = 0; i < by_row.size(); ++i) {
    by_class[i % kClasses * test.rows + i / kClasses] = by_row[i];
  }
  Params params;
  params.num_class = kClasses;
  report.log_loss = Evaluate("multi_logloss", by_class, {test.label, {}}, params);
  for (size_t k = 0; k < kClasses; ++k) {
    std::vector<float> is_class;
    for (const float label : test.label) is_class.push_back(label == static_cast<float>(k));
    const std::span<const double> p = std::span(by_class).subspan(k * test.rows, test.rows);
    report.precision += Evaluate("average_precision", p, {is_class, {}}, params) / kClasses;
  }
}

Settings SettingsOf(const Options& options, uint64_t seed) {
  Settings settings = {
      {"objective", "multiclass"},   {"num_class", std::to_string(kClasses)},
      {"num_leaves", "30"},          {"max_depth", "5"},
      {"feature_fraction", "0.7"},   {"bagging_fraction", "0.8"},
      {"bagging_freq", "5"},         {"num_iterations", std::to_string(options.rounds)},
      {"seed", std::to_string(seed)}};
  settings.insert(settings.end(), options.extra.begin(), options.extra.end());
  return settings;
}

Report RunAlmanac(const Options& options, const Matrix& train, const Matrix& test, uint64_t seed,
                  bool exact) {
  SetThreadCount(options.threads);
  Params params = Params::Parse(SettingsOf(options, seed), "bench");
  params.exact = exact;
  Report report;
  BinnedData data;
  report.bin = Measure([&] { data = BinnedData::Make(SourceOf(train), params); });
  Model model;
  report.round = Measure([&] { model = Train(params, data, {train.label, {}}).model; });
  report.memory = Memory("VmHWM");
  Judge(Predictor(model).PredictAll(SourceOf(test), Output::kTransformed), test, report);
  return report;
}

Report RunLightGbm(const Options& options, const Matrix& train, const Matrix& test, uint64_t seed) {
  bench::LightGbm peer(options.lightgbm);
  std::string parameters = fmt::format("verbosity=-1 num_threads={}", options.threads);
  Options plain = options;
  plain.extra.clear();
  for (const auto& [key, value] : SettingsOf(plain, seed)) parameters += " " + key + "=" + value;
  Report report;
  report.bin = Measure([&] { peer.Bin(train, parameters); });
  report.round = Measure([&] {
    for (int i = 0; i < options.rounds; ++i) peer.Round();
  });
  report.memory = Memory("VmHWM");
  Judge(peer.Predict(test, kClasses), test, report);
  return report;
}

Report RunXgBoost(const Options& options, const Matrix& train, const Matrix& test, uint64_t seed) {
  bench::XgBoost peer(options.xgboost);
  Report report;
  report.bin = Measure([&] {
    peer.Bin(train, {{"objective", "multi:softprob"},
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
                     {"seed", std::to_string(seed)},
                     {"verbosity", "0"},
                     {"nthread", std::to_string(options.threads)}});
    peer.Round();
  });
  report.round = Measure([&] {
    for (int i = 1; i < options.rounds; ++i) peer.Round();
  });
  report.memory = Memory("VmHWM");
  Judge(peer.Predict(test), test, report);
  return report;
}

// In a process of its own, so that its memory and threads are its own.
bool InProcess(const std::function<Report()>& run, Report* report) {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("no pipe");
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    try {
      const double before = Memory("VmRSS");
      Report made = run();
      made.memory -= before;
      const bool is_written = write(ends[1], &made, sizeof(made)) == sizeof(made);
      _exit(is_written ? 0 : 1);
    } catch (const std::exception& error) {
      std::fputs(fmt::format("  {}\n", error.what()).c_str(), stderr);
      _exit(1);
    }
  }
  close(ends[1]);
  const bool is_read = read(ends[0], report, sizeof(*report)) == sizeof(*report);
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return is_read;
}

void Print(const std::string& name, const Report& report, int rounds) {
  fmt::print("{:<10} {:>8.2f} {:>8.2f} {:>9.4f} {:>9.4f} {:>8.0f} {:>10.6f} {:>9.5f}\n", name,
             report.bin.wall, report.bin.cpu, report.round.wall / rounds, report.round.cpu / rounds,
             report.memory / 1e6, report.log_loss, report.precision);
}

void PrintRatios(const std::string& peer, const Report& theirs, const Report& ours) {
  fmt::print(
      "{} / almanac: binning {:.1f}x ({:.1f}x CPU), round {:.2f}x ({:.2f}x CPU), memory "
      "{:.2f}x\n",
      peer, theirs.bin.wall / ours.bin.wall, theirs.bin.cpu / ours.bin.cpu,
      theirs.round.wall / ours.round.wall, theirs.round.cpu / ours.round.cpu,
      theirs.memory / ours.memory);
}

void CompareEngines(const Options& options) {
  const Matrix train = MakeMatrix(options.rows, options.columns, 1);
  const Matrix test = MakeMatrix(options.rows / 4, options.columns, 2);
  fmt::print("{} rows x {} columns, {} rounds, {} threads\n", options.rows, options.columns,
             options.rounds, options.threads);
  fmt::print("engine      bin s  CPU s   round s     CPU s   MB more   log loss  precision\n");
  for (uint64_t seed = 1; seed <= options.seeds; ++seed) {
    std::map<std::string, Report> reports;
    const auto run = [&](const std::string& name, const std::function<Report()>& engine) {
      if (options.engines.find(name) == std::string::npos) return;
      Report report;
      if (!InProcess(engine, &report)) {
        fmt::print("{:<10} did not run\n", name);
        return;
      }
      Print(name, report, options.rounds);
      reports[name] = report;
    };
    run("almanac", [&] { return RunAlmanac(options, train, test, seed, false); });
    run("exact", [&] { return RunAlmanac(options, train, test, seed, true); });
    if (options.lightgbm.empty()) {
      fmt::print("lightgbm   no library given (lightgbm=PATH): going on without it\n");
    } else {
      run("lightgbm", [&] { return RunLightGbm(options, train, test, seed); });
    }
    if (options.xgboost.empty()) {
      fmt::print("xgboost    no library given (xgboost=PATH): going on without it\n");
    } else {
      run("xgboost", [&] { return RunXgBoost(options, train, test, seed); });
    }
    for (const char* peer : {"exact", "lightgbm", "xgboost"}) {
      if (reports.contains(peer) && reports.contains("almanac")) {
        PrintRatios(peer, reports[peer], reports["almanac"]);
      }
    }
    if (reports.contains("lightgbm") && reports.contains("exact")) {
      fmt::print("lightgbm / exact: round {:.2f}x ({:.2f}x CPU)\n",
                 reports["lightgbm"].round.wall / reports["exact"].round.wall,
                 reports["lightgbm"].round.cpu / reports["exact"].round.cpu);
    }
  }
}

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

// All of the drawn variants over one binned matrix, as many side by side as there are threads.
Report TrainVariants(const Options& options, const Matrix& all, const Matrix& test,
                     const VariantRows& drawn) {
  SetThreadCount(options.threads);
  Report report;
  std::vector<Variant> variants(drawn.rows.size());
  for (size_t v = 0; v < variants.size(); ++v) {
    variants[v].params = Params::Parse(SettingsOf(options, v + 1), "bench");
    variants[v].params.exact = false;
    variants[v].rows = drawn.rows[v];
    variants[v].targets.label = drawn.labels[v];
  }
  BinnedData data;
  report.bin = Measure([&] { data = BinnedData::Make(SourceOf(all), variants[0].params); });
  Model first;
  TrainManyOptions many;
  many.on_done = [&](size_t v, TrainResult result) {
    if (v == 0) first = std::move(result.model);
  };
  report.round = Measure([&] { TrainMany(data, variants, many); });
  report.memory = Memory("VmHWM");
  Judge(Predictor(first).PredictAll(SourceOf(test), Output::kTransformed), test, report);
  return report;
}

Time operator*(Time time, double factor) { return {time.wall * factor, time.cpu * factor}; }
Time operator+(Time a, Time b) { return {a.wall + b.wall, a.cpu + b.cpu}; }

Matrix RowsOf(const Matrix& all, const VariantRows& drawn, size_t v) {
  Matrix own{drawn.rows[v].size(), all.columns, {}, drawn.labels[v]};
  own.values.reserve(own.rows * own.columns);
  for (size_t c = 0; c < all.columns; ++c) {
    for (const uint32_t row : drawn.rows[v]) own.values.push_back(all.values[c * all.rows + row]);
  }
  return own;
}

// LightGBM bins and trains a variant alone: what one costs, of `processes` at the same time with
// the threads shared among them. Only some rounds are made; they are scaled.
bool TimePeer(const Options& options, const Matrix& own, const Matrix& test, size_t processes,
              Time* of_variant) {
  Options one = options;
  one.rounds = options.peer_rounds;
  one.threads = std::max(1, options.threads / static_cast<int>(processes));
  std::vector<Report> reports(processes);
  std::vector<uint8_t> ran(processes, 0);
  {
    std::vector<std::jthread> waiting;
    for (size_t i = 0; i < processes; ++i) {
      waiting.emplace_back([&, i] {
        ran[i] = InProcess([&] { return RunLightGbm(one, own, test, 1); }, &reports[i]) ? 1 : 0;
      });
    }
  }
  Time sum;
  for (size_t i = 0; i < processes; ++i) {
    if (ran[i] == 0) return false;
    sum = sum + reports[i].bin + reports[i].round * (1.0 * options.rounds / one.rounds);
  }
  const auto many = static_cast<double>(processes);
  *of_variant = {sum.wall / (many * many), sum.cpu / many};
  fmt::print("lightgbm, {} x {} threads: a variant {:.1f} s, CPU {:.1f} s ({} of {} rounds made)\n",
             processes, one.threads, of_variant->wall, of_variant->cpu, one.rounds, options.rounds);
  return true;
}

// The variants together from what `made` of them took with `rounds` of the rounds.
bool TimeOurs(const std::string& name, const Options& options, int rounds, const Matrix& all,
              const Matrix& test, const VariantRows& drawn, Time* of_all) {
  Options some = options;
  some.rounds = rounds;
  Report report;
  if (!InProcess([&] { return TrainVariants(some, all, test, drawn); }, &report)) return false;
  const double made = static_cast<double>(drawn.rows.size()) * rounds;
  const double factor = static_cast<double>(options.variants) * options.rounds / made;
  *of_all = report.bin + report.round * factor;
  fmt::print(
      "{}: binning {:.1f} s, CPU {:.1f} s; {} of {} variants, {} of {} rounds {:.1f} s, CPU {:.1f} "
      "s; {:.0f} MB more; log loss of the first {:.5f}\n",
      name, report.bin.wall, report.bin.cpu, drawn.rows.size(), options.variants, rounds,
      options.rounds, report.round.wall, report.round.cpu, report.memory / 1e6, report.log_loss);
  return true;
}

// V models on rows of their own over one matrix, with and without feature_screen. What is not made
// is scaled from what is, and the lines say so; with feature_screen all rounds are made, as later
// ones cost less.
void CompareVariants(const Options& options) {
  const Matrix all = MakeMatrix(options.rows * 2, options.columns, 1);
  const Matrix test = MakeMatrix(options.rows / 4, options.columns, 2);
  const VariantRows drawn = DrawRows(all, std::min(options.variants, options.made_variants));
  fmt::print("{} variants of about {} of {} rows x {} columns, {} rounds, {} threads\n",
             options.variants, options.rows, all.rows, options.columns, options.rounds,
             options.threads);
  Options screened = options;
  screened.extra.emplace_back("feature_screen", std::to_string(options.screen));
  const std::string with_screen = fmt::format("almanac, feature_screen={}", options.screen);
  std::vector<std::pair<std::string, Time>> ours;
  Time time;
  const int some_rounds = std::min(options.rounds, options.made_rounds);
  if (TimeOurs("almanac", options, some_rounds, all, test, drawn, &time)) {
    ours.emplace_back("almanac", time);
  }
  if (TimeOurs(with_screen, screened, options.rounds, all, test, drawn, &time)) {
    ours.emplace_back(with_screen, time);
  }
  if (options.lightgbm.empty()) return;
  const Matrix own = RowsOf(all, drawn, 0);
  std::vector<Time> peers;
  if (TimePeer(options, own, test, 1, &time)) peers.push_back(time);
  if (options.threads > 1 && TimePeer(options, own, test, 2, &time)) peers.push_back(time);
  if (peers.empty()) return;
  Time best = peers[0];
  for (const Time& peer : peers) best = peer.wall < best.wall ? peer : best;
  const Time theirs = best * static_cast<double>(options.variants);
  fmt::print("all {} variants, lightgbm at its best: {:.0f} s, CPU {:.0f} s\n", options.variants,
             theirs.wall, theirs.cpu);
  for (const auto& [name, total] : ours) {
    fmt::print("  {}: {:.0f} s, CPU {:.0f} s: {:.1f}x ({:.1f}x CPU)\n", name, total.wall, total.cpu,
               theirs.wall / total.wall, theirs.cpu / total.cpu);
  }
}

Options ParseOptions(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto [key, value] = bench::KeyAndValue(word);
    if (key == "shape") {
      const std::map<std::string, std::string> named = {
          {"a", "25000x6000"}, {"b", "100000x1000"}, {"c", "300000x400"}};
      const std::string shape = named.contains(value) ? named.at(value) : value;
      options.rows = std::stoul(shape);
      options.columns = std::stoul(shape.substr(shape.find('x') + 1));
    } else if (key == "rounds") {
      options.rounds = std::stoi(value);
    } else if (key == "threads") {
      options.threads = std::stoi(value);
    } else if (key == "variants") {
      options.variants = std::stoul(value);
    } else if (key == "made_variants") {
      options.made_variants = std::max<size_t>(1, std::stoul(value));
    } else if (key == "made_rounds") {
      options.made_rounds = std::max(1, std::stoi(value));
    } else if (key == "peer_rounds") {
      options.peer_rounds = std::max(1, std::stoi(value));
    } else if (key == "screen") {
      options.screen = std::stoul(value);
    } else if (key == "seeds") {
      options.seeds = std::stoul(value);
    } else if (key == "lightgbm") {
      options.lightgbm = value;
    } else if (key == "xgboost") {
      options.xgboost = value;
    } else if (key == "engines") {
      options.engines = value;
    } else {
      options.extra.emplace_back(key, value);  // a parameter of training
    }
  }
  return options;
}

}  // namespace
}  // namespace almanac::gbdt

int main(int argc, char** argv) {
  try {
    const almanac::gbdt::Options options = almanac::gbdt::ParseOptions(argc, argv);
    if (options.variants > 0) {
      almanac::gbdt::CompareVariants(options);
    } else {
      almanac::gbdt::CompareEngines(options);
    }
  } catch (const std::exception& error) {
    std::fputs(fmt::format("gbdt_bench: {}\n", error.what()).c_str(), stderr);
    return 1;
  }
  return 0;
}
