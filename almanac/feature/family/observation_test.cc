#include "almanac/feature/observation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "almanac/base/error.h"
#include "almanac/base/error_for_test.h"
#include "almanac/base/random.h"
#include "almanac/feature/audit.h"
#include "almanac/feature/build.h"
#include "almanac/feature/random_series_for_test.h"
#include "almanac/feature/window.h"
#include "almanac/market/real_data_for_test.h"

namespace almanac {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kFeature[] = "surprise";

FeatureSet Read(const std::string& yaml) {
  const ConfigDocument document = ConfigDocument::Parse(yaml, "recipe.yaml");
  FeatureSet set = FeatureSet::FromConfig(document.root());
  document.RefuseUnknownKeys();
  return set;
}

FeatureSet EveryField(int64_t window) {
  return Read(
      "features:\n"
      "  - {family: observation, feature: surprise, fields: [last, age, change, count, on_day], "
      "windows: " +
      std::to_string(window) + "}\n");
}

Observation Version(TimeMs timestamp, double value, TimeMs known, const std::string& symbol = "X") {
  return {timestamp, value, "float", known, symbol, kFeature, "event"};
}

std::shared_ptr<const ObservationFeeds> FeedsOf(std::shared_ptr<const ObservationFeed> feed) {
  ObservationFeeds feeds;
  feeds.Add(std::move(feed));
  return std::make_shared<const ObservationFeeds>(std::move(feeds));
}

std::shared_ptr<const ObservationFeeds> FeedsOf(std::vector<Observation> versions,
                                                const std::string& symbol = "X") {
  return FeedsOf(std::make_shared<ObservationFeed>(kFeature, "event", symbol, std::move(versions)));
}

FeatureTable Build(const FeatureSet& set, const CandleSeries& series,
                   std::shared_ptr<const ObservationFeeds> feeds) {
  Frame frame = Frame::Of(series);
  frame.SetObservations(std::move(feeds));
  return BuildFeatures(set, frame);
}

bool Same(float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); }

// Every field of every row by its definition, from all versions again.
std::vector<double> Slow(const std::vector<Observation>& versions, TimeMs now,
                         std::optional<TimeMs> window_begin) {
  std::map<TimeMs, Observation> latest;  // by what they are about
  std::map<TimeMs, TimeMs> first_known;
  for (const Observation& version : versions) {
    if (version.updated_timestamp > now) continue;
    const auto [since, is_new] =
        first_known.try_emplace(version.timestamp, version.updated_timestamp);
    since->second = std::min(since->second, version.updated_timestamp);
    Observation& known = latest[version.timestamp];
    if (is_new || version.updated_timestamp >= known.updated_timestamp) known = version;
  }
  std::vector<double> out(5, kUnknown);
  if (window_begin) {
    out[3] = 0;
    for (const auto& [about, since] : first_known) out[3] += since > *window_begin;
  }
  if (latest.empty()) return out;
  const auto last = std::prev(latest.end());
  out[0] = last->second.value;
  out[1] = static_cast<double>(now - first_known[last->first]) / static_cast<double>(kMsPerDay);
  if (latest.size() > 1) out[2] = out[0] - std::prev(last)->second.value;
  if (out[1] < 1) out[4] = out[0];
  return out;
}

// Values in the order of their timestamps, known some time later, now and then restated.
std::vector<Observation> RandomVersions(const CandleSeries& series, uint64_t seed) {
  Random random(seed);
  std::vector<Observation> versions;
  TimeMs about = series.open_time.front() - 10 * kMsPerHour, known = 0;
  while (about < series.open_time.back()) {
    about += 1 + static_cast<TimeMs>(random.Below(20 * kMsPerHour));
    known = std::max(known, about) + static_cast<TimeMs>(random.Below(9 * kMsPerHour));
    versions.push_back(Version(about, random.Normal(), known));
    if (random.Below(4) == 0) {
      known += static_cast<TimeMs>(random.Below(6 * kMsPerHour));
      versions.push_back(Version(about, random.Normal(), known));
    }
  }
  return versions;
}

TEST(ObservationFamily, EqualsTheDefinitionWorkedOutForEveryRow) {
  constexpr size_t kWindow = 7;
  const CandleSeries series = RandomSeries(2000, 3, 100, 40);
  const std::vector<Observation> versions = RandomVersions(series, 5);
  const FeatureTable table = Build(EveryField(kWindow), series, FeedsOf(versions));
  size_t known = 0;
  for (size_t row = 0; row < series.size(); ++row) {
    std::optional<TimeMs> begin;
    if (row >= kWindow) begin = series.KnownAt(row - kWindow);
    const std::vector<double> expected = Slow(versions, series.KnownAt(row), begin);
    for (size_t c = 0; c < 5; ++c) {
      ASSERT_TRUE(Same(table.columns[c][row], static_cast<float>(expected[c])))
          << table.names[c].name << " " << row << ": " << table.columns[c][row] << " for "
          << expected[c];
      known += !std::isnan(expected[c]);
    }
  }
  EXPECT_GT(known, 7000U);
}

