// What a value of each family costs: nanoseconds of processor time, the dearest first.
//
// Every column is alone in its graph, so what columns of a set share is counted in each of them.
// A column is computed three times; the fastest counts.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <exception>
#include <string>
#include <vector>

#include "almanac/base/random.h"
#include "almanac/feature/every_family_for_test.h"
#include "almanac/feature/family.h"
#include "almanac/market/candle.h"

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

std::vector<double> ToDouble(const std::vector<TimeMs>& times, DurationMs later) {
  std::vector<double> values;
  values.reserve(times.size());
  for (const TimeMs time : times) values.push_back(static_cast<double>(time + later));
  return values;
}

double NanosecondsPerValue(const FeatureSpec& spec, const CandleSeries& series) {
  const std::vector<double> open_times = ToDouble(series.open_time, 0);
  const std::vector<double> known_at = ToDouble(series.open_time, series.key.timeframe.duration());
  const std::vector<double> vwap(series.size(), Candle::kNotGiven);
  std::vector<float> values(series.size());
  float* const out = values.data();
  double fastest = INFINITY;
  for (int pass = 0; pass < 3; ++pass) {
    KernelGraph graph;
    graph.AddColumn(AddFeature(graph, spec));
    const std::clock_t begin = std::clock();
    graph.Run(series.size(),
              {series.open.data(), series.high.data(), series.low.data(), series.close.data(),
               series.volume.data(), open_times.data(), known_at.data(), vwap.data()},
              {&out, 1});
    const double passed = 1e9 * static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    fastest = std::min(fastest, passed / static_cast<double>(series.size()));
  }
  return fastest;
}

void Run(size_t bars, int64_t scale) {
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
