// What the benches of boosted trees share: data, parameters, judgement. Three classes, 30 leaves,
// depth 5, feature_fraction 0.7, bagging 0.8 every 5 rounds: the sweep's screening models. The
// columns are random normals, of which the first 20 carry signal; one in 50 has missing values.
#ifndef ALMANAC_BENCH_BOOSTING_H_
#define ALMANAC_BENCH_BOOSTING_H_

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "almanac/base/random.h"
#include "almanac/gbdt/metric.h"
#include "almanac/gbdt/train.h"
#include "boosting_peers.h"

namespace almanac::bench {

inline constexpr size_t kSignalColumns = 20;
inline constexpr int kClasses = 3;

// VmRSS or VmHWM in bytes.
inline double Memory(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key)) return 1024 * std::stod(line.substr(key.size() + 1));
  }
  return 0;
}

struct Shape {
  size_t rows = 20000, columns = 1000;
};

// "a", "b", "c" or ROWSxCOLUMNS.
inline Shape ShapeOf(const std::string& text) {
  const std::map<std::string, std::string> named = {
      {"a", "25000x6000"}, {"b", "100000x1000"}, {"c", "300000x400"}};
  const std::string shape = named.contains(text) ? named.at(text) : text;
  return {std::stoul(shape), std::stoul(shape.substr(shape.find('x') + 1))};
}

inline Matrix MakeMatrix(size_t rows, size_t columns, uint64_t seed) {
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

inline gbdt::ColumnSource SourceOf(const Matrix& matrix) {
  gbdt::ColumnSource source;
  source.rows = matrix.rows;
  for (size_t c = 0; c < matrix.columns; ++c) source.names.push_back(fmt::format("x{}", c));
  source.read = [&matrix](size_t c, std::span<double> out) {
    std::copy_n(matrix.values.begin() + static_cast<std::ptrdiff_t>(c * matrix.rows), matrix.rows,
                out.begin());
  };
  return source;
}

// What the benches are asked for alike.
struct BoostingOptions {
  Shape shape;
  int rounds = 0, threads = 2;
  std::string lightgbm;

  // False if the key is none of these.
  bool Take(const std::string& key, const std::string& value) {
    if (key == "shape") {
      shape = ShapeOf(value);
    } else if (key == "rounds") {
      rounds = std::stoi(value);
    } else if (key == "threads") {
      threads = std::stoi(value);
    } else if (key == "lightgbm") {
      lightgbm = value;
    } else {
      return false;
    }
    return true;
  }
};

// Held out.
struct Quality {
  double log_loss = 0, precision = 0;
};

// Log loss, and the mean over classes of the average precision of each against the others.
inline Quality Judge(const std::vector<double>& by_row, const Matrix& test) {
  std::vector<double> by_class(by_row.size());
  for (size_t i = 0; i < by_row.size(); ++i) {
    by_class[i % kClasses * test.rows + i / kClasses] = by_row[i];
  }
  gbdt::Params params;
  params.num_class = kClasses;
  Quality quality;
  quality.log_loss = gbdt::Evaluate("multi_logloss", by_class, {test.label, {}}, params);
  for (size_t k = 0; k < kClasses; ++k) {
    std::vector<float> is_class;
    for (const float label : test.label) is_class.push_back(label == static_cast<float>(k));
    const std::span<const double> p = std::span(by_class).subspan(k * test.rows, test.rows);
    quality.precision += gbdt::Evaluate("average_precision", p, {is_class, {}}, params) / kClasses;
  }
  return quality;
}

inline gbdt::Settings SettingsOf(int rounds, uint64_t seed) {
  return {{"objective", "multiclass"},   {"num_class", std::to_string(kClasses)},
          {"num_leaves", "30"},          {"max_depth", "5"},
          {"feature_fraction", "0.7"},   {"bagging_fraction", "0.8"},
          {"bagging_freq", "5"},         {"num_iterations", std::to_string(rounds)},
          {"seed", std::to_string(seed)}};
}

// The same as LightGBM takes it.
inline std::string PeerParameters(int rounds, uint64_t seed, int threads) {
  std::string parameters = fmt::format("verbosity=-1 num_threads={}", threads);
  for (const auto& [key, value] : SettingsOf(rounds, seed)) parameters += " " + key + "=" + value;
  return parameters;
}

}  // namespace almanac::bench

#endif  // ALMANAC_BENCH_BOOSTING_H_