TEST(ObservationFamily, IsKnownFromTheInstantOnAndNotBefore) {
  const CandleSeries series = RandomSeries(6, 1);
  // About the first bar, known when the third one is, and 1 ms after the fourth one is.
  const FeatureTable table =
      Build(EveryField(1), series,
            FeedsOf({Version(series.open_time[0], 2, series.KnownAt(2)),
                     Version(series.open_time[1], 5, series.KnownAt(3) + 1)}));
  EXPECT_THAT(table.columns[0], ElementsAre(testing::IsNan(), testing::IsNan(), 2, 2, 5, 5));
  EXPECT_THAT(table.columns[3], ElementsAre(testing::IsNan(), 0, 1, 0, 1, 0));
  EXPECT_EQ(table.columns[2][4], 3);
}

// Live rows read a feed that grows; a snapshot goes on with a feed that holds only what is new.
TEST(ObservationFamily, LiveEqualsHistoryBitForBit) {
  const CandleSeries series = RandomSeries(600, 8);
  const std::vector<Observation> versions = RandomVersions(series, 9);
  const FeatureSet set = EveryField(5);
  const FeatureTable whole = Build(set, series, FeedsOf(versions));
  auto feed = std::make_shared<ObservationFeed>(kFeature, "event", "X", std::vector<Observation>());
  FrameKey key{{series.key}, FrameRows::kUnion, nullptr, FeedsOf(feed)};
  LiveFrame live(set, key);
  size_t next = 0;
  for (size_t row = 0; row < series.size(); ++row) {
    if (row == 300) {
      const std::string snapshot = live.Snapshot();
      feed = std::make_shared<ObservationFeed>(kFeature, "event", "X", std::vector<Observation>());
      key.observations = FeedsOf(feed);
      live = LiveFrame::Restore(set, key, snapshot);
    }
    while (next < versions.size() && versions[next].updated_timestamp <= series.KnownAt(row)) {
      feed->Append(versions[next++]);
    }
    const Candle bar = series.At(row);
    const Candle* const bars[] = {&bar};
    const std::span<const float> values = live.Step(bars);
    for (size_t c = 0; c < set.size(); ++c) {
      ASSERT_TRUE(Same(values[c], whole.columns[c][row])) << row << " " << c;
    }
  }
}

TEST(ObservationFamily, IsReadFromConfiguration) {
  const FeatureSet set = Read(
      "features:\n"
      "  - {family: observation, feature: funding, time_frame: 8h, fields: [last, count], "
      "windows: [3, 9], lags: [0, 1]}\n");
  std::vector<std::string> names;
  for (const FeatureInfo& info : set.Columns()) names.push_back(info.name);
  EXPECT_THAT(names, ElementsAre("funding_8h_last", "funding_8h_last_lag_1", "funding_8h_count_3",
                                 "funding_8h_count_3_lag_1", "funding_8h_count_9",
                                 "funding_8h_count_9_lag_1"));
  EXPECT_EQ(set.LookBack(), 11);
  EXPECT_EQ(FeatureSet::FromJson(set.ToJson()).specs(), set.specs());
  const auto line = [](const std::string& rest) {
    return MessageOf([&] { Read("features:\n  - {family: observation, " + rest + "}\n"); });
  };
  EXPECT_THAT(line("feature: x, fields: [lst]"),
              AllOf(HasSubstr("recipe.yaml:2"), HasSubstr("no field \"lst\"")));
  EXPECT_THAT(line("feature: x, fields: count"), HasSubstr("count without windows"));
  EXPECT_THAT(line("feature: x, fields: last, windows: 3"), HasSubstr("windows without count"));
  EXPECT_THAT(line("fields: last"), HasSubstr("feature"));
  EXPECT_THROW(
      FeatureSet::FromJson(Json::parse(R"([{"family":"observation","text":"a/b","name":"x"}])")),
      Error);
}

TEST(ObservationFamily, RefusesWhatDoesNotBelong) {
  const CandleSeries series = RandomSeries(5, 1);
  EXPECT_THAT(MessageOf([&] { BuildFeatures(EveryField(2), series); }),
              HasSubstr("no observations of surprise (event) of X"));
  EXPECT_THAT(MessageOf([&] { Build(EveryField(2), series, FeedsOf({}, "Y")); }),
              HasSubstr("no observations of surprise (event) of X"));
  EXPECT_THAT(MessageOf([] { FeedsOf({Version(0, 1, 0, "Y")}); }), HasSubstr("is of surprise"));
  EXPECT_THAT(MessageOf([] { FeedsOf({Version(0, kUnknown, 0)}); }), HasSubstr("the value is nan"));
  ObservationFeed feed(kFeature, "event", "X", {Version(0, 1, 10)});
  EXPECT_THAT(MessageOf([&] { feed.Append(Version(20, 1, 9)); }),
              HasSubstr("append observations in the order"));
}

