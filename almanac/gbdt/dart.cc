#include "almanac/gbdt/dart.h"

#include <algorithm>

namespace almanac::gbdt {

Dart::Dart(const Params& params)
    : learning_rate_(params.learning_rate),
      drop_rate_(params.drop_rate),
      skip_drop_(params.skip_drop),
      max_drop_(params.max_drop),
      is_uniform_(params.uniform_drop),
      is_xgboost_(params.xgboost_dart_mode),
      random_(static_cast<uint32_t>(params.drop_seed)),
      shrinkage_(params.learning_rate) {}

bool Dart::MayDropMore() const {
  return max_drop_ <= 0 || dropped_.size() < static_cast<size_t>(max_drop_);
}

void Dart::StartRound(int rounds) {
  dropped_.clear();
  const bool skips = random_.DrawFloat() < skip_drop_;
  // The chance of a round is in proportion to its weight; the mean of all is drop_rate, or what
  // lets max_drop rounds be expected.
  const double per_weight = is_uniform_ ? 1 : static_cast<double>(weights_.size()) / sum_;
  double rate = drop_rate_;
  if (max_drop_ > 0) {
    rate = std::min(rate, is_uniform_ ? max_drop_ / static_cast<double>(rounds)
                                      : max_drop_ * per_weight / sum_);
  }
  for (size_t i = 0; !skips && i < static_cast<size_t>(rounds) && MayDropMore(); ++i) {
    const double chance = is_uniform_ ? rate : rate * weights_[i] * per_weight;
    if (random_.DrawFloat() < chance) dropped_.push_back(i);
  }
  if (is_xgboost_ && dropped_.empty()) {
    shrinkage_ = learning_rate_;
  } else {
    shrinkage_ = learning_rate_ / ((is_xgboost_ ? learning_rate_ : 1.0) + dropped_count());
  }
}

double Dart::first_factor() const {
  return is_xgboost_ ? shrinkage_ : 1.0 / (dropped_count() + 1.0);
}

double Dart::second_factor() const {
  return is_xgboost_ ? -dropped_count() / learning_rate_ : -dropped_count();
}

void Dart::FinishRound() {
  if (is_uniform_) return;
  const double all = dropped_count() + (is_xgboost_ ? learning_rate_ : 1.0);
  for (const size_t i : dropped_) {
    sum_ -= weights_[i] * (1.0 / all);
    weights_[i] *= dropped_count() / all;
  }
  weights_.push_back(shrinkage_);
  sum_ += shrinkage_;
}

}  // namespace almanac::gbdt
