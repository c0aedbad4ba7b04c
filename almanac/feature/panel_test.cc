#include "almanac/feature/panel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "almanac/base/error.h"
#include "almanac/feature/frame_for_test.h"

namespace almanac {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::HasSubstr;
using ::testing::IsNan;

TEST(Panel, RanksAndScoresAreThoseOfTheKnownValues) {
  const std::vector<float> values = {3, NAN, 1, 3, 9};
  std::vector<float> out(5);
  StandAmong(CrossSection::kRank, values, out);
  EXPECT_THAT(out, ElementsAre(0.625F, IsNan(), 0.25F, 0.625F, 1.0F));
  StandAmong(CrossSection::kZScore, values, out);
  // mean 4, standard deviation sqrt((1 + 9 + 1 + 25) / 3)
  const float deviation = std::sqrt(12.0F);
  EXPECT_THAT(out, ElementsAre(FloatEq(-1 / deviation), IsNan(), FloatEq(-3 / deviation),
                               FloatEq(-1 / deviation), FloatEq(5 / deviation)));
  const std::vector<float> alone = {NAN, 7}, equal = {7, 7};
  std::vector<float> two(2);
  StandAmong(CrossSection::kRank, alone, two);
  EXPECT_THAT(two, ElementsAre(IsNan(), 1.0F));
  StandAmong(CrossSection::kZScore, alone, two);
  EXPECT_THAT(two, ElementsAre(IsNan(), IsNan()));
  StandAmong(CrossSection::kZScore, equal, two);
  EXPECT_THAT(two, ElementsAre(IsNan(), IsNan()));
}

// Thirty symbols that are listed and delisted at different times, with missing bars.
std::vector<FeatureTable> UnequalHistories() {
  const FeatureSet set({{"log_return", {{"window", 3}}}, {"rsi", {{"window", 5}}}});
  std::vector<FeatureTable> tables;
  for (size_t s = 0; s < 30; ++s) {
    const CandleSeries all = SeriesOf("S" + std::to_string(s), 200, 40 + s, 20);
    tables.push_back(BuildFeatures(set, all.Slice(s * 3, all.size() - s * 2)));
  }
  return tables;
}

TEST(Panel, UnequalHistoriesAreComparedTimeByTime) {
  std::vector<FeatureTable> tables = UnequalHistories();
  const std::vector<FeatureTable> plain = tables;
  AppendCrossSection(CrossSection::kRank, {"rsi_5", "log_return_3"}, tables);
  EXPECT_EQ(tables[4].names[2].name, "rsi_5_among_rank");
  EXPECT_EQ(tables[4].names[3].name, "log_return_3_among_rank");
  std::map<TimeMs, std::vector<float>> at;
  for (const FeatureTable& table : plain) {
    for (size_t i = 0; i < table.rows(); ++i) {
      if (!std::isnan(table.columns[1][i])) at[table.index[i]].push_back(table.columns[1][i]);
    }
  }
  for (size_t s = 0; s < plain.size(); ++s) {
    for (size_t i = 0; i < plain[s].rows(); ++i) {
      const float value = plain[s].columns[1][i];
      const std::vector<float>& others = at[plain[s].index[i]];
      const auto below =
          std::count_if(others.begin(), others.end(), [&](float other) { return other <= value; });
      const float expected =
          std::isnan(value) ? NAN : static_cast<float>(below) / static_cast<float>(others.size());
      if (std::isnan(expected)) {
        EXPECT_TRUE(std::isnan(tables[s].columns[2][i]));
      } else {
        EXPECT_FLOAT_EQ(tables[s].columns[2][i], expected) << s << " " << i;
      }
    }
  }
}

TEST(Panel, TheLiveRowHasTheBitsOfHistory) {
  std::vector<FeatureTable> tables = UnequalHistories();
  const std::vector<FeatureTable> plain = tables;
  AppendCrossSection(CrossSection::kZScore, {"log_return_3", "rsi_5"}, tables);
  PanelRow live(CrossSection::kZScore, {0, 1});
  for (size_t i = 0; i < plain[7].rows(); ++i) {
    std::vector<std::vector<float>> rows(plain.size());
    for (size_t s = 0; s < plain.size(); ++s) {
      const auto found = std::find(plain[s].index.begin(), plain[s].index.end(), plain[7].index[i]);
      if (found == plain[s].index.end()) continue;
      const auto row = static_cast<size_t>(found - plain[s].index.begin());
      rows[s] = {plain[s].columns[0][row], plain[s].columns[1][row]};
    }
    const std::vector<std::span<const float>> views(rows.begin(), rows.end());
    const std::span<const float> stands = live.Step(views);
    const std::vector<float> history = {tables[7].columns[2][i], tables[7].columns[3][i]};
    EXPECT_EQ(BitsOf(stands.subspan(14, 2)), BitsOf(history)) << i;
  }
}

TEST(Panel, RefusesColumnsThatAreNotThere) {
  std::vector<FeatureTable> tables = UnequalHistories();
  try {
    AppendCrossSection(CrossSection::kRank, {"rsi_6"}, tables);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("no column \"rsi_6\"; did you mean \"rsi_5\"?"));
  }
  tables[3].names[0].name = "other";
  EXPECT_THROW(AppendCrossSection(CrossSection::kRank, {"rsi_5"}, tables), Error);
}

}  // namespace
}  // namespace almanac