struct Stock {
  CandleSeries bars;
  std::vector<Observation> surprises;
};

// Daily bars and earnings surprises of a symbol. What a surprise is about is the end of the quarter
// before; it is known from the end of the announcement's day in New York on (here 05:00 UTC).
Stock ReadStock(const std::string& symbol) {
  Stock stock;
  stock.bars.key = {"us-stocks", symbol, Timeframe::Parse("1d")};
  VisitCsv(ReadZstd(RealData("equities/daily_2018_2021.csv.zst")), [&](const auto& f) {
    if (f[0] != symbol) return;
    Candle bar;
    bar.open_time = ParseTime(f[1]).value();
    bar.open = NumberOf<double>(f[2]);
    bar.high = NumberOf<double>(f[3]);
    bar.low = NumberOf<double>(f[4]);
    bar.close = NumberOf<double>(f[5]);
    bar.volume = NumberOf<double>(f[6]);
    stock.bars.Append(bar);
  });
  VisitCsv(ReadZstd(RealData("equities/earnings_2015_2021.csv.zst")), [&](const auto& f) {
    if (f[0] != symbol || f[2].empty() || f[3].empty()) return;
    const TimeMs day = ParseTime(f[1]).value();
    const CivilDate date = DateOf(day);
    const int quarter = (date.month - 1) / 3;
    const TimeMs period = StartOfDate({date.year, quarter * 3 + 1, 1}) - 1;
    stock.surprises.push_back(Version(period, NumberOf<double>(f[3]) - NumberOf<double>(f[2]),
                                      day + kMsPerDay + 5 * kMsPerHour, symbol));
  });
  return stock;
}

FeatureTable JoinedAtPeriod(const CandleSeries& series, const std::vector<Observation>& known) {
  FeatureTable table;
  table.names = {{"surprise_at_period", "dollars"}, {"close", "price"}};
  table.columns.resize(2);
  for (size_t i = 0; i < series.size(); ++i) {
    table.index.push_back(series.KnownAt(i));
    float value = std::numeric_limits<float>::quiet_NaN();
    for (const Observation& each : known) {
      if (each.timestamp <= series.KnownAt(i)) value = static_cast<float>(each.value);
    }
    table.columns[0].push_back(value);
    table.columns[1].push_back(static_cast<float>(series.close[i]));
  }
  return table;
}

TEST(ObservationFamily, EarningsBeforeTheirAnnouncementAreCaughtAndNamed) {
  ALMANAC_NEEDS_REAL_DATA("equities/earnings_2015_2021.csv.zst");
  const Stock stock = ReadStock("MSFT");
  ASSERT_GT(stock.bars.size(), 900U);
  ASSERT_GT(stock.surprises.size(), 20U);
  const LeakAudit leaky = AuditColumns(JoinedAtPeriod, stock.bars, stock.surprises);
  ASSERT_EQ(leaky.findings.size(), 1U);
  EXPECT_EQ(leaky.findings[0].column, "surprise_at_period");
  EXPECT_EQ(leaky.findings[0].check, LeakCheck::kTruncation);
  EXPECT_THAT(MessageOf([&] { RequireNoLeak(leaky, stock.bars.key); }),
              AllOf(HasSubstr("surprise_at_period"), HasSubstr("MSFT")));

  const FeatureSet set = EveryField(20);
  const auto honest = [&](const CandleSeries& bars, const std::vector<Observation>& known) {
    return Build(set, bars, FeedsOf(known, "MSFT"));
  };
  const LeakAudit audit = AuditColumns(honest, stock.bars, stock.surprises);
  EXPECT_TRUE(audit.passed());
  EXPECT_GT(audit.cuts.size(), 5U);
  // The announcement of 2018-01-31, after the close: not in that day's row, nor in the one that is
  // known at midnight, but in the next.
  const FeatureTable table = honest(stock.bars, stock.surprises);
  const auto row_of = [&](TimeMs open) {
    return std::lower_bound(stock.bars.open_time.begin(), stock.bars.open_time.end(), open) -
           stock.bars.open_time.begin();
  };
  const auto day = static_cast<size_t>(row_of(ParseTime("2018-01-31").value()));
  EXPECT_EQ(table.columns[0][day], table.columns[0][day - 1]);
  EXPECT_GT(table.columns[1][day], 80);
  EXPECT_LT(table.columns[1][day + 1], 1);
}

}  // namespace
}  // namespace almanac
