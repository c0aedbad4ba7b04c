// The bins of one feature: intervals of a number, or a category each. Found as LightGBM finds them,
// so that equal data has equal bins.
//
// A numerical feature's values up to upper_bound(b) and above upper_bound(b - 1) are in bin b; a
// bin of its own holds zero, (-1e-35, 1e-35]; the last bin holds NaN where missing() is kNan. A
// categorical feature has categories by falling frequency from bin 1 on; bin 0 holds NaN, negative,
// rare and unseen ones.
#ifndef ALMANAC_DATASET_BIN_MAPPER_H_
#define ALMANAC_DATASET_BIN_MAPPER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace almanac {

// Numbers this close to 0 are zero. A float, as in LightGBM: 1.0000000180025095e-35.
inline constexpr double kZeroThreshold = 1e-35F;

// The values are those of a model file's decision_type.
enum class Missing : uint8_t {
  kNone = 0,  // NaN counts as 0
  kZero = 1,  // 0 and NaN are missing
  kNan = 2    // NaN is missing
};

struct BinOptions {
  int max_bin = 255;
  int min_data_in_bin = 3;
  bool use_missing = true;
  bool zero_as_missing = false;
  bool is_categorical = false;
  // A feature that no cut can split into two parts of this many sampled rows is useless; nothing:
  // keep it.
  int min_split_rows = 0;
};

class BinMapper {
 public:
  // `values` are the sampled rows' values that are NaN or not zero, in any order; the other
  // `sampled_rows` - values.size() are zero.
  static BinMapper Find(std::vector<double> values, size_t sampled_rows, const BinOptions& options);
  // The same, bit for bit, of a numerical column's sampled rows, zeros included; float32 values are
  // sorted by their bits.
  static BinMapper Find(std::span<const float> values, const BinOptions& options);
  // A numerical feature as it was found: for each bin its upper bound and its sampled rows. Throws
  // std::invalid_argument with what cannot be.
  static BinMapper FromParts(std::vector<double> upper_bounds, std::vector<int> counts,
                             Missing missing, double min, double max, int min_split_rows);

  // NaN and infinities allowed.
  uint32_t BinOf(double value) const;
  // Of many values; T is uint8_t if there are at most 256 bins, else uint16_t.
  template <typename T>
  void BinsOf(std::span<const double> values, T* bins) const;
  void BinsOf(std::span<const float> values, uint8_t* bins) const;  // numerical, at most 256 bins

  uint32_t bins() const { return bins_; }
  // One bin, or no cut that leaves enough rows on both sides.
  bool is_useless() const { return is_useless_; }
  bool is_categorical() const { return is_categorical_; }
  Missing missing() const { return missing_; }
  double upper_bound(uint32_t bin) const { return upper_bounds_[bin]; }  // the last: +inf or NaN
  int count(uint32_t bin) const { return counts_[bin]; }                 // sampled rows
  double min() const { return min_; }  // of the sampled rows that are there
  double max() const { return max_; }
  int category(uint32_t bin) const { return categories_[bin]; }  // bin 0: -1
  uint32_t zero_bin() const { return zero_bin_; }
  // The bin that training reconstructs from the leaf's sum instead of adding it up.
  uint32_t frequent_bin() const { return frequent_bin_; }

  // As in a model file's feature_infos: "[min:max]", categories "-1:3:1", or "none" if useless.
  std::string Info() const;

 private:
  struct Distinct {
    std::vector<double> values;  // ascending
    std::vector<int> counts;
  };
  template <typename T>
  static Distinct CountDistinct(std::span<const T> sorted, int zeros);
  static BinMapper FindAmong(const Distinct& distinct, int rows, int nans,
                             const BinOptions& options);
  void MakeIntervals(const Distinct& distinct, int rows, int missing_rows,
                     const BinOptions& options);
  void MakeCategories(const Distinct& distinct, int rows, int missing_rows,
                      const BinOptions& options);
  void Judge(int rows, int min_split_rows);
  void ChooseFrequentBin(int rows);

  uint32_t bins_ = 1;
  bool is_useless_ = true;
  bool is_categorical_ = false;
  Missing missing_ = Missing::kNone;
  std::vector<double> upper_bounds_;
  std::vector<int> counts_;  // by bin
  std::vector<int> categories_;
  std::map<int, uint32_t> bin_of_category_;
  uint32_t zero_bin_ = 0, frequent_bin_ = 0;
  double min_ = 0, max_ = 0;
};

}  // namespace almanac

#endif  // ALMANAC_DATASET_BIN_MAPPER_H_
