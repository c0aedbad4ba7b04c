#include "almanac/gbdt/screen.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/parallel.h"
#include "almanac/dataset/lcg.h"

namespace almanac::gbdt {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr size_t kRows = 1500, kColumns = 60;
constexpr TimeMs kStep = 1000;

// Random columns in a file of bins, and the labels of variants that each look at two of them.
class ScreenTest : public testing::Test {
 protected:
  ScreenTest() {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    Lcg random(4);
    std::vector<TimeMs> times;
    for (size_t row = 0; row < kRows; ++row) times.push_back(static_cast<TimeMs>(row) * kStep);
    BinFileWriter writer(folder_ / "columns.bins", times);
    BinOptions options;
    options.max_bin = 63;
    for (size_t c = 0; c < kColumns; ++c) {
      std::vector<float>& values = columns_.emplace_back();
      for (size_t row = 0; row < kRows; ++row) values.push_back(random.DrawFloat());
      const BinMapper mapper = BinMapper::Find(std::span<const float>(values), options);
      std::vector<uint8_t> bins(kRows);
      mapper.BinsOf(values, bins.data());
      writer.Add({"c" + std::to_string(c), "ratio", mapper}, bins);
    }
    BinningFacts facts;
    facts.options = options;
    facts.rows = facts.sampled_rows = kRows;
    writer.Finish({{"binning", facts.ToJson()}});
    file_ = std::make_shared<const BinFile>(folder_ / "columns.bins");
    spec_.params = Params::Parse({{"objective", "multiclass"},
                                  {"num_class", "3"},
                                  {"max_bin", "63"},
                                  {"num_leaves", "8"},
                                  {"num_iterations", "12"},
                                  {"early_stopping_round", "4"},
                                  {"learning_rate", "0.3"}},
                                 "test");
    spec_.params.exact = false;
    spec_.most_rows = 600;
    spec_.least_rows = 100;
    spec_.best_columns = 8;
    spec_.least_chosen = 3;
    spec_.most_chosen = 12;
  }
  ~ScreenTest() override { fs::remove_all(folder_); }

  // Every second row; variant v looks at columns 0 and 10 + its group.
  ScreenVariant Variant(size_t v) const {
    ScreenVariant variant;
    variant.name = "v" + std::to_string(v);
    variant.group = "g" + std::to_string(v / 3);
    const size_t rows = v == 4 ? 50 : kRows;
    for (size_t row = v % 2; row < rows; row += 2) {
      variant.rows.push_back(static_cast<uint32_t>(row));
      variant.end.push_back(file_->times()[row] + 30 * kStep);
      const float sum = columns_[0][row] + columns_[10 + v / 3][row];
      variant.label.push_back(sum < 0.7F ? 0.0F : sum < 1.2F ? 1.0F : 2.0F);
    }
    return variant;
  }

  Selection Run(const std::string& name, int* trained = nullptr, int stop_after = -1) const {
    int made = 0;
    const Selection selection = Screen(
        spec_, file_, 6, [&](size_t v) { return Variant(v); }, folder_ / name,
        [&](size_t, const ScreenVariant&, const VariantResult&, bool was_there) {
          made += was_there ? 0 : 1;
          if (made == stop_after) {
            throw Error(ErrorCode::kFailed, "test", "killed");
          }
        });
    if (trained != nullptr) *trained = made;
    return selection;
  }

  std::string Read(const std::string& name) const { return ReadFile(folder_ / name); }

