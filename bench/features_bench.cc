// Features at scale: a set of some 15,000 columns from candles through pruning to bins, fifty
// common features beside pandas and TA-Lib, correlation pruning, and binning beside the comparing
// sort.
//
//   features_bench [build|long|common|correlation|bins|all] [--data FOLDER] [--set NAME]
//                  [--bars N] [--memory-mb N] [--talib LIBRARY] [--rows N] [--columns N]
//
// `build` takes the candles below FOLDER (default ../shared/data/crypto/spot_5m: BTC, ETH and SOL,
// 96,480 bars each) and is skipped without them; every bar is a row, then the events of a swing
// target. `long` continues them by the simulator to N bars (600,000). `common` computes ten
// families of features at five windows on one thread and on all; pandas (bench/features_pandas.py,
// if python3 has it) and TA-Lib (a shared library) compute the same on one. Memory is the process's
// peak (VmHWM).
#include <dlfcn.h>
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <filesystem>
#include <limits>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/parallel.h"
#include "almanac/base/progress.h"
#include "almanac/base/random.h"
#include "almanac/base/test_folder.h"
#include "almanac/dataset/bin_build.h"
#include "almanac/dataset/bin_mapper.h"
#include "almanac/dataset/correlation.h"
#include "almanac/feature/build.h"
#include "almanac/feature/frame.h"
#include "almanac/feature/stream.h"
#include "almanac/lake/candle_store.h"
#include "almanac/lake/observation.h"
#include "almanac/source/import.h"
#include "almanac/source/simulator.h"
#include "almanac/target/any_target.h"

namespace almanac {
namespace {

namespace fs = std::filesystem;

constexpr double kMillion = 1e6;

struct Options {
  std::string part = "all", set = "swing", talib;
  fs::path data = "../shared/data/crypto/spot_5m";
  size_t bars = 600'000, memory_mb = 4096, rows = 25'000, columns = 15'000;
};

// Wall time and the processor time of all threads since it was made.
class Stopwatch {
 public:
  double wall() const { return Wall() - wall_; }
  double processor() const { return Processor() - processor_; }
  std::string Text() const {
    return fmt::format("{:.1f} s, {:.1f} s of processor time", wall(), processor());
  }

