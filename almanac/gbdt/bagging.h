// Which rows a round learns from.
#ifndef ALMANAC_GBDT_BAGGING_H_
#define ALMANAC_GBDT_BAGGING_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "almanac/dataset/lcg.h"
#include "almanac/gbdt/params.h"

namespace almanac::gbdt {

// Every bagging_freq rounds each row is drawn anew with probability bagging_fraction, so the size
// of the bag varies. Blocks of 1024 rows have a generator each: the choice does not depend on
// threads.
class Bagging {
 public:
  Bagging(const Params& params, size_t rows);

  // Call once a round, from 0 on.
  void StartRound(int round);
  const std::vector<uint32_t>& in_bag() const { return in_; }       // ascending
  const std::vector<uint32_t>& out_of_bag() const { return out_; }  // ascending

 private:
  double fraction_;
  int period_;  // 0: all rows, always
  size_t rows_;
  std::vector<Lcg> random_;  // one a block
  std::vector<uint32_t> in_, out_;
};

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_BAGGING_H_
