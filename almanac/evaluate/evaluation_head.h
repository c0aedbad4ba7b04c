// What every evaluation of more than points begins with: of whom, on how much, how resampled.
#ifndef ALMANAC_EVALUATE_EVALUATION_HEAD_H_
#define ALMANAC_EVALUATE_EVALUATION_HEAD_H_

#include <cstddef>
#include <string>

#include "almanac/base/json.h"
#include "almanac/evaluate/bootstrap.h"
#include "almanac/evaluate/metrics.h"
#include "almanac/evaluate/ratio_sums.h"

namespace almanac {

struct EvaluationHead {
  std::string model, naive;
  size_t rows = 0, instants = 0, horizon = 1;
  double block_length = 0;
  BootstrapOptions bootstrap = {};
  std::string verdict;  // one sentence

  EvaluationHead() = default;
  // `loss` is the column of `sums` that decides the verdict, loss + 1 the same of naive: the mean
  // block length is that of their difference by instant.
  EvaluationHead(const EvaluateOptions& options, const RatioSums& sums, size_t loss,
                 size_t sample_rows, size_t sample_horizon);
};

// Verdict, rows, instants and block length.
Json HeadToJson(const EvaluationHead& head);

}  // namespace almanac

#endif  // ALMANAC_EVALUATE_EVALUATION_HEAD_H_
