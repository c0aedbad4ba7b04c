// Boosted trees: time to bin, to train a round, and to predict, exact mode beside fixed point.
//
//   gbdt_bench [ROWS COLUMNS ROUNDS]      default 20000 1000 20
//
// Three classes, 30 leaves, depth 5, feature_fraction 0.7, bagging 0.8 every 5 rounds: the sweep's
// screening models. The columns are random normals, of which the first 20 carry signal; one in 50
// has missing values. Held-out log loss is printed so that speed cannot be bought with it.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <limits>
#include <string>
#include <vector>

#include "almanac/base/parallel.h"
#include "almanac/base/random.h"
#include "almanac/gbdt/metric.h"
#include "almanac/gbdt/predictor.h"
#include "almanac/gbdt/train.h"

namespace almanac::gbdt {
namespace {

constexpr size_t kSignalColumns = 20;
constexpr int kClasses = 3;

double Seconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

struct Table {
  std::vector<std::vector<float>> columns;
  std::vector<float> label;

  ColumnSource Source() const {
    ColumnSource source;
    source.rows = label.size();
    for (size_t c = 0; c < columns.size(); ++c) source.names.push_back(fmt::format("x{}", c));
    source.read = [this](size_t c, std::span<double> out) {
      std::copy(columns[c].begin(), columns[c].end(), out.begin());
    };
    return source;
  }
};

Table MakeTable(size_t rows, size_t columns, uint64_t seed) {
  Table table;
  table.columns.assign(columns, std::vector<float>(rows));
  ParallelFor(columns, [&](size_t c) {
    Random random(seed * 100003 + c);
    for (float& value : table.columns[c]) {
      value = static_cast<float>(random.Normal());
      if (c % 50 == 49 && random.Normal() > 1) value = std::numeric_limits<float>::quiet_NaN();
    }
  });
  Random noise(seed);
  for (size_t row = 0; row < rows; ++row) {
    double sum = 2 * noise.Normal();
    for (size_t c = 0; c < std::min(columns, kSignalColumns); ++c) {
      const float value = table.columns[c][row];
      sum += c % 2 == 0 ? value : value * std::abs(value) / 2;
    }
    table.label.push_back(sum < -2 ? 0.0F : sum < 2 ? 1.0F : 2.0F);
  }
  return table;
}

double LogLoss(const Model& model, const Table& table, const Params& params) {
  const std::vector<double> by_row =
      Predictor(model).PredictAll(table.Source(), Output::kTransformed);
  std::vector<double> by_class(by_row.size());
  const size_t rows = table.label.size();
  for (size_t i = 0; i < by_row.size(); ++i)
    by_class[i % kClasses * rows + i / kClasses] = by_row[i];
  return Evaluate("multi_logloss", by_class, {table.label, {}}, params);
}

void Run(size_t rows, size_t columns, int rounds) {
  const Table train = MakeTable(rows, columns, 1), test = MakeTable(rows / 4, columns, 2);
  Params params = Params::Parse({{"objective", "multiclass"},
                                 {"num_class", std::to_string(kClasses)},
                                 {"num_leaves", "30"},
                                 {"max_depth", "5"},
                                 {"feature_fraction", "0.7"},
                                 {"bagging_fraction", "0.8"},
                                 {"bagging_freq", "5"},
                                 {"num_iterations", std::to_string(rounds)},
                                 {"seed", "1"}},
                                "bench");
  fmt::print("{} rows, {} columns, {} rounds, {} threads\n", rows, columns, rounds, ThreadCount());
  double start = Seconds();
  const BinnedData data = BinnedData::Make(train.Source(), params);
  fmt::print("binning        {:8.3f} s\n", Seconds() - start);
  for (const bool exact : {true, false}) {
    params.exact = exact;
    start = Seconds();
    const Model model = Train(params, data, {train.label, {}}).model;
    const double seconds = Seconds() - start;
    fmt::print("{:<12}   {:8.3f} s a round, held-out log loss {:.6f}\n",
               exact ? "exact" : "fixed point", seconds / rounds, LogLoss(model, test, params));
    if (exact) continue;
    const Predictor predictor(model);
    std::vector<double> row(columns, 0.5), out(kClasses);
    constexpr int kCalls = 20000;
    start = Seconds();
    for (int i = 0; i < kCalls; ++i) {
      row[0] = i * 1e-4 - 1;
      predictor.Predict(row, Output::kTransformed, out);
    }
    fmt::print("one row        {:8.3f} us\n", (Seconds() - start) / kCalls * 1e6);
    start = Seconds();
    predictor.PredictAll(test.Source(), Output::kTransformed);
    fmt::print("all rows       {:8.3f} us a row\n",
               (Seconds() - start) / static_cast<double>(test.label.size()) * 1e6);
  }
}

}  // namespace
}  // namespace almanac::gbdt

int main(int argc, char** argv) {
  try {
    const auto argument = [&](int i, int otherwise) {
      return argc > i ? std::stoi(argv[i]) : otherwise;
    };
    almanac::gbdt::Run(static_cast<size_t>(argument(1, 20000)),
                       static_cast<size_t>(argument(2, 1000)), argument(3, 20));
  } catch (const std::exception& error) {
    std::fputs(fmt::format("gbdt_bench: {}\n", error.what()).c_str(), stderr);
    return 1;
  }
  return 0;
}
