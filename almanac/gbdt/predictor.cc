#include "almanac/gbdt/predictor.h"

#include <fmt/format.h>

#include <algorithm>

#include "almanac/base/error.h"
#include "almanac/base/parallel.h"

namespace almanac::gbdt {
namespace {

// Rooms that are kept from call to call.
double* Scratch(size_t size) {
  static thread_local std::vector<double> room;
  if (room.size() < size) room.resize(size);
  return room.data();
}

double* ScoreScratch(size_t size) {
  static thread_local std::vector<double> room;
  room.assign(size, 0.0);
  return room.data();
}

}  // namespace

Predictor::Predictor(const Model& model)
    : classes_(static_cast<size_t>(model.classes)),
      columns_(model.columns()),
      transform_(model.objective, static_cast<size_t>(model.classes), "objective") {
  if (model.averages_output && model.rounds() > 0) {
    scale_ = 1.0 / static_cast<double>(model.rounds());
  }
  for (const Tree& tree : model.trees) forest_.Append(tree);
}

void Predictor::Finish(Output output, std::span<double> scores) const {
  if (scale_ != 1) {
    for (double& score : scores) score *= scale_;
  }
  if (output == Output::kTransformed) transform_.Apply(scores);
}

void Predictor::Predict(std::span<const double> row, Output output, std::span<double> out) const {
  double* slots = Scratch(forest_.slots());
  forest_.FillSlots(row.data(), slots);
  std::fill(out.begin(), out.end(), 0.0);
  size_t of_class = 0;
  forest_.Walk(slots, [&](size_t, int32_t place) {
    out[of_class] += forest_.value(place);
    if (++of_class == classes_) of_class = 0;
  });
  Finish(output, out);
}

void Predictor::Leaves(std::span<const double> row, std::span<int> out) const {
  double* slots = Scratch(forest_.slots());
  forest_.FillSlots(row.data(), slots);
  forest_.Walk(slots, [&](size_t tree, int32_t place) { out[tree] = forest_.leaf(place); });
}

template <typename Value>
void Predictor::PredictBlocks(size_t rows, const Value& value, Output output,
                              std::span<double> out) const {
  constexpr size_t kBlock = FlatForest::kBlockRows;
  ParallelFor((rows + kBlock - 1) / kBlock, [&](size_t block) {
    const size_t begin = block * kBlock, count = std::min(kBlock, rows - begin);
    double* slots = Scratch(forest_.slots() * kBlock);
    std::fill_n(slots, kBlock, 0.0);
    forest_.FillBlock([&](size_t column, size_t r) { return value(column, begin + r); }, count,
                      slots);
    double* scores = ScoreScratch(classes_ * kBlock);
    for (size_t t = 0; t < forest_.trees(); ++t) {
      forest_.AddToBlock(t, slots, scores + t % classes_ * kBlock);
    }
    for (size_t r = 0; r < count; ++r) {
      const std::span<double> row = out.subspan((begin + r) * classes_, classes_);
      for (size_t k = 0; k < classes_; ++k) row[k] = scores[k * kBlock + r];
      Finish(output, row);
    }
  });
}

void Predictor::PredictRows(std::span<const double> rows, Output output,
                            std::span<double> out) const {
  const auto value = [&](size_t column, size_t r) { return rows[r * columns_ + column]; };
  PredictBlocks(rows.size() / columns_, value, output, out);
}

std::vector<double> Predictor::PredictAll(const ColumnSource& source, Output output) const {
  if (source.names.size() != columns_) {
    throw Error(ErrorCode::kBadData, "boosted trees",
                fmt::format("{} columns for a model of {}", source.names.size(), columns_),
                "give the columns that the model was trained on, in their order");
  }
  // Only columns that some tree asks for are read.
  std::vector<std::vector<double>> columns(columns_);
  ParallelFor(columns_, [&](size_t c) {
    if (!forest_.Uses(c)) return;
    columns[c].resize(source.rows);
    source.read(c, columns[c]);
  });
  std::vector<double> out(source.rows * classes_);
  PredictBlocks(
      source.rows, [&](size_t c, size_t r) { return columns[c][r]; }, output, out);
  return out;
}

}  // namespace almanac::gbdt
