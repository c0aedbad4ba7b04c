#include "almanac/gbdt/bagging.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

namespace almanac::gbdt {
namespace {

constexpr size_t kBlockRows = 1024;

// |gradient * hessian| of each row, over the classes; in floats, as LightGBM adds them.
std::vector<float> SizesOf(std::span<const float> gradients, std::span<const float> hessians,
                           size_t rows) {
  std::vector<float> sizes(rows, 0.0F);
  for (size_t begin = 0; begin < gradients.size(); begin += rows) {
    for (size_t row = 0; row < rows; ++row) {
      sizes[row] += std::abs(gradients[begin + row] * hessians[begin + row]);
    }
  }
  return sizes;
}

}  // namespace

Bagging::Bagging(const Params& params, size_t rows)
    : is_goss_(params.data_sample_strategy == "goss"),
      top_rate_(params.top_rate),
      other_rate_(params.other_rate),
      first_goss_round_(static_cast<int>(1.0 / params.learning_rate)),
      fraction_(params.bagging_fraction),
      period_(params.bagging_fraction < 1 ? params.bagging_freq : 0),
      rows_(rows) {
  in_.resize(rows);
  std::iota(in_.begin(), in_.end(), 0U);
  if (period_ == 0 && !is_goss_) return;
  for (size_t block = 0; block * kBlockRows < rows; ++block) {
    random_.emplace_back(static_cast<uint32_t>(params.bagging_seed) + static_cast<uint32_t>(block));
  }
}

void Bagging::StartRound(int round, std::span<float> gradients, std::span<float> hessians) {
  if (is_goss_) {
    if (round >= first_goss_round_) TakeLargeGradients(gradients, hessians);
  } else if (period_ != 0 && round % period_ == 0) {
    DrawBag();
  }
}

void Bagging::DrawBag() {
  in_.clear();
  out_.clear();
  for (uint32_t row = 0; row < rows_; ++row) {
    const bool is_in = random_[row / kBlockRows].DrawFloat() < fraction_;
    (is_in ? in_ : out_).push_back(row);
  }
}

void Bagging::TakeLargeGradients(std::span<float> gradients, std::span<float> hessians) {
  const std::vector<float> sizes = SizesOf(gradients, hessians, rows_);
  const auto rows = static_cast<double>(rows_);
  const size_t top = std::max<size_t>(1, static_cast<size_t>(rows * top_rate_));
  const auto others = static_cast<size_t>(rows * other_rate_);
  std::vector<float> sorted = sizes;
  const auto nth = sorted.begin() + static_cast<std::ptrdiff_t>(top) - 1;
  std::nth_element(sorted.begin(), nth, sorted.end(), std::greater<>());
  const float threshold = *nth;
  const float weight = static_cast<float>(rows_ - top) / static_cast<float>(others);
  in_.clear();
  out_.clear();
  size_t large = 0;
  for (uint32_t row = 0; row < rows_; ++row) {
    if (sizes[row] >= threshold) {
      in_.push_back(row);
      ++large;
      continue;
    }
    // Among equals there may be more large rows than were to be taken.
    const auto needed = static_cast<double>(others) - static_cast<double>(in_.size() - large);
    const double left = rows - row - (static_cast<double>(top) - static_cast<double>(large));
    const bool is_chosen = random_[row / kBlockRows].DrawFloat() < needed / left;
    if (!is_chosen) {
      out_.push_back(row);
      continue;
    }
    in_.push_back(row);
    for (size_t i = row; i < gradients.size(); i += rows_) {
      gradients[i] *= weight;
      hessians[i] *= weight;
    }
  }
}

}  // namespace almanac::gbdt