 private:
  static double Wall() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
  static double Processor() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }
  double wall_ = Wall(), processor_ = Processor();
};

std::vector<CandleSeries> ReadCandles(const Options& options, const fs::path& home_folder) {
  const Home home = ResolveHome(home_folder);
  CandleStore candles(home);
  ObservationStore observations(home);
  ImportFiles(candles, observations, {options.data}, {}, NoProgress());
  std::vector<CandleSeries> series;
  for (const SeriesInfo& info : candles.List()) series.push_back(candles.Read(info.key));
  return series;
}

// The bars go on as the simulator's from the last close.
std::vector<CandleSeries> Extended(std::vector<CandleSeries> series, size_t bars) {
  SimulatorOptions simulated;
  simulated.timeframe = series.front().key.timeframe;
  simulated.origin = series.front().open_time.back() + simulated.timeframe.duration();
  simulated.from = simulated.origin;
  simulated.to = simulated.origin + static_cast<DurationMs>(bars - series.front().size()) *
                                        simulated.timeframe.duration();
  for (const CandleSeries& one : series) {
    SimulatedSymbol symbol;
    symbol.name = one.key.symbol;
    symbol.start_price = one.close.back();
    simulated.symbols.push_back(symbol);
  }
  const std::vector<CandleSeries> more = Simulate(simulated);
  for (size_t s = 0; s < series.size(); ++s) {
    for (size_t i = 0; i < more[s].size(); ++i) series[s].Append(more[s].At(i));
  }
  return series;
}

struct Job {
  const char* name;
  BinRows rows;
};

Job EveryBar(const std::vector<TimeMs>& times) {
  std::vector<uint32_t> rows(times.size());
  std::iota(rows.begin(), rows.end(), 0U);
  return {"every bar a row",
          {std::move(rows), DataSplit::Chronological(times, times, {}).training(), {}}};
}

Job SwingEvents(const std::vector<TimeMs>& times, const CandleSeries& series) {
  SwingSpec swing;
  swing.look_back = 5;
  const Labels labels = BuildLabels(swing, series);
  std::vector<uint32_t> rows;
  for (const TimeMs t0 : labels.t0) {
    const auto place = std::lower_bound(times.begin(), times.end(), t0);
    rows.push_back(static_cast<uint32_t>(place - times.begin()));
  }
  return {"swing events",
          {std::move(rows), DataSplit::Chronological(labels.t0, labels.t1, {}).training(), {}}};
}

void RunBuild(const std::vector<CandleSeries>& series, const Options& options, bool events_only) {
  const Frame frame(series);
  const FeatureStream stream(FeatureSet::Named(options.set), frame);
  const ColumnStream columns = StreamOf(stream);
  std::vector<Job> jobs;
  if (!events_only) jobs.push_back(EveryBar(columns.times));
  jobs.push_back(SwingEvents(columns.times, series.front()));
  for (const Job& job : jobs) {
    const TestFolder folder;
    BinBuildSpec spec;
    spec.key = job.name;
    spec.memory = options.memory_mb << 20;
    const Stopwatch watch;
    const BinBuildReport report =
        BuildBins(columns, job.rows, spec, folder.path() / "bins", NoProgress());
    const double values =
        static_cast<double>(report.columns) * static_cast<double>(report.stream_rows);
    fmt::print(
        "set {}, {} columns x {} bars, {} ({} of them): {}\n  {:.1f} million values a second, "
        "{:.1f} of processor time; kept {}",
        options.set, report.columns, report.stream_rows, job.name, report.rows, watch.Text(),
        values / watch.wall() / kMillion, values / watch.processor() / kMillion,
        report.prune.kept.size());
    for (const std::string& reason : PruneReasons()) {
      fmt::print(", {} {}", reason, report.prune.Count(reason));
    }
    fmt::print("; peak memory {:.2f} GB, {} threads\n",
               static_cast<double>(report.peak_memory) / (1 << 30), ThreadCount());
  }
}

// Columns around common factors; `noise` decides how many repeat each other. One in five begins
// after a warm-up.
std::vector<std::vector<float>> FactorColumns(size_t rows, size_t columns, size_t factors,
                                              double noise) {
  std::vector<std::vector<float>> table(columns, std::vector<float>(rows));
  ParallelFor(columns, [&](size_t c) {
    Random own(7, c), factor(8, c % factors);
    const size_t warm_up = c % 5 == 0 ? (c % 40) * 10 : 0;
    for (size_t i = 0; i < rows; ++i) {
      const double value = factor.Normal() + noise * own.Normal();
      table[c][i] =
          i < warm_up ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(value);
    }
  });
  return table;
}

void RunCorrelation(const Options& options) {
  std::vector<uint32_t> all(options.rows);
  std::iota(all.begin(), all.end(), 0U);
  const size_t columns = options.columns;
  for (const auto& [factors, noise] : {std::pair(columns / 5, 0.25), std::pair(columns, 1.0)}) {
    const auto table = FactorColumns(options.rows, columns, factors, noise);
    const std::vector<std::span<const float>> views(table.begin(), table.end());
    const Stopwatch watch;
    const auto found = FindCorrelated(views, all, 0.9);
    size_t kept = 0;
    for (const auto& column : found) kept += column ? 0 : 1;
    fmt::print("correlation above 0.9 among {} columns of {} rows: {} kept, {}\n", columns,
               options.rows, kept, watch.Text());
  }
}

void RunBins() {
  constexpr size_t kRows = 96'480, kColumns = 40;
  const auto table = FactorColumns(kRows, kColumns, kColumns, 1);
  std::vector<uint8_t> bins(kRows);
  std::array<double, 2> seconds{};
  for (const bool by_bits : {false, true}) {
    const Stopwatch watch;
    for (const auto& column : table) {
      if (by_bits) {
        BinMapper::Find(std::span<const float>(column), {}).BinsOf(column, bins.data());
        continue;
      }
      const std::vector<double> wide(column.begin(), column.end());
      BinMapper::Find(wide, kRows, {}).BinsOf<uint8_t>(wide, bins.data());
    }
    seconds[by_bits ? 1 : 0] = watch.processor();
  }
  const double values = kRows * kColumns;
  fmt::print(
      "bins of {} columns x {} rows: comparing sort {:.1f} ns a value, by bits {:.1f} ns, "
      "{:.1f} times faster\n",
      kColumns, kRows, seconds[0] / values * 1e9, seconds[1] / values * 1e9,
      seconds[0] / seconds[1]);
}

constexpr std::array<int, 5> kWindows = {7, 14, 28, 56, 112};

std::vector<std::vector<float>> CommonFeatures(const CandleSeries& series) {
  std::vector<FeatureSpec> specs;
  for (const char* family : {"simple_return", "sma_distance", "ema_distance", "bollinger_percent_b",
                             "rsi", "natr", "williams_r", "mfi", "linreg_slope", "cci"}) {
    for (const int window : kWindows) {
      FeatureSpec spec;
      spec.family = family;
      spec.parameters = {{"window", window}};
      if (spec.family == "bollinger_percent_b") spec.parameters.push_back({"deviations", 2});
      specs.push_back(spec);
    }
  }
  return BuildFeatures(FeatureSet(specs), series).columns;
}

// The functions of TA-Lib's C interface that are called, from a library given at run time.
class TaLib {
 public:
  explicit TaLib(const std::string& path) : library_(dlopen(path.c_str(), RTLD_NOW)) {
    if (library_ == nullptr) {
      throw Error(ErrorCode::kUsage, "--talib " + path, dlerror(), "give TA-Lib's shared library");
    }
    Get<int()>("TA_Initialize")();
  }
  template <typename Function>
  Function* Get(const char* name) const {
    auto* function = reinterpret_cast<Function*>(dlsym(library_, name));
    if (function == nullptr) throw Error(ErrorCode::kUsage, name, "is not in that TA-Lib");
    return function;
  }

