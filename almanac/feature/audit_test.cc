// The audit must pass what is honest and name every planted leak.
#include "almanac/feature/audit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>

#include "almanac/base/error.h"
#include "almanac/feature/every_family_for_test.h"
#include "almanac/feature/random_series_for_test.h"

namespace almanac {
namespace {

using ::testing::HasSubstr;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// One honest column beside one planted one.
using Rule = std::function<std::vector<float>(const CandleSeries&)>;
ColumnFunction Beside(const std::string& name, const Rule& rule) {
  return [name, rule](const CandleSeries& series) {
    FeatureTable table = BuildFeatures(FeatureSet({{"log_return", {{"window", 3}}}}), series);
    table.names.push_back({name, "ratio"});
    table.columns.push_back(rule(series));
    return table;
  };
}

std::vector<float> CentredMean(const CandleSeries& series) {
  std::vector<float> values(series.size(), kNaN);
  for (size_t i = 2; i + 2 < series.size(); ++i) {
    const double* close = series.close.data() + i;
    values[i] = static_cast<float>((close[-2] + close[-1] + close[0] + close[1] + close[2]) / 5);
  }
  return values;
}

std::vector<float> ScaledOverEverything(const CandleSeries& series) {
  const auto count = static_cast<double>(series.size());
  const double mean = std::accumulate(series.close.begin(), series.close.end(), 0.0) / count;
  double squares = 0;
  for (const double close : series.close) squares += (close - mean) * (close - mean);
  std::vector<float> values;
  for (const double close : series.close) {
    values.push_back(static_cast<float>((close - mean) / std::sqrt(squares / count + 1e-12)));
  }
  return values;
}

// A value observed every tenth bar, filled backward onto the bars before it.
std::vector<float> FilledFromTheFuture(const CandleSeries& series) {
  std::vector<float> values(series.size(), kNaN);
  float next = kNaN;
  for (size_t i = series.size(); i-- > 0;) {
    if (i % 10 == 9) next = static_cast<float>(series.close[i]);
    values[i] = next;
  }
  return values;
}

// A swing high that is marked where it was, three bars before it is confirmed.
std::vector<float> RepaintingSwing(const CandleSeries& series) {
  std::vector<float> values(series.size(), 0.0F);
  for (size_t i = 3; i + 3 < series.size(); ++i) {
    bool is_top = true;
    for (size_t k = i - 3; k <= i + 3; ++k) is_top = is_top && series.high[k] <= series.high[i];
    values[i] = is_top ? 1.0F : 0.0F;
  }
  return values;
}

// Four-bar candles whose close is written on the first of their bars.
std::vector<float> HigherTimeframeAtItsOpen(const CandleSeries& series) {
  std::vector<float> values;
  for (size_t i = 0; i < series.size(); ++i) {
    const size_t last = std::min(i / 4 * 4 + 3, series.size() - 1);
    values.push_back(static_cast<float>(series.close[last]));
  }
  return values;
}

TEST(LeakAudit, PassesEveryFamily) {
  const FeatureSet set = EveryFamily({2, 37});
  const LeakAudit audit =
      AuditFeatures(set, RandomSeries(5000, 1, 100, 40), {.seed = 3, .cuts = 6});
  EXPECT_TRUE(audit.passed()) << ToJson(audit).dump(2);
  EXPECT_EQ(audit.rows, 5000U);
  EXPECT_EQ(audit.columns, set.size());
  EXPECT_EQ(audit.cuts.size(), 6U);
  RequireNoLeak(audit, SeriesKey{});
}

TEST(LeakAudit, CatchesAndNamesEveryPlantedLeak) {
  const std::vector<std::pair<std::string, Rule>> planted = {
      {"centred_mean", CentredMean},
      {"scaled_over_everything", ScaledOverEverything},
      {"filled_from_the_future", FilledFromTheFuture},
      {"repainting_swing", RepaintingSwing},
      {"higher_timeframe_at_its_open", HigherTimeframeAtItsOpen},
  };
  const CandleSeries series = RandomSeries(800, 2);
  for (const auto& [name, rule] : planted) {
    // Some leaks reach back only from some cuts; twelve meet each of these.
    const LeakAudit audit = AuditColumns(Beside(name, rule), series, {.seed = 1, .cuts = 12});
    ASSERT_EQ(audit.findings.size(), 1U) << name;
    const LeakFinding& finding = audit.findings.front();
    EXPECT_EQ(finding.column, name);
    EXPECT_EQ(finding.check, LeakCheck::kTruncation);
    EXPECT_LT(finding.first_row, finding.cut);
    EXPECT_EQ(finding.first_time, series.KnownAt(finding.first_row));
    EXPECT_GE(finding.rows, 1U);
    try {
      RequireNoLeak(audit, series.key);
      ADD_FAILURE() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kBadData);
      EXPECT_THAT(error.what(), HasSubstr(name));
    }
  }
}

TEST(LeakAudit, TheFirstDifferingRowIsTheOneThatLooksPastTheCut) {
  const LeakAudit audit =
      AuditColumns(Beside("centred", CentredMean), RandomSeries(500, 3), {.seed = 1, .cuts = 1});
  ASSERT_EQ(audit.findings.size(), 1U);
  EXPECT_EQ(audit.findings[0].first_row, audit.cuts[0] - 2);
  EXPECT_EQ(audit.findings[0].rows, 2U);
  EXPECT_TRUE(std::isnan(audit.findings[0].recomputed));
}

// What was stored is compared, not computed again: a damaged artifact fails all three checks.
TEST(LeakAudit, AChangedTableFailsEveryCheck) {
  const FeatureSet set({{"log_return", {{"window", 2}}}, {"volume_ratio", {{"window", 4}}}});
  const CandleSeries series = RandomSeries(300, 3);
  FeatureTable table = BuildFeatures(set, series);
  table.columns[1][4] = std::nextafter(table.columns[1][4], 1e9F);
  table.columns[1][298] = std::nextafter(table.columns[1][298], 1e9F);
  const LeakAudit audit = AuditFeatures(set, series, table, {.seed = 1, .cuts = 3});
  ASSERT_EQ(audit.findings.size(), 3U);
  EXPECT_EQ(audit.findings[0].check, LeakCheck::kTruncation);
  EXPECT_EQ(audit.findings[0].first_row, 4U);
  EXPECT_EQ(audit.findings[1].check, LeakCheck::kSnapshot);
  EXPECT_EQ(audit.findings[1].first_row, 298U);
  EXPECT_EQ(audit.findings[2].check, LeakCheck::kBlockSize);
  for (const LeakFinding& finding : audit.findings) EXPECT_EQ(finding.column, "volume_ratio_4");
}

TEST(LeakAudit, SameSeedSameCuts) {
  const FeatureSet set({{"log_return", {{"window", 2}}}});
  const CandleSeries series = RandomSeries(300, 3);
  EXPECT_EQ(AuditFeatures(set, series, {.seed = 5}).cuts,
            AuditFeatures(set, series, {.seed = 5}).cuts);
  EXPECT_NE(AuditFeatures(set, series, {.seed = 5}).cuts,
            AuditFeatures(set, series, {.seed = 6}).cuts);
  EXPECT_EQ(AuditFeatures(set, series.Slice(0, 4), {.seed = 5, .cuts = 9}).cuts,
            (std::vector<size_t>{1, 2, 3}));
}

TEST(LeakAudit, RefusesWhatCannotBeAudited) {
  const FeatureSet set({{"log_return", {{"window", 2}}}});
  EXPECT_THROW(AuditFeatures(set, RandomSeries(1, 1)), Error);
  const ColumnFunction short_columns = [](const CandleSeries& series) {
    FeatureTable table;
    table.index.resize(series.size() - 1);
    return table;
  };
  EXPECT_THROW(AuditColumns(short_columns, RandomSeries(10, 1)), Error);
}

}  // namespace
}  // namespace almanac
