#include "almanac/dataset/bin_mapper.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "almanac/dataset/bin_cuts.h"
#include "almanac/dataset/bin_search.h"
#include "almanac/dataset/float_sort.h"

namespace almanac {
namespace {

// Categories are kept until they cover this share of the rows.
constexpr float kCoveredShare = 0.99F;
// Below this share the most frequent bin is not worth a special place.
constexpr double kFrequentShare = 0.7;

float FloatNotAbove(double bound) {
  const auto nearest = static_cast<float>(bound);
  if (static_cast<double>(nearest) <= bound) return nearest;
  return std::nextafter(nearest, -std::numeric_limits<float>::infinity());
}

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

// LightGBM takes neighbours in double for one value. Different float32 numbers never are.
bool AreOne(double below, double value) {
  return value <= std::nextafter(below, std::numeric_limits<double>::infinity());
}
bool AreOne(float below, float value) { return value == below; }

int ToCategory(double value) {
  const double whole = std::trunc(value);
  const bool is_category = whole >= 0 && whole <= std::numeric_limits<int>::max();
  return is_category ? static_cast<int>(whole) : -1;
}

}  // namespace

template <typename T>
BinMapper::Distinct BinMapper::CountDistinct(std::span<const T> sorted, int zeros) {
  Distinct distinct;
  const auto add = [&](double value, int count) {
    distinct.values.push_back(value);
    distinct.counts.push_back(count);
  };
  if (sorted.empty() || (sorted.front() > 0 && zeros > 0)) add(0.0, zeros);
  for (size_t i = 0; i < sorted.size(); ++i) {
    if (i > 0 && AreOne(sorted[i - 1], sorted[i])) {
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
  std::sort(values.begin(), values.end());
  const bool nans_are_zero = !options.use_missing || options.zero_as_missing;
  const int zeros = rows - static_cast<int>(values.size()) - (nans_are_zero ? 0 : nans);
  return FindAmong(CountDistinct<double>(values, zeros), rows, nans, options);
}

BinMapper BinMapper::Find(std::span<const float> values, const BinOptions& options) {
  const auto rows = static_cast<int>(values.size());
  std::vector<float> kept(values.size());
  size_t count = 0;
  int nans = 0;
  for (const float value : values) {
    kept[count] = value;
    nans += std::isnan(value) ? 1 : 0;
    count += std::abs(value) > kZeroThreshold ? 1 : 0;  // false for NaN
  }
  kept.resize(count);
  SortFloats(&kept);
  const bool nans_are_zero = !options.use_missing || options.zero_as_missing;
  const int zeros = rows - static_cast<int>(count) - (nans_are_zero ? 0 : nans);
  return FindAmong(CountDistinct<float>(kept, zeros), rows, nans, options);
}

BinMapper BinMapper::FindAmong(const Distinct& distinct, int rows, int nans,
                               const BinOptions& options) {
  BinMapper mapper;
  mapper.is_categorical_ = options.is_categorical;
  if (options.use_missing && options.zero_as_missing) {
    mapper.missing_ = Missing::kZero;
  } else if (options.use_missing && nans > 0) {
    mapper.missing_ = Missing::kNan;
  }
  const int missing_rows = mapper.missing_ == Missing::kNan ? nans : 0;
  mapper.min_ = distinct.values.front();
  mapper.max_ = distinct.values.back();
  if (options.is_categorical) {
    mapper.MakeCategories(distinct, rows, missing_rows, options);
  } else {
    mapper.MakeIntervals(distinct, rows, missing_rows, options);
  }
  mapper.Judge(rows, options.min_split_rows);
  return mapper;
}

BinMapper BinMapper::FromParts(std::vector<double> upper_bounds, std::vector<int> counts,
                               Missing missing, double min, double max, int min_split_rows) {
  const size_t numbers = upper_bounds.size() - (missing == Missing::kNan ? 1 : 0);
  if (upper_bounds.empty() || numbers == 0 || numbers > upper_bounds.size() ||
      counts.size() != upper_bounds.size()) {
    throw std::invalid_argument("it has too few bins");
  }
  if (missing == Missing::kNan && !std::isnan(upper_bounds.back())) {
    throw std::invalid_argument("its last bin is not that of missing values");
  }
  int64_t rows = 0;
  for (size_t bin = 0; bin < upper_bounds.size(); ++bin) {
    if (counts[bin] < 0) throw std::invalid_argument("a bin has a negative number of rows");
    rows += counts[bin];
    // Equal ones stand before infinite values.
    if (bin == 0 || bin >= numbers || upper_bounds[bin] >= upper_bounds[bin - 1]) continue;
    throw std::invalid_argument("its upper bounds decrease");
  }
  if (upper_bounds[numbers - 1] != std::numeric_limits<double>::infinity()) {
    throw std::invalid_argument("its last upper bound is not infinite");
  }
  if (rows == 0 || rows > std::numeric_limits<int>::max() || !(min <= max)) {
    throw std::invalid_argument("it has no rows, or more than are possible, or no range");
  }
  BinMapper mapper;
  mapper.bins_ = static_cast<uint32_t>(upper_bounds.size());
  mapper.upper_bounds_ = std::move(upper_bounds);
  mapper.counts_ = std::move(counts);
  mapper.missing_ = missing;
  mapper.min_ = min;
  mapper.max_ = max;
  mapper.Judge(static_cast<int>(rows), min_split_rows);
  return mapper;
}

void BinMapper::Judge(int rows, int min_split_rows) {
  is_useless_ = bins_ <= 1 ||
                (min_split_rows > 0 && CannotSplit(counts_, rows, min_split_rows, is_categorical_));
  if (!is_useless_) ChooseFrequentBin(rows);
}

void BinMapper::MakeIntervals(const Distinct& distinct, int rows, int missing_rows,
                              const BinOptions& options) {
  const bool has_nan_bin = missing_ == Missing::kNan;
  upper_bounds_ =
      FindUpperBounds(distinct.values, distinct.counts, options.max_bin - (has_nan_bin ? 1 : 0),
                      rows - missing_rows, options.min_data_in_bin);
  if (has_nan_bin) upper_bounds_.push_back(std::numeric_limits<double>::quiet_NaN());
  if (missing_ == Missing::kZero && upper_bounds_.size() == 2) missing_ = Missing::kNone;
  bins_ = static_cast<uint32_t>(upper_bounds_.size());

  counts_.assign(bins_, 0);
  uint32_t bin = 0;
  for (size_t i = 0; i < distinct.values.size(); ++i) {
    while (distinct.values[i] > upper_bounds_[bin] && bin < bins_ - 1) ++bin;
    counts_[bin] += distinct.counts[i];
  }
  if (has_nan_bin) counts_.back() = missing_rows;
}

void BinMapper::MakeCategories(const Distinct& distinct, int rows, int missing_rows,
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
  if (rows - missing_rows <= 0) {
    counts_ = {rows};
    return;
  }

  std::vector<size_t> order(categories.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return counts[a] > counts[b]; });
  const double covered_rows = static_cast<float>(rows - missing_rows) * kCoveredShare + 0.5;
  const int enough = static_cast<int>(covered_rows);
  const int max_bins =
      std::min(static_cast<int>(categories.size()) + (missing_rows > 0 ? 1 : 0), options.max_bin);
  categories_ = {-1};
  counts_ = {0};
  int covered = 0;
  size_t taken = 0;
  for (; taken < order.size(); ++taken) {
    const int count = counts[order[taken]];
    if (covered >= enough && static_cast<int>(categories_.size()) >= max_bins) break;
    if (count < options.min_data_in_bin && taken > 1) break;
    bin_of_category_[categories[order[taken]]] = static_cast<uint32_t>(categories_.size());
    categories_.push_back(categories[order[taken]]);
    counts_.push_back(count);
    covered += count;
  }
  missing_ = taken == order.size() && missing_rows == 0 ? Missing::kNone : Missing::kNan;
  counts_[0] = rows - covered;
  bins_ = static_cast<uint32_t>(categories_.size());
}

void BinMapper::ChooseFrequentBin(int rows) {
  zero_bin_ = BinOf(0.0);
  const auto most = std::max_element(counts_.begin(), counts_.end());
  frequent_bin_ = static_cast<uint32_t>(most - counts_.begin());
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

// value <= bound if and only if value <= the largest float that is: float32 bounds decide alike.
void BinMapper::BinsOf(std::span<const float> values, uint8_t* bins) const {
  const auto nan_bin = static_cast<uint8_t>(BinOf(std::numeric_limits<double>::quiet_NaN()));
  const size_t numbers = upper_bounds_.size() - (missing_ == Missing::kNan ? 1 : 0);
  std::array<float, kByteBins> bounds;
  bounds.fill(std::numeric_limits<float>::infinity());
  for (size_t bin = 0; bin + 1 < numbers; ++bin) bounds[bin] = FloatNotAbove(upper_bounds_[bin]);
  SearchBins(values, bounds, nan_bin, bins);
}

template void BinMapper::BinsOf(std::span<const double>, uint8_t*) const;
template void BinMapper::BinsOf(std::span<const double>, uint16_t*) const;

std::string BinMapper::Info() const {
  if (is_useless_) return "none";
  if (is_categorical_) return fmt::format("{}", fmt::join(categories_, ":"));
  return fmt::format("[{:.17g}:{:.17g}]", min_, max_);
}

}  // namespace almanac
