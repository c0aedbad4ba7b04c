#include "almanac/gbdt/predictor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "almanac/base/error.h"
#include "almanac/base/parallel.h"

namespace almanac::gbdt {
namespace {

// Rows predicted together, tree by tree: their values and the tree stay in the nearest cache.
constexpr size_t kBlockRows = 64;
constexpr int kWordBits = 32;

}  // namespace

Predictor::Predictor(const Model& model)
    : classes_(static_cast<size_t>(model.classes)),
      columns_(model.columns()),
      transform_(model.objective, static_cast<size_t>(model.classes), "objective") {
  if (model.averages_output && model.rounds() > 0) {
    scale_ = 1.0 / static_cast<double>(model.rounds());
  }
  for (const Tree& tree : model.trees) Append(tree);
}

void Predictor::Append(const Tree& tree) {
  const auto first_node = static_cast<int32_t>(nodes_.size());
  const auto first_leaf = static_cast<int32_t>(values_.size());
  const auto place = [&](int child) {
    return child >= 0 ? first_node + child : ~(first_leaf + ~child);
  };
  for (size_t n = 0; n < tree.nodes(); ++n) {
    Node node{};
    node.threshold = tree.threshold[n];
    node.left = place(tree.left_child[n]);
    node.right = place(tree.right_child[n]);
    node.feature = static_cast<uint32_t>(tree.split_feature[n]);
    node.is_categorical = tree.IsCategorical(n) ? 1 : 0;
    if (tree.IsCategorical(n)) {
      const auto set = static_cast<size_t>(tree.threshold[n]);
      const int begin = tree.cat_boundaries[set], end = tree.cat_boundaries[set + 1];
      node.threshold = static_cast<double>(sets_.size());
      sets_.push_back({words_.size(), static_cast<size_t>(end - begin)});
      words_.insert(words_.end(), tree.cat_threshold.begin() + begin,
                    tree.cat_threshold.begin() + end);
    } else {
      node.nan_goes_left = tree.GoesLeft(n, std::nan("")) ? 1 : 0;
      node.zero_goes_left = tree.DefaultsLeft(n) ? 1 : 0;
      node.has_zero_rule = tree.MissingOf(n) == Missing::kZero ? 1 : 0;
    }
    nodes_.push_back(node);
  }
  roots_.push_back(tree.nodes() == 0 ? ~first_leaf : first_node);
  first_leaf_.push_back(first_leaf);
  values_.insert(values_.end(), tree.leaf_value.begin(), tree.leaf_value.end());
}

bool Predictor::IsInSet(const Node& node, double value) const {
  const CategorySet& set = sets_[static_cast<size_t>(node.threshold)];
  const double whole = std::trunc(value);
  if (!(whole >= 0) || whole >= static_cast<double>(set.count) * kWordBits) return false;
  const auto category = static_cast<size_t>(whole);
  const uint32_t word = words_[set.first + category / kWordBits];
  return ((word >> (category % kWordBits)) & 1) != 0;
}

int32_t Predictor::LeafOf(int32_t root, const double* row) const {
  int32_t at = root;
  while (at >= 0) {
    const Node& node = nodes_[static_cast<size_t>(at)];
    const double value = row[node.feature];
    bool is_left = value <= node.threshold;
    if (std::isnan(value)) is_left = node.nan_goes_left != 0;
    if (node.has_zero_rule != 0 && std::abs(value) <= kZeroThreshold) {
      is_left = node.zero_goes_left != 0;
    }
    if (node.is_categorical != 0) is_left = IsInSet(node, value);
    at = is_left ? node.left : node.right;
  }
  return ~at;
}

void Predictor::Predict(std::span<const double> row, Output output, std::span<double> out) const {
  std::fill(out.begin(), out.end(), 0.0);
  size_t of_class = 0;
  for (const int32_t root : roots_) {
    out[of_class] += values_[static_cast<size_t>(LeafOf(root, row.data()))];
    if (++of_class == classes_) of_class = 0;
  }
  if (scale_ != 1) {
    for (double& score : out) score *= scale_;
  }
  if (output == Output::kTransformed) transform_.Apply(out);
}

void Predictor::Leaves(std::span<const double> row, std::span<int> out) const {
  for (size_t t = 0; t < roots_.size(); ++t)
    out[t] = LeafOf(roots_[t], row.data()) - first_leaf_[t];
}

std::vector<double> Predictor::PredictAll(const ColumnSource& source, Output output) const {
  if (source.names.size() != columns_) {
    throw Error(ErrorCode::kBadData, "boosted trees",
                fmt::format("{} columns for a model of {}", source.names.size(), columns_),
                "give the columns that the model was trained on, in their order");
  }
  // Only columns that some tree asks for are read.
  std::vector<uint8_t> is_used(columns_, 0);
  for (const Node& node : nodes_) is_used[node.feature] = 1;
  std::vector<std::vector<double>> columns(columns_);
  ParallelFor(columns_, [&](size_t c) {
    if (is_used[c] == 0) return;
    columns[c].resize(source.rows);
    source.read(c, columns[c]);
  });
  std::vector<double> out(source.rows * classes_, 0.0);
  ParallelFor((source.rows + kBlockRows - 1) / kBlockRows, [&](size_t block) {
    const size_t begin = block * kBlockRows;
    const size_t rows = std::min(kBlockRows, source.rows - begin);
    std::vector<double> values(rows * columns_);
    for (size_t c = 0; c < columns_; ++c) {
      if (is_used[c] == 0) continue;
      for (size_t r = 0; r < rows; ++r) values[r * columns_ + c] = columns[c][begin + r];
    }
    double* scores = out.data() + begin * classes_;
    for (size_t t = 0; t < roots_.size(); ++t) {
      for (size_t r = 0; r < rows; ++r) {
        const int32_t leaf = LeafOf(roots_[t], values.data() + r * columns_);
        scores[r * classes_ + t % classes_] += values_[static_cast<size_t>(leaf)];
      }
    }
    for (size_t r = 0; r < rows; ++r) {
      const std::span<double> row(scores + r * classes_, classes_);
      if (scale_ != 1) {
        for (double& score : row) score *= scale_;
      }
      if (output == Output::kTransformed) transform_.Apply(row);
    }
  });
  return out;
}

}  // namespace almanac::gbdt
