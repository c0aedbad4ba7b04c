#include "almanac/gbdt/bagging.h"

#include <numeric>

namespace almanac::gbdt {
namespace {

constexpr size_t kBlockRows = 1024;

}  // namespace

Bagging::Bagging(const Params& params, size_t rows)
    : fraction_(params.bagging_fraction),
      period_(params.bagging_fraction < 1 ? params.bagging_freq : 0),
      rows_(rows) {
  in_.resize(rows);
  std::iota(in_.begin(), in_.end(), 0U);
  if (period_ == 0) return;
  for (size_t block = 0; block * kBlockRows < rows; ++block) {
    random_.emplace_back(static_cast<uint32_t>(params.bagging_seed) + static_cast<uint32_t>(block));
  }
}

void Bagging::StartRound(int round) {
  if (period_ == 0 || round % period_ != 0) return;
  in_.clear();
  out_.clear();
  for (uint32_t row = 0; row < rows_; ++row) {
    const bool is_in = random_[row / kBlockRows].DrawFloat() < fraction_;
    (is_in ? in_ : out_).push_back(row);
  }
}

}  // namespace almanac::gbdt
