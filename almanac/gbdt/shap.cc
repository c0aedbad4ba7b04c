#include "almanac/gbdt/shap.h"

#include <algorithm>

namespace almanac::gbdt {
namespace {

// One column on the path from the root: which share of paths goes on when it is unknown (zero) and
// when it is known (one), and the weight of all subsets of this many columns.
struct Step {
  int column = -1;
  double zero = 1, one = 1, weight = 1;
};

using Path = std::vector<Step>;

// Adds a column to the path: every subset either lacks or has it.
void Extend(Path& path, double zero, double one, int column) {
  const size_t depth = path.size();
  path.push_back({column, zero, one, depth == 0 ? 1.0 : 0.0});
  const auto length = static_cast<double>(depth + 1);
  for (size_t i = depth; i-- > 0;) {
    path[i + 1].weight += one * path[i].weight * static_cast<double>(i + 1) / length;
    path[i].weight *= zero * static_cast<double>(depth - i) / length;
  }
}

// Undoes Extend for the column at `place`.
void Unwind(Path& path, size_t place) {
  const size_t depth = path.size() - 1;
  const double zero = path[place].zero, one = path[place].one;
  const auto length = static_cast<double>(depth + 1);
  double next = path[depth].weight;
  for (size_t i = depth; i-- > 0;) {
    if (one != 0) {
      const double weight = path[i].weight;
      path[i].weight = next * length / (static_cast<double>(i + 1) * one);
      next = weight - path[i].weight * zero * static_cast<double>(depth - i) / length;
    } else {
      path[i].weight *= length / (zero * static_cast<double>(depth - i));
    }
  }
  for (size_t i = place; i < depth; ++i) {
    path[i].column = path[i + 1].column;
    path[i].zero = path[i + 1].zero;
    path[i].one = path[i + 1].one;
  }
  path.pop_back();
}

double UnwoundSum(Path path, size_t place) {
  Unwind(path, place);
  double sum = 0;
  for (const Step& step : path) sum += step.weight;
  return sum;
}

class TreeShap {
 public:
  TreeShap(const Tree& tree, std::span<const double> row, std::span<double> values)
      : tree_(tree), row_(row), values_(values) {}

  void Run() {
    if (tree_.nodes() > 0) Visit(0, {}, 1, 1, -1);
  }

 private:
  double RowsAt(int place) const {
    return place >= 0 ? tree_.internal_count[static_cast<size_t>(place)]
                      : tree_.leaf_count[LeafPlace(place)];
  }

  void Visit(int place, Path path, double zero, double one, int column) {
    Extend(path, zero, one, column);
    if (place < 0) {
      AddLeaf(path, tree_.leaf_value[LeafPlace(place)]);
      return;
    }
    const auto node = static_cast<size_t>(place);
    const int feature = tree_.split_feature[node];
    const bool is_left = tree_.GoesLeft(node, row_[static_cast<size_t>(feature)]);
    const int hot = is_left ? tree_.left_child[node] : tree_.right_child[node];
    const int cold = is_left ? tree_.right_child[node] : tree_.left_child[node];
    // A column that is on the path already is taken out, its shares multiplied.
    double zero_before = 1, one_before = 1;
    const auto earlier = std::find_if(path.begin() + 1, path.end(),
                                      [&](const Step& step) { return step.column == feature; });
    if (earlier != path.end()) {
      zero_before = earlier->zero;
      one_before = earlier->one;
      Unwind(path, static_cast<size_t>(earlier - path.begin()));
    }
    const double rows = RowsAt(place);
    const auto share = [&](int child) { return rows > 0 ? RowsAt(child) / rows : 0.5; };
    Visit(hot, path, zero_before * share(hot), one_before, feature);
    // Where no training row went and the row does not go, nothing is to be added.
    if (share(cold) > 0) Visit(cold, path, zero_before * share(cold), 0, feature);
  }

  void AddLeaf(const Path& path, double value) {
    for (size_t i = 1; i < path.size(); ++i) {
      const double change = UnwoundSum(path, i) * (path[i].one - path[i].zero);
      values_[static_cast<size_t>(path[i].column)] += change * value;
    }
  }

  const Tree& tree_;
  std::span<const double> row_;
  std::span<double> values_;
};

}  // namespace

double ExpectedValue(const Tree& tree) {
  double sum = 0, rows = 0;
  for (size_t leaf = 0; leaf < tree.leaves(); ++leaf) {
    sum += tree.leaf_value[leaf] * tree.leaf_count[leaf];
    rows += tree.leaf_count[leaf];
  }
  return tree.leaves() == 1 || rows <= 0 ? tree.leaf_value[0] : sum / rows;
}

std::vector<double> ShapValues(const Model& model, std::span<const double> row) {
  const auto classes = static_cast<size_t>(model.classes);
  const size_t width = model.columns() + 1;
  std::vector<double> values(classes * width, 0.0);
  for (size_t t = 0; t < model.trees.size(); ++t) {
    const std::span<double> of_class = std::span(values).subspan(t % classes * width, width);
    TreeShap(model.trees[t], row, of_class.first(model.columns())).Run();
    of_class.back() += ExpectedValue(model.trees[t]);
  }
  if (model.averages_output) {
    for (double& value : values) value /= static_cast<double>(model.rounds());
  }
  return values;
}

}  // namespace almanac::gbdt
