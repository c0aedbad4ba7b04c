// Raw scores of rows while a model grows, and what they are judged by. Inside this room.
#ifndef ALMANAC_GBDT_SCORES_H_
#define ALMANAC_GBDT_SCORES_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "almanac/gbdt/binned_data.h"
#include "almanac/gbdt/grown_tree.h"
#include "almanac/gbdt/params.h"
#include "almanac/gbdt/train.h"

namespace almanac::gbdt {

// Scores of a set of rows, class by class.
struct Scores {
  Scores(size_t classes, size_t rows) : values(classes * rows, 0.0), row_count(rows) {}
  std::span<double> of(size_t k) { return std::span(values).subspan(k * row_count, row_count); }

  std::vector<double> values;
  size_t row_count;
};

// Adds each row's leaf value.
void AddScores(const GrownTree& grown, const BinnedData& data, std::span<double> scores);
void AddScores(const GrownTree& grown, const BinnedData& data, std::span<const uint32_t> rows,
               std::span<double> scores);

// The validation sets of a training.
class Judges {
 public:
  // All must outlive it. The metrics are params.metric, then `custom`.
  Judges(const std::vector<Validation>& validations, const Params& params,
         const std::vector<CustomMetric>& custom, size_t classes);

  // Without values yet: set by set, metrics in order.
  std::vector<Evaluation> Announce() const;
  void StartFromInitialScores();
  // Adds to the scores of class k: a number, a tree.
  void Add(size_t k, double score);
  void Add(size_t k, const GrownTree& grown);
  // The metrics of the scores as they are, to the evaluations announced.
  void Evaluate(std::vector<Evaluation>& evaluations) const;

  // What one round leaves for the next.
  template <typename Archive>
  void Visit(Archive& archive) {
    for (Scores& scores : scores_) archive(scores.values);
  }

 private:
  std::vector<double> Predictions(const Scores& scores) const;

  const std::vector<Validation>& validations_;
  const Params& params_;
  const std::vector<CustomMetric>& custom_;
  size_t classes_;
  std::vector<Scores> scores_;
};

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_SCORES_H_