  fs::path folder_ = fs::path(testing::TempDir()) / ("screen_test_" + std::to_string(getpid()));
  std::vector<std::vector<float>> columns_;
  std::shared_ptr<const BinFile> file_;
  ScreenSpec spec_;
};

TEST_F(ScreenTest, FindsTheColumnsThatMatterToAllAndToGroups) {
  const Selection selection = Run("all");
  EXPECT_EQ(selection.trained, 5U);
  EXPECT_EQ(selection.left_out, 1U);  // v4 has too few rows
  ASSERT_GE(selection.columns.size(), 3U);
  EXPECT_EQ(selection.columns[0].column, 0U);
  EXPECT_EQ(selection.columns[0].variants, 5U);
  EXPECT_EQ(selection.columns[1].column, 10U);  // three variants' against two
  EXPECT_GE(selection.columns[1].variants, 3U);
  EXPECT_EQ(selection.columns[2].column, 11U);
  EXPECT_GT(selection.columns[0].score, selection.columns[1].score);
  EXPECT_GT(selection.group_stability, selection.stability);
  EXPECT_LE(selection.columns.size(), 12U);
  const Json json = Json::parse(Read("all/selection.json"));
  EXPECT_EQ(json.at("columns").at(0).at("name"), "c0");
  EXPECT_EQ(json.at("columns").at(0).at("stability"), 1.0);
  EXPECT_TRUE(Read("all/columns.txt").starts_with("c0\nc10\nc11\n"));
  const Json variant = Json::parse(Read("all/variants/v0.json"));
  EXPECT_LT(variant.at("metric"), variant.at("naive_metric"));
  EXPECT_EQ(Json::parse(Read("all/variants/v4.json")).at("left_out"), "10 rows");
}

TEST_F(ScreenTest, AKilledScreeningGoesOnToTheSameBytes) {
  Run("whole");
  const int threads = ThreadCount();
  SetThreadCount(1);  // one after the other: v4 without being trained, then v0, v1
  EXPECT_THROW(Run("killed", nullptr, 3), Error);
  SetThreadCount(threads);
  EXPECT_FALSE(fs::exists(folder_ / "killed/selection.json"));
  const std::string first = Read("killed/variants/v1.json");
  WriteFileAtomic(folder_ / "killed/variants/v0.json", "{\"key\": \"");  // as if half of it
  int trained = 0;
  Run("killed", &trained);
  EXPECT_EQ(trained, 4);  // v0 again, and v2, v3, v5
  EXPECT_EQ(Read("killed/variants/v1.json"), first);
  EXPECT_EQ(Read("killed/selection.json"), Read("whole/selection.json"));
  EXPECT_EQ(Read("killed/columns.txt"), Read("whole/columns.txt"));
  Run("killed", &trained);
  EXPECT_EQ(trained, 0);
}

// Side by side or one after the other, a variant's result is that of its model trained alone.
TEST_F(ScreenTest, EachVariantIsAsIfScreenedAlone) {
  const int threads = ThreadCount();
  for (const int count : {1, 4}) {
    SetThreadCount(count);
    for (const size_t memory : {size_t{1}, size_t{1} << 30}) {
      spec_.memory = memory;
      const std::string name = fmt::format("{} {}", count, memory);
      Run(name);
      for (size_t v = 0; v < 6; ++v) {
        Json kept = Json::parse(Read(fmt::format("{}/variants/v{}.json", name, v)));
        kept.erase("key");
        kept.erase("variant");
        EXPECT_EQ(kept, ScreenOne(spec_, file_, Variant(v)).ToJson(*file_)) << v;
      }
      EXPECT_EQ(Read(name + "/selection.json"), Read("1 1/selection.json"));
    }
  }
  SetThreadCount(threads);
}

TEST_F(ScreenTest, OtherSettingsTrainAnew) {
  Run("folder");
  spec_.best_columns = 6;
  int trained = 0;
  Run("folder", &trained);
  EXPECT_EQ(trained, 6);
}

// Rows are thinned evenly, the last fifth is judged, and what looks into it is not learnt from.
TEST_F(ScreenTest, LearnsFromThePastAlone) {
  const VariantResult result = ScreenOne(spec_, file_, Variant(0));
  EXPECT_EQ(result.validation_rows, 120U);
  // 480 rows come before; the labels of those of the last 30 steps (a row each 2.5) look too far.
  EXPECT_EQ(result.rows, 480U - 12);
  spec_.embargo = 100 * kStep;
  EXPECT_EQ(ScreenOne(spec_, file_, Variant(0)).rows, 480U - 52);
}

TEST_F(ScreenTest, RefusesWhatContradictsItself) {
  const auto complaint = [&](const ScreenSpec& spec) -> std::string {
    try {
      spec.Check();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(complaint(spec_), "");
  ScreenSpec wrong = spec_;
  wrong.params.early_stopping_round = 0;
  EXPECT_THAT(complaint(wrong), HasSubstr("early_stopping_round"));
  wrong = spec_;
  wrong.validation_share = 1;
  EXPECT_THAT(complaint(wrong), HasSubstr("between 0 and 1"));
  wrong = spec_;
  wrong.least_chosen = 20;
  EXPECT_THAT(complaint(wrong), HasSubstr("20 to 12 columns"));
  wrong = spec_;
  wrong.least_rows = 1000;
  EXPECT_THAT(complaint(wrong), HasSubstr("1000 to 600 rows"));
}

TEST(StabilityTest, OneForTheSameSetsAndLessThanChanceForOpposite) {
  EXPECT_DOUBLE_EQ(Stability({{0, 1}, {0, 1}, {0, 1}}, 4), 1);
  EXPECT_DOUBLE_EQ(Stability({{0, 1}, {2, 3}}, 4), -1);
  EXPECT_TRUE(std::isnan(Stability({{0, 1}}, 4)));
  EXPECT_TRUE(std::isnan(Stability({{0, 1}, {0, 1}}, 2)));
  std::mt19937 random(1);
  std::vector<std::vector<uint32_t>> sets;
  std::vector<uint32_t> columns(100);
  std::iota(columns.begin(), columns.end(), 0U);
  for (int i = 0; i < 300; ++i) {
    std::shuffle(columns.begin(), columns.end(), random);
    sets.emplace_back(columns.begin(), columns.begin() + 20);
  }
  EXPECT_NEAR(Stability(sets, 100), 0, 0.01);  // by chance
}

}  // namespace
}  // namespace almanac::gbdt
