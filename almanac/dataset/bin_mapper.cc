#include "almanac/dataset/bin_mapper.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "almanac/dataset/bin_cuts.h"

namespace almanac {
namespace {

// Categories are kept until they cover this share of the rows.
constexpr float kCoveredShare = 0.99F;
// Below this share the most frequent bin is not worth a special place.
constexpr double kFrequentShare = 0.7;

// Whether no cut leaves `least` rows on both sides.
bool CannotSplit(const std::vector<int>& counts, int rows, int least, bool is_categorical) {
  if (is_categorical && counts.size() > 2) return false;
  int left = 0;
  for (size_t bin = 0; bin + 1 < counts.size(); ++bin) {
    left = is_categorical ? counts[bin] : left + counts[bin];
    if (left >= least && rows - left >= least) return false;
  }
  return true;
}

int ToCategory(double value) {
  const double whole = std::trunc(value);
  const bool is_category = whole >= 0 && whole <= std::numeric_limits<int>::max();
  return is_category ? static_cast<int>(whole) : -1;
}

}  // namespace

BinMapper::Distinct BinMapper::CountDistinct(std::vector<double>& sorted, int zeros) {
  Distinct distinct;
  const auto add = [&](double value, int count) {
    distinct.values.push_back(value);
    distinct.counts.push_back(count);
  };
  std::sort(sorted.begin(), sorted.end());
  if (sorted.empty() || (sorted.front() > 0 && zeros > 0)) add(0.0, zeros);
  for (size_t i = 0; i < sorted.size(); ++i) {
    const bool is_same =
        i > 0 &&
        sorted[i] <= std::nextafter(sorted[i - 1], std::numeric_limits<double>::infinity());
    if (is_same) {
      distinct.values.back() = sorted[i];
      ++distinct.counts.back();
      continue;
    }
    if (i > 0 && sorted[i - 1] < 0 && sorted[i] > 0) add(0.0, zeros);
    add(sorted[i], 1);
  }
  if (!sorted.empty() && sorted.back() < 0 && zeros > 0) add(0.0, zeros);
  return distinct;
}

BinMapper BinMapper::Find(std::vector<double> values, size_t sampled_rows,
                          const BinOptions& options) {
  const auto rows = static_cast<int>(sampled_rows);
  const size_t given = values.size();
  std::erase_if(values, [](double value) { return std::isnan(value); });
  const auto nans = static_cast<int>(given - values.size());

  BinMapper mapper;
  mapper.is_categorical_ = options.is_categorical;
  if (options.use_missing && options.zero_as_missing) {
    mapper.missing_ = Missing::kZero;
  } else if (options.use_missing && nans > 0) {
    mapper.missing_ = Missing::kNan;
  }
  const int missing_rows = mapper.missing_ == Missing::kNan ? nans : 0;
  const int zeros = rows - static_cast<int>(values.size()) - missing_rows;
  const Distinct distinct = CountDistinct(values, zeros);
  mapper.min_ = distinct.values.front();
  mapper.max_ = distinct.values.back();
  const std::vector<int> counts = options.is_categorical
                                      ? mapper.MakeCategories(distinct, rows, missing_rows, options)
                                      : mapper.MakeIntervals(distinct, rows, missing_rows, options);
  mapper.is_useless_ = mapper.bins_ <= 1 ||
                       (options.min_split_rows > 0 &&
                        CannotSplit(counts, rows, options.min_split_rows, options.is_categorical));
  if (!mapper.is_useless_) mapper.ChooseFrequentBin(counts, rows);
  return mapper;
}

std::vector<int> BinMapper::MakeIntervals(const Distinct& distinct, int rows, int missing_rows,
                                          const BinOptions& options) {
  const bool has_nan_bin = missing_ == Missing::kNan;
  upper_bounds_ =
      FindUpperBounds(distinct.values, distinct.counts, options.max_bin - (has_nan_bin ? 1 : 0),
                      rows - missing_rows, options.min_data_in_bin);
  if (has_nan_bin) upper_bounds_.push_back(std::numeric_limits<double>::quiet_NaN());
  if (missing_ == Missing::kZero && upper_bounds_.size() == 2) missing_ = Missing::kNone;
  bins_ = static_cast<uint32_t>(upper_bounds_.size());

  std::vector<int> counts(bins_, 0);
  uint32_t bin = 0;
  for (size_t i = 0; i < distinct.values.size(); ++i) {
    while (distinct.values[i] > upper_bounds_[bin] && bin < bins_ - 1) ++bin;
    counts[bin] += distinct.counts[i];
  }
  if (has_nan_bin) counts.back() = missing_rows;
  return counts;
}

std::vector<int> BinMapper::MakeCategories(const Distinct& distinct, int rows, int missing_rows,
                                           const BinOptions& options) {
  std::vector<int> categories, counts;
  for (size_t i = 0; i < distinct.values.size(); ++i) {
    const int category = ToCategory(distinct.values[i]);
    if (category < 0) {
      missing_rows += distinct.counts[i];
    } else if (categories.empty() || category != categories.back()) {
      categories.push_back(category);
      counts.push_back(distinct.counts[i]);
    } else {
      counts.back() += distinct.counts[i];
    }
  }
  if (rows - missing_rows <= 0) return {rows};

  std::vector<size_t> order(categories.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return counts[a] > counts[b]; });
  const double covered_rows = static_cast<float>(rows - missing_rows) * kCoveredShare + 0.5;
  const int enough = static_cast<int>(covered_rows);
  const int max_bins =
      std::min(static_cast<int>(categories.size()) + (missing_rows > 0 ? 1 : 0), options.max_bin);
  categories_ = {-1};
  std::vector<int> bin_counts = {0};
  int covered = 0;
  size_t taken = 0;
  for (; taken < order.size(); ++taken) {
    const int count = counts[order[taken]];
    if (covered >= enough && static_cast<int>(categories_.size()) >= max_bins) break;
    if (count < options.min_data_in_bin && taken > 1) break;
    bin_of_category_[categories[order[taken]]] = static_cast<uint32_t>(categories_.size());
    categories_.push_back(categories[order[taken]]);
    bin_counts.push_back(count);
    covered += count;
  }
  missing_ = taken == order.size() && missing_rows == 0 ? Missing::kNone : Missing::kNan;
  bin_counts[0] = rows - covered;
  bins_ = static_cast<uint32_t>(categories_.size());
  return bin_counts;
}

