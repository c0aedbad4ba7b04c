// What a value of each family costs, on one thread: nanoseconds, the dearest first.
//
// Every column is alone in its graph, so what columns of a set share is counted in each of them.
// A column is computed three times; the fastest counts.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "almanac/base/parallel.h"
#include "almanac/base/random.h"
#include "almanac/feature/build.h"
#include "almanac/feature/every_family_for_test.h"

namespace almanac {
namespace {

CandleSeries RandomBars(size_t bars) {
  Random random(1, "family bench");
  CandleSeries series;
  series.key = {"bench", "X", Timeframe::Parse("5m")};
  double price = 100;
  for (size_t i = 0; i < bars; ++i) {
    Candle bar;
    bar.open_time = 1'700'000'100'000 + static_cast<TimeMs>(i) * series.key.timeframe.duration();
    bar.open = price;
    bar.close = price * std::exp(0.002 * random.Normal());
    bar.high = std::max(bar.open, bar.close) * (1 + 0.001 * random.Uniform());
    bar.low = std::min(bar.open, bar.close) * (1 - 0.001 * random.Uniform());
    bar.volume = 1000 * random.Exponential();
    series.Append(bar);
    price = bar.close;
  }
  return series;
}

double NanosecondsPerValue(const FeatureSpec& spec, const CandleSeries& series) {
  const FeatureSet set({spec});
  std::vector<float> values(series.size());
  double fastest = INFINITY;
  for (int pass = 0; pass < 3; ++pass) {
    LiveFeatures live(set, series.key);
    float* const out = values.data();
    const auto begin = std::chrono::steady_clock::now();
    live.Run(series, 0, series.size(), {&out, 1});
    const std::chrono::duration<double, std::nano> passed =
        std::chrono::steady_clock::now() - begin;
    fastest = std::min(fastest, passed.count() / static_cast<double>(series.size()));
  }
  return fastest;
}

void Run(size_t bars, int64_t scale) {
  SetThreadCount(1);
  const CandleSeries series = RandomBars(bars);
  std::vector<std::pair<double, std::string>> costs;
  for (const FamilyInfo& family : Catalogue()) {
    if (family.two_symbols || family.reads_text) continue;
    const FeatureSpec spec = SpecOf(family, scale);
    costs.emplace_back(NanosecondsPerValue(spec, series), family.group + " " + spec.Name());
  }
  std::sort(costs.rbegin(), costs.rend());
  for (const auto& [cost, name] : costs) fmt::print("{:8.1f} ns  {}\n", cost, name);
}

}  // namespace
}  // namespace almanac

int main(int argc, char** argv) {
  try {
    almanac::Run(argc > 1 ? std::stoul(argv[1]) : 96'480, argc > 2 ? std::stol(argv[2]) : 48);
  } catch (const std::exception& error) {
    std::fputs(fmt::format("family_bench: {}\n", error.what()).c_str(), stderr);
    return 1;
  }
  return 0;
}
