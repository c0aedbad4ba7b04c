// Backtests beside the same computation in NumPy and pandas. Asked for: a panel of 352 stocks over
// four years under 20 ms; bar-exact simulation at 50 million bars a second for one configuration
// and 500 million configuration-bars a second in a sweep on two cores; at least 20 times the
// vectorised NumPy or pandas backtest of the same strategy.
//
//   backtest_bench [--bars N] [--configs N] [--rounds N]
//
// Seconds are CPU time of one thread (the smallest of the rounds): they mean the same on a busy
// machine. "On two cores" is twice the rate of one thread for a sweep, whose configurations share
// nothing with another's; for one configuration it is measured, by the clock. Python
// (python3 with numpy and pandas) is optional; without it the ratios are left out.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <string>
#include <vector>

#include "almanac/backtest/panel_simulator.h"
#include "almanac/backtest/signal_simulator.h"
#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/json.h"
#include "almanac/base/parallel.h"
#include "almanac/base/places_for_test.h"
#include "almanac/base/random.h"
#include "almanac/base/text.h"

#include <nlohmann/json.hpp>

namespace almanac {
namespace {

namespace fs = std::filesystem;

struct Load {
  size_t bars = 525'600;  // a year of minutes
  size_t configs = 1000;
  int rounds = 5;
};

double CpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

template <typename Work>
double Fastest(int rounds, const Work& work) {
  double best = 1e300;
  for (int round = 0; round < rounds; ++round) {
    const double before = CpuSeconds();
    work();
    best = std::min(best, CpuSeconds() - before);
  }
  return best;
}

CandleSeries MinuteBars(size_t count) {
  Random random(1);
  CandleSeries bars;
  bars.key = {"bench", "SIMUSDT", Timeframe::Parse("1m")};
  double price = 30'000;
  for (size_t i = 0; i < count; ++i) {
    const double open = price;
    price *= std::exp(0.0006 * random.Normal());
    bars.Append({.open_time = static_cast<TimeMs>(i) * kMsPerMinute,
                 .open = open,
                 .high = std::max(open, price) * (1 + 0.0003 * random.Exponential()),
                 .low = std::min(open, price) * (1 - 0.0003 * random.Exponential()),
                 .close = price,
                 .volume = 10 * random.Exponential()});
  }
  return bars;
}

// A forecast every half hour.
SignalTable HalfHourly(const CandleSeries& bars) {
  constexpr size_t kEvery = 30;
  Random random(2);
  SignalTable table;
  table.signals = {{"x", {}}};
  table.sizes = {{"size", {}}};
  double signal = 0;
  for (size_t i = kEvery - 1; i + 1 < bars.size(); i += kEvery) {
    signal = 0.9 * signal + 0.002 * random.Normal();
    table.made_at.push_back(bars.KnownAt(i));
    table.signals[0].values.push_back(signal);
    table.sizes[0].values.push_back(1);
  }
  return table;
}

std::vector<SignalConfig> Thresholds(size_t count) {
  std::vector<SignalConfig> configs(count);
  for (size_t c = 0; c < count; ++c) {
    configs[c].rule.long_above = configs[c].rule.short_below =
        0.01 * static_cast<double>(c) / static_cast<double>(count);
  }
  return configs;
}

std::vector<SignalConfig> WithExits(std::vector<SignalConfig> configs, bool trailing) {
  Random random(3);
  for (SignalConfig& config : configs) {
    config.trade.stop_loss = 0.002 + 0.02 * random.Uniform();
    config.trade.take_profit = 0.002 + 0.02 * random.Uniform();
    if (trailing) config.trade.trailing_stop = 0.002 + 0.02 * random.Uniform();
    config.trade.max_hold = static_cast<DurationMs>(1 + random.Below(24)) * kMsPerHour;
  }
  return configs;
}

template <typename Work>
double FastestByClock(int rounds, const Work& work) {
  double best = 1e300;
  for (int round = 0; round < rounds; ++round) {
    const auto before = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - before;
    best = std::min(best, passed.count());
  }
  return best;
}

// What is measured of the simulation alone: the time of a call less that of preparing the bars is
// not taken apart; the whole call counts.
double OneConfig(const CandleSeries& bars, const SignalTable& table, const SignalConfig& config,
                 DurationMs mark_every, int rounds) {
  SignalExecution execution;
  execution.mark_every = mark_every;
  return Fastest(rounds, [&] { SimulateSignals(bars, table, config, execution); });
}

double OneConfigOnTwoCores(const CandleSeries& bars, const SignalTable& table,
                           const SignalConfig& config, int rounds) {
  SetThreadCount(2);
  const SignalExecution execution;
  const double seconds =
      FastestByClock(rounds, [&] { SimulateSignals(bars, table, config, execution); });
  SetThreadCount(1);
  return seconds;
}

double Sweep(const CandleSeries& bars, const SignalTable& table,
             const std::vector<SignalConfig>& configs, int rounds) {
  SignalExecution execution;
  execution.mark_every = kMsPerDay;
  return Fastest(rounds, [&] { SweepSignals(bars, table, configs, execution); });
}

struct Panel {
  std::vector<CandleSeries> series;
  PanelBars bars;
  PanelForecasts forecasts;
};

Panel MakePanel() {
  constexpr size_t kStocks = 352, kDays = 1008;
  Random random(4);
  Panel panel;
  for (size_t s = 0; s < kStocks; ++s) {
    CandleSeries series;
    series.key = {"bench", fmt::format("S{:03}", s), Timeframe::Parse("1d")};
    double price = 20 + 200 * random.Uniform();
    for (size_t d = 0; d < kDays; ++d) {
      const double open = price * std::exp(0.005 * random.Normal());
      price = open * std::exp(0.015 * random.Normal());
      series.Append({.open_time = static_cast<TimeMs>(d) * kMsPerDay,
                     .open = open,
                     .high = std::max(open, price),
                     .low = std::min(open, price),
                     .close = price,
                     .volume = 1e6});
    }
    panel.series.push_back(std::move(series));
  }
  std::vector<const CandleSeries*> pointers;
  for (const CandleSeries& one : panel.series) pointers.push_back(&one);
  panel.bars = AlignPanel(pointers);
  panel.forecasts.value = PanelGrid(kDays - 1, kStocks);
  for (size_t d = 0; d + 1 < kDays; ++d) {
    panel.forecasts.made_at.push_back(panel.bars.KnownAt(d));
    for (size_t s = 0; s < kStocks; ++s) panel.forecasts.value.At(d, s) = 0.01 * random.Normal();
  }
  panel.forecasts.last_target = panel.bars.KnownAt(kDays - 1);
  return panel;
}

struct PanelTimes {
  double align = 0, run = 0, final_equity = 0;
};

PanelTimes RunPanel(const Panel& panel, int rounds) {
  PanelStrategy strategy;
  strategy.top_k = 10;
  PanelExecution execution;
  execution.from = panel.bars.KnownAt(0);
  PanelTimes times;
  std::vector<const CandleSeries*> pointers;
  for (const CandleSeries& one : panel.series) pointers.push_back(&one);
  times.align = Fastest(rounds, [&] { AlignPanel(pointers); });
  times.run = Fastest(rounds, [&] {
    const auto targets = DecidePanel(strategy, panel.bars, panel.forecasts);
    times.final_equity = SimulatePanel(panel.bars, targets, execution).simulation.equity.back();
  });
  return times;
}

void WriteDoubles(const fs::path& file, const std::vector<double>& values) {
  std::string bytes(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(double));
  WriteFileAtomic(file, bytes);
}

// $ALMANAC_PYTHON where the first python3 on the path is not the one with NumPy.
std::string PythonName() {
  const char* named = std::getenv("ALMANAC_PYTHON");
  return named != nullptr ? named : "python3";
}

// Writes what Python needs and returns what it measured; null without Python.
Json RunPython(const fs::path& folder, const CandleSeries& bars, const SignalTable& table,
               const std::vector<SignalConfig>& configs, const Panel& panel) {
  fs::create_directories(folder);
  WriteDoubles(folder / "open.f64", bars.open);
  WriteDoubles(folder / "close.f64", bars.close);
  WriteDoubles(folder / "signal.f64", table.signals[0].values);
  std::vector<double> thresholds;
  for (const SignalConfig& config : configs) thresholds.push_back(config.rule.long_above);
  WriteDoubles(folder / "thresholds.f64", thresholds);
  std::vector<double> open, close, forecast;
  for (size_t d = 0; d < panel.bars.size(); ++d) {
    const auto o = panel.bars.open.Row(d), c = panel.bars.close.Row(d);
    open.insert(open.end(), o.begin(), o.end());
    close.insert(close.end(), c.begin(), c.end());
    if (d + 1 == panel.bars.size()) break;
    const auto f = panel.forecasts.value.Row(d);
    forecast.insert(forecast.end(), f.begin(), f.end());
  }
  WriteDoubles(folder / "panel_open.f64", open);
  WriteDoubles(folder / "panel_close.f64", close);
  WriteDoubles(folder / "panel_forecast.f64", forecast);
  const std::string command =
      fmt::format("{} {}/bench/backtest_peer.py {} {} 2>&1", PythonName(), SourceFolder().string(),
                  folder.string(), panel.bars.symbols.size());
  std::FILE* pipe = popen(command.c_str(), "r");  // NOLINT(cert-env33-c): our own script
  if (pipe == nullptr) return nullptr;
  std::string output;
  char buffer[4096];
  while (const size_t count = std::fread(buffer, 1, sizeof(buffer), pipe)) {
    output.append(buffer, count);
  }
  const bool fine = pclose(pipe) == 0;
  Json parsed = Json::parse(output, nullptr, false);
  if (!fine || parsed.is_discarded()) {
    fmt::print("left out the ratios to NumPy and pandas: {}\n", Trim(output));
    return nullptr;
  }
  return parsed;
}

void Print(const std::string& what, const std::string& measured, const std::string& asked) {
  fmt::print("{:<58}{:>26}   asked: {}\n", what, measured, asked);
}

void PrintRate(const std::string& what, double bars, double seconds, const std::string& asked) {
  Print(what, fmt::format("{:.0f} million a second", bars / seconds / 1e6), asked);
}

void RunAll(const Load& load) {
  SetThreadCount(1);
  const CandleSeries bars = MinuteBars(load.bars);
  const SignalTable table = HalfHourly(bars);
  const std::vector<SignalConfig> plain = Thresholds(load.configs);
  const std::vector<SignalConfig> stops = WithExits(plain, false);
  const std::vector<SignalConfig> trailing = WithExits(plain, true);
  const auto n = static_cast<double>(bars.size());
  const double total = n * static_cast<double>(load.configs);
  const size_t some = load.configs / 5;
  fmt::print("{} minute bars, {} configurations, a decision every 30 bars, one thread\n",
             FormatCount(static_cast<int64_t>(load.bars)), load.configs);

  PrintRate("one configuration, stops, equity at every bar", n,
            OneConfig(bars, table, stops[some], 0, load.rounds), "-");
  PrintRate("  the same on two cores, by the clock", n,
            OneConfigOnTwoCores(bars, table, stops[some], load.rounds), "50");
  PrintRate("one configuration, stops, equity every 30 bars", n,
            OneConfig(bars, table, stops[some], 30 * kMsPerMinute, load.rounds), "50");
  const double plain_seconds = Sweep(bars, table, plain, load.rounds);
  PrintRate("sweep, thresholds, of configuration-bars", total, plain_seconds, "250 a core");
  PrintRate("sweep, stops and profits", total, Sweep(bars, table, stops, load.rounds),
            "250 a core");
  PrintRate("sweep, trailing stops too", total, Sweep(bars, table, trailing, load.rounds),
            "250 a core");

  const Panel panel = MakePanel();
  const PanelTimes times = RunPanel(panel, load.rounds);
  Print("panel, 352 symbols x 1008 days, top 10 every day",
        fmt::format("{:.2f} ms", 1e3 * times.run), "20 ms");
  Print("  putting the series beside each other before that",
        fmt::format("{:.2f} ms", 1e3 * times.align), "-");

  const fs::path folder = fs::temp_directory_path() / "almanac-backtest-bench";
  const Json python = RunPython(folder, bars, table, plain, panel);
  fs::remove_all(folder);
  if (python.is_null()) return;
  // NumPy ran a few of the configurations.
  const double each = python.at("sweep_seconds_each").get<double>();
  Print("NumPy, the same thresholds, vectorised",
        fmt::format("{:.0f} million a second", n / each / 1e6), "-");
  Print("  ratio",
        fmt::format("{:.0f} x", each * static_cast<double>(load.configs) / plain_seconds), "20 x");
  const double pandas = python.at("panel_seconds").get<double>();
  Print("pandas, the same panel, vectorised", fmt::format("{:.1f} ms", 1e3 * pandas), "-");
  Print("  ratio", fmt::format("{:.0f} x", pandas / times.run), "20 x");
  Print("  ratio, putting the series beside each other included",
        fmt::format("{:.0f} x", pandas / (times.run + times.align)), "-");
  fmt::print("equity at the end, panel: {:.2f} here, {:.2f} in pandas\n", times.final_equity,
             python.at("panel_equity").get<double>());
}

}  // namespace
}  // namespace almanac

int main(int argc, char** argv) {
  almanac::Load load;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i];
    const auto value = almanac::ParseInt64(argv[i + 1]);
    if (!value || *value < 1) {
      fmt::print(stderr, "{} needs a number above 0\n", flag);
      return 2;
    }
    if (flag == "--bars") load.bars = static_cast<size_t>(*value);
    if (flag == "--configs") load.configs = static_cast<size_t>(*value);
    if (flag == "--rounds") load.rounds = static_cast<int>(*value);
  }
  try {
    almanac::RunAll(load);
  } catch (const almanac::Error& error) {
    fmt::print(stderr, "backtest_bench: {}\n", error.what());
    return 1;
  }
  return 0;
}
