// How long the tests for many strategies take, each step alone.
// Usage: significance_bench [strategies [instants [replicates]]]
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>

#include "almanac/backtest/overfitting.h"
#include "almanac/backtest/selection.h"
#include "almanac/base/parallel.h"
#include "almanac/base/random.h"
#include "almanac/evaluate/model_confidence_set.h"
#include "almanac/evaluate/superior_ability.h"

namespace almanac {
namespace {

SeriesPanel Noise(size_t series, size_t instants) {
  SeriesPanel panel(instants);
  for (size_t k = 0; k < series; ++k) {
    Random random(1, k);
    std::vector<double> values(instants);
    for (double& value : values) value = 0.01 * random.Normal();
    panel.Add("s" + std::to_string(k), values);
  }
  return panel;
}

void Time(const std::string& name, const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  const std::clock_t before = std::clock();
  work();
  const double processor =
      static_cast<double>(std::clock() - before) / static_cast<double>(CLOCKS_PER_SEC);
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
  fmt::print("{:<44} {:9.3f} s {:9.3f} s of processor time\n", name, passed.count(), processor);
}

void Run(size_t series, size_t instants, int replicates) {
  const SeriesPanel panel = Noise(series, instants);
  const BootstrapOptions options{.replicates = replicates, .block_length = 10};
  fmt::print("{} strategies, {} instants, {} replicates, {} threads\n", series, instants,
             replicates, ThreadCount());
  Time("resampled means", [&] { CentredBootstrapMeans(panel, 10, options); });
  Time("standard deviations of the means", [&] { StationaryDeviations(panel, 10); });
  Time("automatic block length", [&] { PanelBlockLength(panel, {}, 1); });
  Time("reality check, SPA, stepwise", [&] { TestSuperiorAbility(panel, options); });
  Time("model confidence set, max", [&] { ComputeConfidenceSet(panel, options); });
  Time("model confidence set, range",
       [&] { ComputeConfidenceSet(panel, options, 1, ConfidenceSetStatistic::kRange); });
  Time("probability of overfitting, 12,870 halves", [&] { ComputeOverfitting(panel); });
  Time("all of a selection", [&] { JudgeSelection(panel, {.bootstrap = options}); });
}

}  // namespace
}  // namespace almanac

int main(int argc, char** argv) {
  const auto argument = [&](int i, long otherwise) {
    return argc > i ? std::strtol(argv[i], nullptr, 10) : otherwise;
  };
  almanac::Run(static_cast<size_t>(argument(1, 2000)), static_cast<size_t>(argument(2, 1000)),
               static_cast<int>(argument(3, 1000)));
}