 private:
  void* library_;
};

std::vector<std::vector<float>> TaLibFeatures(const TaLib& library, const CandleSeries& series) {
  using OneInput = int(int, int, const double*, int, int*, int*, double*);
  using Hlc = int(int, int, const double*, const double*, const double*, int, int*, int*, double*);
  using Hlcv = int(int, int, const double*, const double*, const double*, const double*, int, int*,
                   int*, double*);
  using Bands =
      int(int, int, const double*, int, double, double, int, int*, int*, double*, double*, double*);
  const auto last = static_cast<int>(series.size()) - 1;
  const double *high = series.high.data(), *low = series.low.data(), *close = series.close.data();
  std::vector<double> out(series.size()), middle(series.size()), lower(series.size());
  std::vector<std::vector<float>> columns;
  int begin = 0, count = 0;
  const auto store = [&](const auto& value) {
    std::vector<float>& column =
        columns.emplace_back(series.size(), std::numeric_limits<float>::quiet_NaN());
    for (int i = 0; i < count; ++i) {
      const auto row = static_cast<size_t>(begin + i);
      column[row] = static_cast<float>(value(row, static_cast<size_t>(i)));
    }
  };
  const auto as_is = [&](size_t, size_t i) { return out[i]; };
  const auto distance = [&](size_t row, size_t i) { return close[row] / out[i] - 1; };
  const auto one = [&](const char* name, const auto& value) {
    auto* function = library.Get<OneInput>(name);
    for (const int n : kWindows) {
      function(0, last, close, n, &begin, &count, out.data());
      store(value);
    }
  };
  const auto three = [&](const char* name) {
    auto* function = library.Get<Hlc>(name);
    for (const int n : kWindows) {
      function(0, last, high, low, close, n, &begin, &count, out.data());
      store(as_is);
    }
  };
  one("TA_ROCP", as_is);
  one("TA_SMA", distance);
  one("TA_EMA", distance);
  for (const int n : kWindows) {
    library.Get<Bands>("TA_BBANDS")(0, last, close, n, 2, 2, 0, &begin, &count, out.data(),
                                    middle.data(), lower.data());
    store([&](size_t row, size_t i) { return (close[row] - lower[i]) / (out[i] - lower[i]); });
  }
  one("TA_RSI", as_is);
  three("TA_NATR");
  three("TA_WILLR");
  for (const int n : kWindows) {
    library.Get<Hlcv>("TA_MFI")(0, last, high, low, close, series.volume.data(), n, &begin, &count,
                                out.data());
    store(as_is);
  }
  one("TA_LINEARREG_SLOPE", [&](size_t row, size_t i) { return out[i] / close[row]; });
  three("TA_CCI");
  return columns;
}

// The largest difference relative to the columns' own size, where both have a value.
double LargestDifference(const std::vector<std::vector<float>>& a,
                         const std::vector<std::vector<float>>& b) {
  double largest = 0;
  for (size_t c = 0; c < a.size(); ++c) {
    double size = 0, difference = 0;
    for (size_t i = 0; i < a[c].size(); ++i) {
      if (std::isnan(a[c][i]) || std::isnan(b[c][i])) continue;
      size = std::max(size, std::abs(static_cast<double>(a[c][i])));
      difference = std::max(difference, std::abs(static_cast<double>(a[c][i]) - b[c][i]));
    }
    if (size > 0) largest = std::max(largest, difference / size);
  }
  return largest;
}

// Prints pandas' processor seconds; nothing if python3 or pandas is missing.
double PandasSeconds(const CandleSeries& series) {
  const TestFolder folder;
  std::string csv = "open,high,low,close,volume\n";
  for (size_t i = 0; i < series.size(); ++i) {
    csv += fmt::format("{},{},{},{},{}\n", series.open[i], series.high[i], series.low[i],
                       series.close[i], series.volume[i]);
  }
  const fs::path file = folder.path() / "candles.csv", result = folder.path() / "seconds.txt";
  WriteFileAtomic(file, csv);
  const std::string command =
      fmt::format("python3 bench/features_pandas.py '{}' > '{}'", file.string(), result.string());
  if (std::system(command.c_str()) != 0) return 0;
  return std::stod(ReadFile(result));
}

// Of one pass; the least of several, as others may use the machine.
struct Cost {
  double wall = std::numeric_limits<double>::infinity();
  double processor = std::numeric_limits<double>::infinity();
};

template <typename Work>
Cost CostOf(const Work& work) {
  constexpr int kRepeats = 7;
  Cost cost;
  for (int i = 0; i < kRepeats; ++i) {
    const Stopwatch watch;
    work();
    cost.wall = std::min(cost.wall, watch.wall());
    cost.processor = std::min(cost.processor, watch.processor());
  }
  return cost;
}

// Peers run on one thread, as their users do.
void PrintRatios(const char* peer, double seconds, double one_thread, double wall_of_all) {
  fmt::print("  {}: {:.4f} s, {:.2f} times ours on one thread, {:.2f} times our wall on {}\n", peer,
             seconds, seconds / one_thread, seconds / wall_of_all, ThreadCount());
}

void RunCommon(const CandleSeries& series, const Options& options) {
  const int threads = ThreadCount();
  std::vector<std::vector<float>> ours, theirs;
  SetThreadCount(1);
  const double one = CostOf([&] { ours = CommonFeatures(series); }).processor;
  SetThreadCount(threads);
  const double all = CostOf([&] { ours = CommonFeatures(series); }).wall;
  const double values = static_cast<double>(ours.size() * series.size());
  fmt::print(
      "50 common features x {} bars: almanac {:.4f} s of processor time on one thread ({:.1f} ns a "
      "value), {:.4f} s of wall on {}\n",
      series.size(), one, one / values * 1e9, all, threads);
  if (options.talib.empty()) {
    fmt::print("  TA-Lib: skipped, no --talib LIBRARY\n");
  } else {
    const TaLib library(options.talib);
    const Cost cost = CostOf([&] { theirs = TaLibFeatures(library, series); });
    PrintRatios("TA-Lib", cost.processor, one, all);
    fmt::print("  largest difference from it {:.1e} of a column's largest value\n",
               LargestDifference(ours, theirs));
  }
  const double pandas = PandasSeconds(series);
  if (pandas > 0) {
    PrintRatios("pandas", pandas, one, all);
  } else {
    fmt::print("  pandas: skipped, python3 has none\n");
  }
}

void Run(const Options& options) {
  const auto wants = [&](const char* part) {
    return options.part == part || options.part == "all";
  };
  if (wants("bins")) RunBins();
  if (wants("correlation")) RunCorrelation(options);
  if (!wants("build") && !wants("long") && !wants("common")) return;
  if (!fs::exists(options.data)) {
    fmt::print("build, long, common: skipped, {} is not there\n", options.data.string());
    return;
  }
  const TestFolder home;
  const std::vector<CandleSeries> series = ReadCandles(options, home.path());
  if (wants("common")) RunCommon(series.front(), options);
  if (wants("build")) RunBuild(series, options, false);
  if (wants("long")) RunBuild(Extended(series, options.bars), options, true);
}

Options Parse(const std::vector<std::string>& arguments) {
  Options options;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& name = arguments[i];
    if (!name.starts_with("--")) {
      options.part = name;
      continue;
    }
    if (++i == arguments.size()) throw Error(ErrorCode::kUsage, name, "needs a value");
    const std::string& value = arguments[i];
    if (name == "--data")
      options.data = value;
    else if (name == "--set")
      options.set = value;
    else if (name == "--talib")
      options.talib = value;
    else if (name == "--bars")
      options.bars = std::stoul(value);
    else if (name == "--memory-mb")
      options.memory_mb = std::stoul(value);
    else if (name == "--rows")
      options.rows = std::stoul(value);
    else if (name == "--columns")
      options.columns = std::stoul(value);
    else
      throw Error(ErrorCode::kUsage, name, "there is no such option");
  }
  return options;
}

}  // namespace
}  // namespace almanac

int main(int argc, char** argv) {
  try {
    almanac::Run(almanac::Parse({argv + 1, argv + argc}));
  } catch (const std::exception& error) {
    std::fputs(fmt::format("features_bench: {}\n", error.what()).c_str(), stderr);
    return 1;
  }
  return 0;
}
