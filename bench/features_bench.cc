// Features at scale: correlation pruning, ...
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <ctime>
#include <exception>
#include <numeric>
#include <string>
#include <vector>

#include "almanac/base/parallel.h"
#include "almanac/base/random.h"
#include "almanac/dataset/correlation.h"

namespace almanac {
namespace {

double WallSeconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

double ProcessorSeconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

struct Stopwatch {
  double wall = WallSeconds(), processor = ProcessorSeconds();
  std::string Text() const {
    return fmt::format("{:.1f} s, {:.1f} s of processor time", WallSeconds() - wall,
                       ProcessorSeconds() - processor);
  }
};

// Columns around common factors; `noise` decides how many repeat each other. One in five has
// missing values before its warm-up is over.
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

void RunCorrelation(size_t rows, size_t columns) {
  std::vector<uint32_t> all(rows);
  std::iota(all.begin(), all.end(), 0U);
  for (const auto& [factors, noise] : {std::pair(columns / 5, 0.25), std::pair(columns, 1.0)}) {
    const auto table = FactorColumns(rows, columns, factors, noise);
    const std::vector<std::span<const float>> views(table.begin(), table.end());
    const Stopwatch watch;
    const auto found = FindCorrelated(views, all, 0.9);
    size_t kept = 0;
    for (const auto& column : found) kept += column ? 0 : 1;
    fmt::print("correlation above 0.9 among {} columns of {} rows: {} kept, {}\n", columns, rows,
               kept, watch.Text());
  }
}

}  // namespace
}  // namespace almanac

int main(int argc, char** argv) {
  try {
    almanac::RunCorrelation(argc > 1 ? std::stoul(argv[1]) : 25000,
                            argc > 2 ? std::stoul(argv[2]) : 15000);
  } catch (const std::exception& error) {
    std::fputs(fmt::format("features_bench: {}\n", error.what()).c_str(), stderr);
    return 1;
  }
  return 0;
}
