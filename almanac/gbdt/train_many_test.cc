#include "almanac/gbdt/train_many.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "almanac/base/error.h"
#include "almanac/base/parallel.h"
#include "almanac/gbdt/toy_data_for_test.h"

namespace almanac::gbdt {
namespace {

// Variants of all kinds over 900 rows: other rows, labels, weights, parameters and seeds.
class TrainManyTest : public testing::Test {
 protected:
  static constexpr size_t kVariants = 8;

  TrainManyTest()
      : toy_(900, 35, 7), data_(BinnedData::Make(toy_.Source(), Params::Parse({}, "test"))) {
    for (size_t v = 0; v < kVariants; ++v) Make(v);
    for (size_t v = 0; v < kVariants; ++v) variants_.push_back(VariantOf(v));
  }

  struct Owned {
    std::vector<uint32_t> rows, judged;
    std::vector<float> label, weight, judged_label;
  };

  void Make(size_t v) {
    Owned& owned = owned_.emplace_back();
    const std::vector<float> classes = toy_.Classes(3);
    const bool follow = v % 4 == 3;  // on one another: not copied
    for (uint32_t row = 0; row < 900; ++row) {
      if (follow ? row < 200 : (row + v) % 3 == 0) {
        owned.judged.push_back(row);
        owned.judged_label.push_back(v % 2 == 0 ? toy_.label[row] : classes[row]);
      } else {
        owned.rows.push_back(row);
        owned.label.push_back(v % 2 == 0 ? toy_.label[row] : classes[row]);
        owned.weight.push_back(1.0F + static_cast<float>(row % 5));
      }
    }
  }

  Variant VariantOf(size_t v) const {
    const Owned& owned = owned_[v];
    Settings settings = {{"num_iterations", "5"},     {"early_stopping_round", "3"},
                         {"seed", std::to_string(v)}, {"feature_fraction", "0.6"},
                         {"bagging_fraction", "0.8"}, {"bagging_freq", "2"}};
    if (v % 2 == 1) {
      settings.insert(settings.end(), {{"objective", "multiclass"}, {"num_class", "3"}});
    }
    if (v % 3 == 0) settings.emplace_back("max_depth", "3");
    Variant variant;
    variant.name = "variant " + std::to_string(v);
    variant.params = Params::Parse(settings, "test");
    variant.params.exact = v % 5 == 0;
    variant.rows = owned.rows;
    variant.targets.label = owned.label;
    if (v % 4 == 2) variant.targets.weight = owned.weight;
    variant.validations = {{"valid", owned.judged, {owned.judged_label, {}}}};
    return variant;
  }

  std::string Alone(size_t v) const {
    const Variant& variant = variants_[v];
    const BinnedData rows = data_.Subset(variant.rows);
    const BinnedData judged = data_.Subset(variant.validations[0].rows);
    return Train(variant.params, rows, variant.targets,
                 {{"valid", judged, variant.validations[0].targets}})
        .model.ToText();
  }

  ToyData toy_;
  BinnedData data_;
  std::vector<Owned> owned_;
  std::vector<Variant> variants_;
};

TEST_F(TrainManyTest, EachModelIsTheOneTrainedAlone) {
  std::vector<std::string> alone;
  for (size_t v = 0; v < kVariants; ++v) alone.push_back(Alone(v));
  EXPECT_EQ(std::set<std::string>(alone.begin(), alone.end()).size(), kVariants);
  const int threads = ThreadCount();
  for (const int count : {1, 4}) {
    SetThreadCount(count);
    for (const size_t memory : {size_t{1}, size_t{1} << 30}) {
      std::vector<std::string> models(kVariants);
      TrainMany(data_, variants_, {memory, [&](size_t v, TrainResult result) {
                                     EXPECT_EQ(models[v], "");
                                     models[v] = result.model.ToText();
                                   }});
      EXPECT_EQ(models, alone);
    }
  }
  SetThreadCount(threads);
}

TEST_F(TrainManyTest, RowsThatFollowOneAnotherAreNotCopied) {
  EXPECT_EQ(data_.SubsetBytes(owned_[3].rows), 0U);
  EXPECT_EQ(data_.SubsetBytes(owned_[0].rows), 3 * 16 * owned_[0].rows.size());
  const BinnedData part = data_.Subset(owned_[3].rows), copy = data_.Subset(owned_[0].rows);
  EXPECT_EQ(part.tile(2), data_.tile(2) + 200 * 16);
  for (size_t i = 0; i < copy.rows(); ++i) {
    ASSERT_EQ(copy.bin(34, i), data_.bin(34, owned_[0].rows[i]));
  }
  EXPECT_THROW(data_.Subset({}), Error);
  const std::vector<uint32_t> behind = {3, 900};
  EXPECT_THROW(data_.Subset(behind), Error);
}

TEST_F(TrainManyTest, AFailureNamesItsVariant) {
  variants_[5].targets.label = std::span(owned_[5].label).first(10);
  EXPECT_THAT([&] { TrainMany(data_, variants_, {}); },
              testing::ThrowsMessage<Error>(testing::StartsWith("variant 5: labels: 10 labels")));
}

}  // namespace
}  // namespace almanac::gbdt
