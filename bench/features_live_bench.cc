// The live row: after a snapshot, one new 5-minute bar of three coins gives all columns of the set
// `swing`. Asked for: at least 15,000 columns in under 5 ms on two cores, bit-identical to history.
//
//   features_live_bench [--history N] [--rows N] [--threads N]
//
// Bars are a random walk. Rows at which many higher timeframes close at once (midnight) are also
// given by themselves.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <exception>
#include <string>
#include <vector>

#include "almanac/base/parallel.h"
#include "almanac/base/random.h"
#include "almanac/base/text.h"
#include "almanac/feature/build.h"
#include "almanac/feature/stream.h"

namespace almanac {
namespace {

using Clock = std::chrono::steady_clock;

constexpr TimeMs kStart = 1704067200000;  // 2024-01-01

struct Options {
  size_t history = 60'000;  // 208 days of 5-minute bars
  size_t rows = 2'000;
  int threads = 2;
};

// Of all threads: what a row costs where other programs share the machine.
double ProcessorSeconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double Seconds(Clock::time_point since) {
  return std::chrono::duration<double>(Clock::now() - since).count();
}

CandleSeries Walk(const std::string& symbol, size_t bars, uint64_t seed) {
  Random random(seed, "features live bench");
  CandleSeries series;
  series.key = {"bench", symbol, Timeframe::Parse("5m")};
  double price = 100;
  for (size_t i = 0; i < bars; ++i) {
    Candle bar;
    bar.open_time = kStart + static_cast<TimeMs>(i) * series.key.timeframe.duration();
    bar.open = price;
    bar.close = price * std::exp(0.002 * random.Normal());
    bar.high = std::max(bar.open, bar.close) * (1 + 0.001 * random.Uniform());
    bar.low = std::min(bar.open, bar.close) * (1 - 0.001 * random.Uniform());
    bar.volume = 100 * random.Exponential();
    series.Append(bar);
    price = bar.close;
  }
  return series;
}

void PrintTimes(const std::string& what, std::vector<double> seconds) {
  if (seconds.empty()) return;
  std::sort(seconds.begin(), seconds.end());
  const auto at = [&](double share) {
    return 1e3 * seconds[static_cast<size_t>(share * static_cast<double>(seconds.size() - 1))];
  };
  fmt::print(
      "{} ({} rows): median {:.2f} ms, 90 % below {:.2f} ms, 99 % below {:.2f} ms, "
      "longest {:.2f} ms\n",
      what, seconds.size(), at(0.5), at(0.9), at(0.99), at(1));
}

// How many of the live rows' values differ from history's.
size_t CountDifferences(const FeatureSet& set, const Frame& frame, size_t first,
                        const std::vector<std::vector<float>>& live) {
  const FeatureStream stream(set, frame);
  std::vector<size_t> different(stream.groups());
  ParallelFor(stream.groups(), [&](size_t g) {
    const ColumnGroup group = stream.group(g);
    stream.Compute(g, [&](const FeatureBlock& block) {
      for (size_t i = 0; i < block.rows; ++i) {
        if (block.first_row + i < first) continue;
        const std::vector<float>& row = live[block.first_row + i - first];
        for (size_t c = 0; c < group.count; ++c) {
          const float a = block.columns[c][i], b = row[group.first + c];
          const bool same = std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b) ||
                            (std::isnan(a) && std::isnan(b));
          different[g] += same ? 0 : 1;
        }
      }
    });
  });
  size_t all = 0;
  for (const size_t one : different) all += one;
  return all;
}

void Run(const Options& options) {
  SetThreadCount(options.threads);
  std::vector<CandleSeries> series;
  for (const char* symbol : {"BTCUSDT", "ETHUSDT", "SOLUSDT"}) {
    series.push_back(Walk(symbol, options.history + options.rows, series.size() + 1));
  }
  const Frame frame(series);
  const FeatureSet set = FeatureSet::Named("swing", frame.key().symbols());

  Clock::time_point since = Clock::now();
  LiveFrame past(set, frame.key());
  past.Run(frame, 0, options.history, {});
  fmt::print("{} columns, {} bars of history on {} threads: {:.1f} s\n", past.columns(),
             options.history, ThreadCount(), Seconds(since));
  since = Clock::now();
  const std::string snapshot = past.Snapshot();
  const double saved = Seconds(since);
  since = Clock::now();
  LiveFrame live = LiveFrame::Restore(set, frame.key(), snapshot);
  fmt::print("snapshot: {:.1f} MB, saved in {:.2f} s, restored in {:.2f} s\n",
             static_cast<double>(snapshot.size()) / 1e6, saved, Seconds(since));

  std::vector<double> all, midnight, processor;
  std::vector<std::vector<float>> rows;
  for (size_t t = options.history; t < frame.times().size(); ++t) {
    const std::vector<Candle> bars = {series[0].At(t), series[1].At(t), series[2].At(t)};
    const std::vector<const Candle*> places = {&bars[0], &bars[1], &bars[2]};
    const double worked = ProcessorSeconds();
    since = Clock::now();
    const std::span<const float> row = live.Step(places);
    all.push_back(Seconds(since));
    processor.push_back(ProcessorSeconds() - worked);
    if (frame.times()[t] % kMsPerDay == 0) midnight.push_back(all.back());
    rows.emplace_back(row.begin(), row.end());
  }
  PrintTimes("a live row", all);
  PrintTimes("a live row at midnight", midnight);
  PrintTimes("processor time of a live row, threads together", processor);
  fmt::print("values that differ from history's: {} of {}\n",
             CountDifferences(set, frame, options.history, rows), rows.size() * set.size());
}

Options ReadOptions(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i];
    const auto value = static_cast<size_t>(ParseInt64(argv[i + 1]).value());
    if (flag == "--history") options.history = value;
    if (flag == "--rows") options.rows = value;
    if (flag == "--threads") options.threads = static_cast<int>(value);
  }
  return options;
}

}  // namespace
}  // namespace almanac

int main(int argc, char** argv) {
  try {
    almanac::Run(almanac::ReadOptions(argc, argv));
  } catch (const std::exception& error) {
    std::fputs(fmt::format("features_live_bench: {}\n", error.what()).c_str(), stderr);
    return 1;
  }
  return 0;
}
