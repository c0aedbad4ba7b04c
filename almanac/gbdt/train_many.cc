#include "almanac/gbdt/train_many.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "almanac/base/error.h"
#include "almanac/base/parallel.h"
#include "almanac/gbdt/exact_forest.h"
#include "almanac/gbdt/forest_grower.h"
#include "almanac/gbdt/grower.h"

namespace almanac::gbdt {
namespace {

size_t RowCount(const BinnedData& data, std::span<const uint32_t> rows) {
  return rows.empty() ? data.rows() : rows.size();
}

size_t BytesOfCopy(const BinnedData& data, std::span<const uint32_t> rows) {
  return rows.empty() ? 0 : data.SubsetBytes(rows);
}

// Copies of rows, each made once as long as a variant uses it: variants of one symbol and window
// often have the same rows.
class Copies {
 public:
  explicit Copies(const BinnedData& data) : data_(data) {}

  std::shared_ptr<const BinnedData> Get(std::span<const uint32_t> rows) {
    // Not its own: it stays.
    if (rows.empty()) return {std::shared_ptr<const BinnedData>(), &data_};
    const std::lock_guard<std::mutex> hold(mutex_);
    std::weak_ptr<const BinnedData>& kept = kept_[{rows.data(), rows.size()}];
    std::shared_ptr<const BinnedData> copy = kept.lock();
    if (copy == nullptr) {
      copy = std::make_shared<const BinnedData>(data_.Subset(rows));
      kept = copy;
    }
    return copy;
  }

 private:
  const BinnedData& data_;
  std::mutex mutex_;
  std::map<std::pair<const uint32_t*, size_t>, std::weak_ptr<const BinnedData>> kept_;
};

TrainResult TrainOne(const Variant& variant, Copies& copies) {
  const std::shared_ptr<const BinnedData> data = copies.Get(variant.rows);
  std::vector<std::shared_ptr<const BinnedData>> judged;
  std::vector<Validation> validations;
  for (const VariantValidation& validation : variant.validations) {
    judged.push_back(copies.Get(validation.rows));
    validations.push_back(
        {validation.name, *judged.back(), validation.targets, validation.can_stop});
  }
  return Train(variant.params, *data, variant.targets, validations);
}

// As many as there are threads and memory for.
size_t SideBySide(const BinnedData& data, std::span<const Variant> variants, size_t memory) {
  size_t most = 1;
  for (const Variant& variant : variants) most = std::max(most, TrainingBytes(data, variant));
  const size_t fitting = std::max<size_t>(1, memory / most);
  return std::min({fitting, variants.size(), static_cast<size_t>(ThreadCount())});
}

}  // namespace

size_t TrainingBytes(const BinnedData& data, const Variant& variant) {
  size_t bytes = BytesOfCopy(data, variant.rows);
  const Params& params = variant.params;
  const auto classes = static_cast<size_t>(params.num_class);
  // Scores, gradients, hessians, their codes and the bags.
  constexpr size_t kBytesOfRow = 8 + 4 + 4 + 8, kBytesOfBag = 16;
  size_t rows = RowCount(data, variant.rows);
  bytes += rows * (classes * kBytesOfRow + kBytesOfBag);
  for (const VariantValidation& validation : variant.validations) {
    rows = RowCount(data, validation.rows);
    bytes += BytesOfCopy(data, validation.rows) + rows * classes * 2 * sizeof(double);
  }
  if (ForestGrower::Suits(data, params)) return bytes + ForestGrower::Bytes(data, params);
  if (ExactForest::Suits(data, params)) return bytes + ExactForest::Bytes(data, params);
  return bytes + TreeGrower::HistogramBytes(data, params);
}

void TrainMany(const BinnedData& data, std::span<const Variant> variants,
               const TrainManyOptions& options) {
  if (variants.empty()) return;
  Copies copies(data);
  std::mutex reporting;
  std::atomic<size_t> next{0};
  ParallelFor(SideBySide(data, variants, options.memory), [&](size_t) {
    for (size_t i = next++; i < variants.size(); i = next++) {
      try {
        TrainResult result = TrainOne(variants[i], copies);
        const std::lock_guard<std::mutex> hold(reporting);
        if (options.on_done) options.on_done(i, std::move(result));
      } catch (const Error& error) {
        next = variants.size();
        throw error.Within(variants[i].name);
      } catch (...) {
        next = variants.size();
        throw;
      }
    }
  });
}

}  // namespace almanac::gbdt
