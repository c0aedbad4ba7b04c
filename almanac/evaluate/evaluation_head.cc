#include "almanac/evaluate/evaluation_head.h"

#include <nlohmann/json.hpp>

namespace almanac {

EvaluationHead::EvaluationHead(const EvaluateOptions& options, const RatioSums& sums, size_t loss,
                               size_t sample_rows, size_t sample_horizon)
    : model(options.model),
      naive(options.naive),
      rows(sample_rows),
      instants(sums.instants()),
      horizon(sample_horizon),
      block_length(BlockLengthOfDifference(sums.InstantMeans(loss), sums.InstantMeans(loss + 1),
                                           sample_horizon, options.bootstrap)),
      bootstrap(options.bootstrap) {}

Json HeadToJson(const EvaluationHead& head) {
  return Json{{"verdict", head.verdict},
              {"rows", head.rows},
              {"instants", head.instants},
              {"block_length", head.block_length}};
}

}  // namespace almanac