void BinMapper::ChooseFrequentBin(const std::vector<int>& counts, int rows) {
  zero_bin_ = BinOf(0.0);
  const auto most = std::max_element(counts.begin(), counts.end());
  frequent_bin_ = static_cast<uint32_t>(most - counts.begin());
  if (static_cast<double>(*most) / rows < kFrequentShare) frequent_bin_ = zero_bin_;
}

uint32_t BinMapper::BinOf(double value) const {
  if (is_categorical_) {
    const auto bin = bin_of_category_.find(ToCategory(value));
    return bin == bin_of_category_.end() ? 0 : bin->second;
  }
  const bool has_nan_bin = missing_ == Missing::kNan;
  if (std::isnan(value)) {
    if (has_nan_bin) return bins_ - 1;
    value = 0.0;
  }
  const auto last = upper_bounds_.end() - (has_nan_bin ? 2 : 1);
  return static_cast<uint32_t>(std::lower_bound(upper_bounds_.begin(), last, value) -
                               upper_bounds_.begin());
}

// A search without branches: which way it goes cannot be foretold.
template <typename T>
void BinMapper::BinsOf(std::span<const double> values, T* bins) const {
  if (is_categorical_) {
    for (size_t i = 0; i < values.size(); ++i) bins[i] = static_cast<T>(BinOf(values[i]));
    return;
  }
  const bool has_nan_bin = missing_ == Missing::kNan;
  const auto last = static_cast<uint32_t>(upper_bounds_.size() - (has_nan_bin ? 2 : 1));
  const auto nan_bin = static_cast<T>(BinOf(std::numeric_limits<double>::quiet_NaN()));
  const double* bounds = upper_bounds_.data();
  for (size_t i = 0; i < values.size(); ++i) {
    const double value = values[i];
    uint32_t bin = 0;
    for (uint32_t left = last; left > 0;) {
      const uint32_t half = (left + 1) / 2;
      bin += bounds[bin + half - 1] < value ? half : 0;
      left -= half;
    }
    bins[i] = std::isnan(value) ? nan_bin : static_cast<T>(bin);
  }
}

template void BinMapper::BinsOf(std::span<const double>, uint8_t*) const;
template void BinMapper::BinsOf(std::span<const double>, uint16_t*) const;

std::string BinMapper::Info() const {
  if (is_useless_) return "none";
  if (is_categorical_) return fmt::format("{}", fmt::join(categories_, ":"));
  return fmt::format("[{:.17g}:{:.17g}]", min_, max_);
}

}  // namespace almanac
