#include "almanac/gbdt/partial_dependence.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "almanac/base/error.h"
#include "almanac/base/parallel.h"

namespace almanac::gbdt {
namespace {

// The empirical quantile with plotting positions (k - 0.4) / (n + 0.2), as scipy's mquantiles.
double EmpiricalQuantile(const std::vector<double>& sorted, double share) {
  constexpr double kAlpha = 0.4, kBeta = 0.4;
  const auto count = static_cast<double>(sorted.size());
  const double aleph = count * share + kAlpha + share * (1.0 - kAlpha - kBeta);
  const double k = std::floor(std::clamp(aleph, 1.0, std::max(1.0, count - 1.0)));
  const double gamma = std::clamp(aleph - k, 0.0, 1.0);
  const auto place = static_cast<size_t>(k) - 1;
  const double next = sorted[std::min(place + 1, sorted.size() - 1)];
  return (1.0 - gamma) * sorted[place] + gamma * next;
}

class TreePaths {
 public:
  TreePaths(const Tree& tree, const HeldColumns& held, std::span<const double> values)
      : tree_(tree), held_(held), values_(values) {}

  double Mean(int place) const {
    if (place < 0) return tree_.leaf_value[LeafPlace(place)];
    const auto node = static_cast<size_t>(place);
    const int left = tree_.left_child[node], right = tree_.right_child[node];
    const auto column = static_cast<size_t>(tree_.split_feature[node]);
    for (size_t c = 0; c < held_.columns.size(); ++c) {
      if (held_.columns[c] == column) {
        return Mean(tree_.GoesLeft(node, values_[c]) ? left : right);
      }
    }
    const double rows = RowsAt(left) + RowsAt(right);
    const double share = rows > 0 ? RowsAt(left) / rows : 0.5;
    return share * Mean(left) + (1.0 - share) * Mean(right);
  }

 private:
  double RowsAt(int place) const {
    return place >= 0 ? tree_.internal_count[static_cast<size_t>(place)]
                      : tree_.leaf_count[LeafPlace(place)];
  }

  const Tree& tree_;
  const HeldColumns& held_;
  std::span<const double> values_;
};

// The columns that the model asks for, read once.
ColumnSource InMemory(const Model& model, const ColumnSource& source,
                      std::vector<std::vector<double>>& columns) {
  std::vector<uint8_t> is_used(source.names.size(), 0);
  for (const Tree& tree : model.trees) {
    for (const int column : tree.split_feature) {
      if (static_cast<size_t>(column) < is_used.size()) is_used[static_cast<size_t>(column)] = 1;
    }
  }
  columns.resize(source.names.size());
  ParallelFor(columns.size(), [&](size_t c) {
    columns[c].resize(is_used[c] != 0 ? source.rows : 0);
    if (is_used[c] != 0) source.read(c, columns[c]);
  });
  return {source.rows, source.names, [&columns](size_t c, std::span<double> out) {
            std::copy(columns[c].begin(), columns[c].end(), out.begin());
          }};
}

}  // namespace

std::vector<double> DependenceGrid::Along(std::span<const double> values) const {
  if (points < 2 || !(low >= 0 && low < high && high <= 1)) {
    throw Error(ErrorCode::kUsage, "partial dependence",
                fmt::format("{} points between the shares {} and {}", points, low, high),
                "give at least 2 points and two shares between 0 and 1, the lower one first");
  }
  std::vector<double> sorted;
  std::copy_if(values.begin(), values.end(), std::back_inserter(sorted),
               [](double value) { return !std::isnan(value); });
  if (sorted.empty()) {
    throw Error(ErrorCode::kBadData, "partial dependence", "the column has no value",
                "take a column that has some");
  }
  std::sort(sorted.begin(), sorted.end());
  std::vector<double> distinct;
  std::unique_copy(sorted.begin(), sorted.end(), std::back_inserter(distinct));
  if (distinct.size() < points) return distinct;
  const double first = EmpiricalQuantile(sorted, low), last = EmpiricalQuantile(sorted, high);
  const double step = (last - first) / static_cast<double>(points - 1);
  std::vector<double> axis(points);
  for (size_t i = 0; i < points; ++i) axis[i] = first + static_cast<double>(i) * step;
  axis.back() = last;
  return axis;
}

size_t HeldColumns::points() const {
  size_t count = 1;
  for (const std::vector<double>& axis : axes) count *= axis.size();
  return count;
}

std::vector<double> HeldColumns::Point(size_t point) const {
  std::vector<double> values(axes.size());
  for (size_t c = axes.size(); c-- > 0;) {
    values[c] = axes[c][point % axes[c].size()];
    point /= axes[c].size();
  }
  return values;
}

std::vector<double> AverageDependence(const Model& model, const ColumnSource& source,
                                      const HeldColumns& held, Output output) {
  const Predictor predictor(model);
  std::vector<std::vector<double>> columns;
  const ColumnSource rows = InMemory(model, source, columns);
  std::vector<double> means(held.points() * predictor.classes(), 0.0);
  for (size_t point = 0; point < held.points(); ++point) {
    const std::vector<double> values = held.Point(point);
    ColumnSource changed = rows;
    changed.read = [&](size_t c, std::span<double> out) {
      const auto found = std::find(held.columns.begin(), held.columns.end(), c);
      if (found == held.columns.end()) return rows.read(c, out);
      std::fill(out.begin(), out.end(), values[static_cast<size_t>(found - held.columns.begin())]);
    };
    const std::vector<double> predictions = predictor.PredictAll(changed, output);
    double* mean = means.data() + point * predictor.classes();
    for (size_t i = 0; i < predictions.size(); ++i) mean[i % predictor.classes()] += predictions[i];
    for (size_t k = 0; k < predictor.classes(); ++k) mean[k] /= static_cast<double>(source.rows);
  }
  return means;
}

std::vector<double> PathDependence(const Model& model, const HeldColumns& held) {
  const auto classes = static_cast<size_t>(model.classes);
  std::vector<double> means(held.points() * classes, 0.0);
  ParallelFor(held.points(), [&](size_t point) {
    const std::vector<double> values = held.Point(point);
    double* mean = means.data() + point * classes;
    for (size_t t = 0; t < model.trees.size(); ++t) {
      const Tree& tree = model.trees[t];
      mean[t % classes] += TreePaths(tree, held, values).Mean(tree.nodes() == 0 ? ~0 : 0);
    }
    if (!model.averages_output) return;
    for (size_t k = 0; k < classes; ++k) mean[k] /= static_cast<double>(model.rounds());
  });
  return means;
}

}  // namespace almanac::gbdt
