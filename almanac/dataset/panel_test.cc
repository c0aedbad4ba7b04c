#include "almanac/dataset/panel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <numeric>

#include "almanac/base/error.h"
#include "almanac/base/random.h"
#include "almanac/market/real_data_for_test.h"

namespace almanac {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();

std::string MessageOf(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

// Features: value (as given), day (a function of the time), sector (one number). The target of a
// row looks at the next 20 ms.
Dataset PartOf(const std::string& symbol, const std::vector<TimeMs>& times,
               const std::vector<float>& values, float sector) {
  FeatureTable table;
  table.index = times;
  table.names = {{"value", "ratio"}, {"day", "days"}, {"sector", "class"}};
  table.columns = {values, {}, std::vector<float>(times.size(), sector)};
  Labels labels;
  labels.name = "next";
  for (const TimeMs time : times) {
    table.columns[1].push_back(static_cast<float>(time % 70));
    labels.t0.push_back(time);
    labels.t1.push_back(time + 20);
    labels.value.push_back(static_cast<double>(time) / 10);
  }
  return Dataset::Join(symbol, std::move(table), labels);
}

const std::vector<ColumnRole> kRoles = {ColumnRole::kObserved, ColumnRole::kKnownFuture,
                                        ColumnRole::kStatic};

// B begins later; C lacks time 30 and has a missing value at 50.
Panel SmallPanel() {
  std::vector<Dataset> parts;
  parts.push_back(PartOf("C", {10, 20, 40, 50, 60, 70}, {1, 2, 4, kMissing, 6, 7}, 3));
  parts.push_back(PartOf("A", {10, 20, 30, 40, 50, 60, 70}, {11, 12, 13, 14, 15, 16, 17}, 1));
  parts.push_back(PartOf("B", {40, 50, 60}, {24, 25, 26}, 2));
  return Panel(std::move(parts), kRoles);
}

std::vector<uint32_t> AllRows(const Panel& panel) {
  std::vector<uint32_t> rows(panel.rows());
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

std::vector<std::string> Ends(const Panel& panel, const PanelWindows& windows) {
  std::vector<std::string> ends;
  for (const uint32_t row : windows.rows()) {
    ends.push_back(panel.part(panel.place(row).symbol).symbol() +
                   std::to_string(panel.times()[row]));
  }
  return ends;
}

TEST(Panel, RowsAreInOrderOfTimeThenSymbol) {
  const Panel panel = SmallPanel();
  EXPECT_EQ(panel.rows(), 16U);
  EXPECT_EQ(panel.groups().size(), 7U);
  EXPECT_EQ(panel.groups()[3].first, 5U);
  EXPECT_EQ(panel.groups()[3].count, 3U);
  for (size_t i = 5; i < 8; ++i) EXPECT_EQ(panel.times()[i], 40);
  EXPECT_EQ(panel.part(panel.place(6).symbol).symbol(), "B");
  EXPECT_EQ(panel.place(7).row, 2U);
  EXPECT_EQ(panel.target(7), 4);
  EXPECT_THAT(panel.FeaturesOf(ColumnRole::kKnownFuture), ElementsAre(1));
}

TEST(Panel, WindowsCrossNeitherSymbolsNorGaps) {
  const Panel panel = SmallPanel();
  const PanelWindows windows(panel, AllRows(panel), {.steps = 2});
  EXPECT_THAT(Ends(panel, windows),
              ElementsAre("A20", "C20", "A30", "A40", "A50", "B50", "A60", "B60", "A70", "C70"));
  EXPECT_EQ(windows.dropped(), 6U);
  EXPECT_THAT(windows.Past(5, 0), ElementsAre(24, 25));
  EXPECT_EQ(windows.Past(5, 0).data(), panel.part(1).feature(0).data());  // a view
  EXPECT_EQ(windows.Static(9, 2), 3);
  const PanelWindows across(panel, AllRows(panel), {.steps = 2, .across_gaps = true});
  EXPECT_EQ(across.size(), 11U);  // C40 after C20 as well
}

TEST(Panel, AheadOnlyWhatIsKnownAheadCanBeRead) {
  const Panel panel = SmallPanel();
  const PanelWindows windows(panel, AllRows(panel), {.steps = 1, .horizon = 2});
  EXPECT_THAT(Ends(panel, windows), ElementsAre("A10", "A20", "A30", "A40", "B40", "C40", "A50"));
  EXPECT_THAT(windows.Future(4, 1), ElementsAre(50, 60));
  EXPECT_THAT(MessageOf([&] { windows.Future(4, 0); }),
              HasSubstr("value: is observed: its values ahead are not known"));
  EXPECT_THAT(MessageOf([&] { windows.Static(4, 0); }), HasSubstr("value: is observed, not"));
  std::vector<float> batch(2 * 2);
  windows.GatherFuture(std::vector<size_t>{4, 0}, panel.FeaturesOf(ColumnRole::kKnownFuture),
                       batch);
  EXPECT_THAT(batch, ElementsAre(50, 60, 20, 30));
  EXPECT_THAT(MessageOf([&] {
                windows.GatherFuture(std::vector<size_t>{4}, std::vector<size_t>{0},
                                     std::span(batch).first(2));
              }),
              HasSubstr("known_future"));
  EXPECT_THAT(MessageOf([&] {
                windows.GatherPast(std::vector<size_t>{7}, std::vector<size_t>{0},
                                   std::span(batch).first(1));
              }),
              HasSubstr("windows take 1"));
}

TEST(Panel, RefusesPartsThatDoNotFit) {
  const auto join = [](std::vector<Dataset> parts, std::vector<ColumnRole> roles) {
    return MessageOf([&] { Panel(std::move(parts), std::move(roles)); });
  };
  const Dataset a = PartOf("A", {10, 20}, {1, 2}, 1);
  EXPECT_THAT(join({}, {}), HasSubstr("no symbols"));
  EXPECT_THAT(join({a, a}, {}), HasSubstr("A is there twice"));
  EXPECT_THAT(join({a}, {ColumnRole::kStatic}), HasSubstr("1 roles for 3 features"));
  EXPECT_THAT(join({a}, {ColumnRole::kStatic, ColumnRole::kObserved, ColumnRole::kObserved}),
              AllOf(HasSubstr("value of A"), HasSubstr("is 2 and was 1")));
  EXPECT_THAT(join({a, PartOf("B", {20, 30}, {9, 3}, 1)},
                   {ColumnRole::kKnownFuture, ColumnRole::kObserved, ColumnRole::kObserved}),
              AllOf(HasSubstr("value of B"), HasSubstr("is 9, and 2 of A at that time")));
  FeatureTable other;
  other.index = {10};
  other.names = {{"price", "price"}};
  other.columns = {{1}};
  EXPECT_THAT(join({a, Dataset::Unlabelled("B", other)}, {}), HasSubstr("other columns"));
}

TEST(Panel, RolesAreReadFromConfiguration) {
  const auto read = [](const std::string& yaml) {
    const ConfigDocument document = ConfigDocument::Parse(yaml, "r.yaml");
    const std::vector<ColumnRole> roles = ReadRoles(document.root(), {"value", "day", "sector"});
    document.RefuseUnknownKeys();
    return roles;
  };
  EXPECT_EQ(read("{static: [sector], known_future: day}"), kRoles);
  EXPECT_THAT(MessageOf([&] { read("{static: [sectr]}"); }),
              AllOf(HasSubstr("r.yaml:1"), HasSubstr("did you mean \"sector\"?")));
  EXPECT_THAT(MessageOf([&] { read("{static: [day], known_future: [day]}"); }),
              HasSubstr("day is there twice"));
}

// Random histories: every window by the definition, and splits that purge across symbols.
TEST(Panel, RandomPanelsByTheDefinition) {
  Random random(31);
  size_t seen = 0, splits = 0;
  for (int trial = 0; trial < 150; ++trial) {
    std::vector<Dataset> parts;
    std::map<TimeMs, int> traded;
    for (size_t s = 0; s < 1 + random.Below(5); ++s) {
      std::vector<TimeMs> times;
      std::vector<float> values;
      const uint64_t first = random.Below(15), last = 16 + random.Below(25);
      for (uint64_t day = first; day < last; ++day) {
        if (random.Below(8) == 0) continue;
        times.push_back(static_cast<TimeMs>(day) * 10);
        values.push_back(random.Below(20) == 0 ? kMissing : static_cast<float>(random.Uniform()));
        ++traded[times.back()];
      }
      if (times.empty()) continue;
      parts.push_back(PartOf("S" + std::to_string(s), times, values, 1));
    }
    if (parts.empty()) continue;
    const Panel panel(parts, kRoles);
    const PanelWindows::Options options{.steps = 1 + random.Below(4), .horizon = random.Below(3)};
    const PanelWindows windows(panel, AllRows(panel), options);
    size_t next = 0;
    for (uint32_t row = 0; row < panel.rows(); ++row) {
      const Panel::Place place = panel.place(row);
      const Dataset& part = panel.part(place.symbol);
      const auto begin = static_cast<int64_t>(place.row) - static_cast<int64_t>(options.steps) + 1;
      const size_t end = place.row + options.horizon;
      bool usable = begin >= 0 && end < part.rows();
      for (int64_t i = begin; usable && i <= static_cast<int64_t>(end); ++i) {
        const auto at = static_cast<size_t>(i);
        if (at <= place.row && std::isnan(part.feature(0)[at])) usable = false;
        if (i > begin && std::next(traded.find(part.times()[at - 1]))->first != part.times()[at]) {
          usable = false;
        }
      }
      ASSERT_EQ(usable, next < windows.size() && windows.rows()[next] == row) << trial;
      if (!usable) continue;
      EXPECT_EQ(windows.Past(next, 0).back(), part.feature(0)[place.row]);
      ++next;
      ++seen;
    }
    try {
      const DataSplit split = panel.SplitRows(SplitSpec{});
      const TrainingRows training = split.training();
      for (const uint32_t a : training.rows()) {
        for (const uint32_t b : split.rows(almanac::Part::kTest)) {
          ASSERT_LT(panel.label_end()[a], panel.times()[b]);
        }
      }
      ++splits;
    } catch (const Error&) {  // too few rows
    }
  }
  EXPECT_GT(seen, 2000U);
  EXPECT_GT(splits, 100U);
}

// Two years of daily bars of some stocks, one of which was listed later.
TEST(Panel, RealStocksHaveUnequalHistories) {
  ALMANAC_NEEDS_REAL_DATA("equities/daily_2018_2021.csv.zst");
  std::map<std::string, FeatureTable> tables;
  VisitCsv(ReadZstd(RealData("equities/daily_2018_2021.csv.zst")), [&](const auto& f) {
    if (f[0] != "AAPL" && f[0] != "MSFT" && f[0] != "MRNA" && f[0] != "XOM") return;
    FeatureTable& table = tables[std::string(f[0])];
    const TimeMs day = ParseTime(f[1]).value();
    if (table.columns.empty()) {
      table.names = {{"close", "price"}, {"weekday", "days"}, {"sector", "class"}};
      table.columns.resize(3);
    }
    table.index.push_back(day + kMsPerDay);
    table.columns[0].push_back(NumberOf<float>(f[5]));
    table.columns[1].push_back(static_cast<float>(Weekday(day)));
    table.columns[2].push_back(f[0] == "XOM" ? 2.0F : 1.0F);
  });
  ASSERT_GE(tables.size(), 3U);
  size_t rows = 0, windows_of_each = 0;
  std::vector<Dataset> parts;
  for (auto& [symbol, table] : tables) {
    rows += table.rows();
    windows_of_each += table.rows() - 59 - 5;  // no day is missing, though weekends are
    parts.push_back(Dataset::Unlabelled(symbol, std::move(table)));
  }
  const Panel panel(std::move(parts), kRoles);
  EXPECT_EQ(panel.rows(), rows);
  const PanelWindows windows(panel, AllRows(panel),
                             {.steps = 60, .horizon = 5, .with_target = false});
  EXPECT_EQ(windows.size(), windows_of_each);
  EXPECT_EQ(windows.size() + windows.dropped(), rows);
  for (size_t w = 0; w < windows.size(); w += 97) {
    const auto past = windows.Past(w, 1), future = windows.Future(w, 1);
    EXPECT_NE(past.back(), future.front());  // two sessions are on two days of the week
  }
}

}  // namespace
}  // namespace almanac
