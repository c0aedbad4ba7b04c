#include "almanac/dataset/prune.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/parallel.h"
#include "almanac/base/random.h"
#include "almanac/dataset/correlation.h"

namespace almanac {
namespace {

using ::testing::HasSubstr;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// Groups of columns around common factors, some with missing warm-up, some with holes, one
// constant.
std::vector<std::vector<float>> RandomColumns(size_t columns, size_t rows, uint64_t seed,
                                              bool missing) {
  Random random(seed);
  std::vector<std::vector<double>> factors(columns / 4 + 1, std::vector<double>(rows));
  for (auto& factor : factors) {
    for (double& value : factor) value = random.Normal();
  }
  std::vector<std::vector<float>> result(columns, std::vector<float>(rows));
  for (std::vector<float>& column : result) {
    const std::vector<double>& factor = factors[random.Below(factors.size())];
    const double noise = 0.1 + 0.8 * random.Uniform(), sign = random.Below(2) == 0 ? -1 : 1;
    const size_t warm_up = missing ? random.Below(rows / 5) : 0;
    const uint64_t hole = missing && random.Below(4) == 0 ? 3 : 0;
    for (size_t i = 0; i < rows; ++i) {
      const double value = 1000 * sign * (factor[i] + noise * random.Normal()) + 50000;
      const bool gone = i < warm_up || (hole > 0 && random.Below(hole) == 0);
      column[i] = gone ? kNaN : static_cast<float>(value);
    }
  }
  result[columns / 2].assign(rows, 7);
  return result;
}

// As pandas' corr: means and sums over the rows in which both are there.
double SlowCorrelation(const std::vector<float>& x, const std::vector<float>& y) {
  std::vector<std::pair<double, double>> pairs;
  double mx = 0, my = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    if (std::isnan(x[i]) || std::isnan(y[i])) continue;
    pairs.emplace_back(x[i], y[i]);
    mx += x[i], my += y[i];
  }
  const auto n = static_cast<double>(pairs.size());
  double xx = 0, yy = 0, xy = 0;
  for (const auto& [a, b] : pairs) {
    xx += (a - mx / n) * (a - mx / n);
    yy += (b - my / n) * (b - my / n);
    xy += (a - mx / n) * (b - my / n);
  }
  return xy / std::sqrt(xx * yy);  // 0 / 0 for a constant
}

void ExpectNaive(const std::vector<std::vector<float>>& columns, double threshold) {
  const std::vector<std::span<const float>> views(columns.begin(), columns.end());
  std::vector<uint32_t> rows(columns[0].size());
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<uint32_t>(i);
  const auto found = FindCorrelated(views, rows, threshold);
  size_t removed = 0;
  for (size_t j = 0; j < columns.size(); ++j) {
    size_t earlier = j;
    for (size_t i = 0; i < j && earlier == j; ++i) {
      if (!found[i] && std::abs(SlowCorrelation(columns[i], columns[j])) > threshold) earlier = i;
    }
    ASSERT_EQ(found[j].has_value(), earlier < j) << j;
    if (!found[j]) continue;
    ASSERT_EQ(found[j]->earlier, earlier);
    ASSERT_NEAR(found[j]->correlation, SlowCorrelation(columns[earlier], columns[j]), 1e-9);
    ++removed;
  }
  EXPECT_GT(removed, columns.size() / 20);
  EXPECT_LT(removed, columns.size());
}

TEST(FindCorrelated, EqualsEveryPairInDouble) {
  for (const bool missing : {false, true}) {
    ExpectNaive(RandomColumns(60, 100, 1, missing), 0.6);
    ExpectNaive(RandomColumns(600, 150, 2, missing), 0.8);  // several blocks
  }
}

// A few huge values, of which bytes can say little, and warm-ups of many lengths.
TEST(FindCorrelated, HeavyTailsDoNotMatter) {
  std::vector<std::vector<float>> columns = RandomColumns(90, 1000, 4, true);
  for (size_t c = 0; c < columns.size(); ++c) {
    const double power = 1 + static_cast<double>(c % 4) * 2;
    for (float& value : columns[c]) {
      value = static_cast<float>(std::pow((value - 50000) / 1000, power));
    }
  }
  ExpectNaive(columns, 0.7);
}

TEST(FindCorrelated, DoesNotDependOnThreads) {
  const auto columns = RandomColumns(700, 80, 3, true);
  const std::vector<std::span<const float>> views(columns.begin(), columns.end());
  std::vector<uint32_t> rows = {1, 3, 5, 8, 13, 21, 34, 55, 60, 70, 75, 79};
  const int threads = ThreadCount();
  const auto many = FindCorrelated(views, rows, 0.9);
  SetThreadCount(1);
  const auto one = FindCorrelated(views, rows, 0.9);
  SetThreadCount(threads);
  for (size_t c = 0; c < columns.size(); ++c) {
    ASSERT_EQ(many[c].has_value(), one[c].has_value());
    if (!one[c]) continue;
    ASSERT_EQ(many[c]->earlier, one[c]->earlier);
    ASSERT_EQ(many[c]->correlation, one[c]->correlation);
  }
}

struct Table {
  FeatureTable features;
  Labels labels;
  void Add(const std::string& name, const std::function<double(size_t)>& value) {
    features.names.push_back({name, "ratio"});
    std::vector<float>& column = features.columns.emplace_back();
    for (size_t i = 0; i < features.index.size(); ++i) {
      column.push_back(static_cast<float>(value(i)));
    }
  }
};

// 1,000 rows of which the first 800 are training rows; the target of every tenth is known.
Table Thousand() {
  Table table;
  table.labels.name = "future";
  for (size_t i = 0; i < 1000; ++i) {
    table.features.index.push_back(static_cast<TimeMs>(i));
    table.labels.t0.push_back(static_cast<TimeMs>(i));
    table.labels.t1.push_back(static_cast<TimeMs>(i));
    table.labels.value.push_back(i % 10 == 0 ? 1 : std::nan(""));
  }
  Random random(9);
  std::vector<double> noise(3000);
  for (double& value : noise) value = random.Normal();
  table.Add("good", [=](size_t i) { return noise[i]; });
  // Full after the training part: what is judged is the training part alone.
  table.Add("missing", [=](size_t i) { return i < 600 ? std::nan("") : noise[i + 1000]; });
  table.Add("at_events", [=](size_t i) { return i % 10 == 0 ? std::nan("") : noise[i + 1000]; });
  table.Add("one", [=](size_t i) { return i >= 800 || i % 25 == 0 ? noise[i] : 5.0; });
  table.Add("narrow", [=](size_t i) { return 1 + 1e-7 * static_cast<double>(i % 2); });
  table.Add("copy", [=](size_t i) { return i < 800 ? -3 * noise[i] + 0.1 * noise[i + 1000] : 0; });
  table.Add("leak", [=](size_t i) { return noise[i + 2000]; });
  table.Add("future_by_name_only", [=](size_t i) { return noise[i + 1500]; });
  return table;
}

TEST(PruneColumns, SaysWhatWentAndWhy) {
  Table table = Thousand();
  const Dataset data = Dataset::Join("X", std::move(table.features), table.labels);
  SplitSpec split;
  split.validation_share = 0;
  split.test_share = 0.2;
  const Lineage lineage = {{"leak", {"close", "smooth"}},
                           {"smooth", {"loop", "future"}},
                           {"loop", {"smooth"}},
                           {"good", {"close"}}};
  const PruneReport report = PruneColumns(data, data.SplitRows(split).training(), {}, lineage);
  EXPECT_EQ(report.rows, 800U);
  EXPECT_THAT(report.kept, testing::ElementsAre(0, 7));
  ASSERT_EQ(report.pruned.size(), 6U);
  const auto expect = [&](size_t i, const char* name, const char* reason, double value,
                          const char* because) {
    EXPECT_EQ(report.pruned[i].name, name);
    EXPECT_EQ(report.pruned[i].reason, reason);
    EXPECT_NEAR(report.pruned[i].value, value, 2e-3);
    EXPECT_EQ(report.pruned[i].because, because);
  };
  expect(0, "missing", "missing", 0.75, "");
  expect(1, "at_events", "missing_rows_with_target", 1, "");
  expect(2, "one", "one_value", 0.96, "");
  expect(3, "narrow", "variance", 0, "");
  expect(4, "copy", "correlation", -1, "good");
  expect(5, "leak", "lineage", 0, "smooth");
  EXPECT_EQ(report.ToJson(data.feature_names()).at("kept").dump(),
            R"(["good","future_by_name_only"])");
}

TEST(PruneColumns, RefusesWhatCannotBe) {
  Table table = Thousand();
  const Dataset data = Dataset::Join("X", std::move(table.features), table.labels);
  const auto prune = [&](const PruneSpec& spec) -> std::string {
    try {
      PruneColumns(data, data.SplitRows({}).training(), spec, {});
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  PruneSpec spec;
  spec.max_one_value = 1.5;
  EXPECT_THAT(prune(spec), HasSubstr("max_one_value is 1.5"));
  spec.max_one_value = 0;
  EXPECT_THAT(prune(spec), HasSubstr("leaves none of 8 columns"));
}

}  // namespace
}  // namespace almanac
