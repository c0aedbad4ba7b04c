#include "almanac/feature/frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/random.h"
#include "almanac/feature/audit.h"
#include "almanac/feature/build.h"
#include "almanac/feature/every_family_for_test.h"
#include "almanac/feature/frame_for_test.h"
#include "almanac/feature/stream.h"
#include "almanac/market/resample.h"

namespace almanac {
namespace {

using ::testing::HasSubstr;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

FeatureSet Parse(const std::string& features) {
  const ConfigDocument document = ConfigDocument::Parse("features:\n" + features, "test.yaml");
  FeatureSet set = FeatureSet::FromConfig(document.root());
  document.RefuseUnknownKeys();
  return set;
}

// Something of each clock, with combinations, transforms and lags.
FeatureSet Mixed() {
  return Parse(R"(
  - {family: log_return, windows: [1, 7], timeframes: [base, 1h, 4h], lags: [0, 2]}
  - {family: rsi, windows: 5, timeframes: [base, 2h], transforms: [none, zscore_9, diff_1.rank_6]}
  - {family: natr, windows: 3, over: {family: natr, windows: 9}, timeframes: [base, 1h]}
  - {family: rsi, windows: 4, symbols: ETH, minus: {family: rsi, windows: 4, symbols: BTC}}
  - {family: ema_distance, windows: 4, minus: {family: ema_distance, windows: 4, timeframes: 4h}}
  - {family: cross_beta, windows: 8, against: BTC, symbols: [ETH, SOL], timeframes: [base, 1h]}
  - {family: spread_zscore, windows: 6}
  - {family: lead_lag, windows: 6, shift: [1, 2]}
)");
}

std::vector<std::string> NamesOf(const FeatureTable& table) {
  std::vector<std::string> names;
  for (const MatrixColumn& column : table.names) names.push_back(column.name);
  return names;
}

const std::vector<float>& ColumnOf(const FeatureTable& table, const std::string& name) {
  const std::vector<std::string> names = NamesOf(table);
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) throw Error(ErrorCode::kFailed, "test", "no column " + name);
  return table.columns[static_cast<size_t>(found - names.begin())];
}

// The values of `table`'s column at its own times, laid on other rows; NaN where it has none.
std::vector<float> LaidOn(const std::vector<TimeMs>& rows, const FeatureTable& table, size_t c) {
  std::map<TimeMs, float> values;
  for (size_t i = 0; i < table.rows(); ++i) values[table.index[i]] = table.columns[c][i];
  std::vector<float> laid;
  for (const TimeMs time : rows) laid.push_back(values.contains(time) ? values[time] : kNaN);
  return laid;
}

TEST(Frame, ASymbolsColumnsAreThoseOfTheSymbolAlone) {
  const std::vector<CandleSeries> series = ThreeSeries(700, 1);
  const FeatureSet set = EveryFamily({2, 30});
  const FeatureTable table = BuildFeatures(set, Frame(series));
  ASSERT_EQ(table.columns.size(), 3 * set.size());
  for (size_t s = 0; s < 3; ++s) {
    const FeatureTable alone = BuildFeatures(set, series[s]);
    EXPECT_LT(alone.rows(), table.rows());
    for (size_t c = 0; c < set.size(); ++c) {
      const size_t column = s * set.size() + c;
      EXPECT_EQ(table.names[column].name, series[s].key.symbol + "_" + alone.names[c].name);
      EXPECT_EQ(BitsOf(table.columns[column]), BitsOf(LaidOn(table.index, alone, c)))
          << table.names[column].name;
    }
  }
}

// What the rows of a frame carry of a coarse series, from the definition: the value of the last
// coarse bar that should have closed, if it is there.
std::vector<float> Carried(const std::vector<TimeMs>& rows, const FeatureTable& coarse, size_t c,
                           Timeframe timeframe, const Calendar& calendar) {
  std::map<TimeMs, float> by_open;
  for (size_t i = 0; i < coarse.rows(); ++i) {
    by_open[coarse.index[i] - timeframe.duration()] = coarse.columns[c][i];
  }
  std::vector<float> carried;
  for (const TimeMs now : rows) {
    const TimeMs last = now - timeframe.duration();
    const std::vector<TimeMs> opens =
        calendar.ExpectedOpens(timeframe, last - 10 * kMsPerDay, last + 1);
    const bool there = !opens.empty() && by_open.contains(opens.back());
    carried.push_back(there ? by_open[opens.back()] : kNaN);
  }
  return carried;
}

void ExpectCarried(const std::vector<CandleSeries>& series, const Calendar* calendar,
                   const std::vector<std::string>& timeframes) {
  const Calendar& expected = calendar != nullptr ? *calendar : AlwaysOpenCalendar();
  const Frame frame(series, FrameRows::kUnion, calendar);
  for (const std::string& name : timeframes) {
    const FeatureSet plain = Parse(
        "  - {family: log_return, windows: [1, 3], lags: [0, 1]}\n"
        "  - {family: volume_zscore, windows: 4, transforms: [none, mean_3]}\n");
    const FeatureSet coarse = Parse(
        "  - {family: log_return, windows: [1, 3], lags: [0, 1], timeframes: " + name + "}\n" +
        "  - {family: volume_zscore, windows: 4, transforms: [none, mean_3], timeframes: " + name +
        "}\n");
    const FeatureTable table = BuildFeatures(coarse, frame);
    for (size_t s = 0; s < series.size(); ++s) {
      ResampleOptions options;
      options.calendar = calendar;
      const Timeframe timeframe = Timeframe::Parse(name);
      const ResampleResult resampled = Resample(series[s], timeframe, options);
      const size_t least = timeframe == series[s].key.timeframe ? 0 : 4;
      EXPECT_GE(resampled.incomplete.size(), least);
      const FeatureTable own = BuildFeatures(plain, resampled.series);
      for (size_t c = 0; c < plain.size(); ++c) {
        EXPECT_EQ(BitsOf(table.columns[s * plain.size() + c]),
                  BitsOf(Carried(table.index, own, c, timeframe, expected)))
            << table.names[s * plain.size() + c].name;
      }
    }
  }
}

TEST(Frame, AHigherTimeframeEntersWhenItsBarIsClosedAndLeavesWhenTheNextIsIncomplete) {
  ExpectCarried(ThreeSeries(900, 2), nullptr, {"30m", "1h", "4h", "1d"});
}

TEST(Frame, AHigherTimeframeFollowsTheCalendar) {
  const Calendar& calendar = UsEquitiesCalendar();
  const Timeframe half_hour = Timeframe::Parse("30m");
  std::vector<CandleSeries> all;
  Random random(1, "bars that are missing");
  for (const char* symbol : {"AAPL", "MSFT"}) {
    CandleSeries series;
    const CandleSeries prices = SeriesOf(symbol, 2000, 7);
    series.key = prices.key;
    // With the half day and the holiday of Thanksgiving.
    const TimeMs from = ParseTime("2024-10-21T00:00:00Z").value();
    for (const TimeMs open : calendar.ExpectedOpens(half_hour, from, from + 50 * kMsPerDay)) {
      if (random.Below(15) == 0) continue;
      Candle bar = prices.At(series.size());
      bar.open_time = open;
      series.Append(bar);
    }
    all.push_back(std::move(series));
  }
  ExpectCarried(all, &calendar, {"1h", "4h", "1d"});
}

TEST(Frame, CombinationsAreOfTheColumnsThatTheyName) {
  const Frame frame(ThreeSeries(600, 3));
  const FeatureTable table = BuildFeatures(Parse(R"(
  - {family: rsi, windows: 5, timeframes: [base, 4h]}
  - {family: rsi, windows: 5, symbols: ETH, minus: {family: rsi, windows: 5, symbols: BTC}}
  - {family: rsi, windows: 5, symbols: ETH, over: {family: rsi, windows: 5, timeframes: 4h}}
)"),
                                           frame);
  const std::vector<float>& eth = ColumnOf(table, "ETH_rsi_5");
  const std::vector<float>& btc = ColumnOf(table, "BTC_rsi_5");
  const std::vector<float>& slow = ColumnOf(table, "ETH_rsi_5_4h");
  const std::vector<float>& minus = ColumnOf(table, "ETH_rsi_5_minus_BTC_rsi_5");
  const std::vector<float>& over = ColumnOf(table, "ETH_rsi_5_over_rsi_5_4h");
  size_t known = 0;
  for (size_t i = 0; i < table.rows(); ++i) {
    EXPECT_EQ(std::isnan(minus[i]), std::isnan(eth[i]) || std::isnan(btc[i])) << i;
    EXPECT_EQ(std::isnan(over[i]), std::isnan(eth[i]) || std::isnan(slow[i])) << i;
    if (std::isnan(minus[i]) || std::isnan(over[i])) continue;
    ++known;
    EXPECT_NEAR(minus[i], eth[i] - btc[i], 2e-5) << i;
    EXPECT_NEAR(over[i], eth[i] / slow[i], 1e-6 * std::abs(over[i])) << i;
  }
  EXPECT_GT(known, 100U);
}

FeatureTable StepThrough(const FeatureSet& set, const std::vector<CandleSeries>& series,
                         const Frame& frame, size_t snapshot_every) {
  LiveFrame live(set, frame.key());
  FeatureTable table;
  table.columns.resize(live.columns());
  for (size_t t = 0; t < frame.times().size(); ++t) {
    std::vector<Candle> bars(series.size());
    std::vector<const Candle*> places(series.size());
    for (size_t s = 0; s < series.size(); ++s) {
      if (frame.BarAt(s, t) == Frame::kNoBar) continue;
      bars[s] = series[s].At(static_cast<size_t>(frame.BarAt(s, t)));
      places[s] = &bars[s];
    }
    const std::span<const float> row = live.Step(places);
    EXPECT_EQ(!row.empty(), frame.HasRow(t));
    for (size_t c = 0; c < row.size(); ++c) table.columns[c].push_back(row[c]);
    if (t % snapshot_every == 0) {
      live = LiveFrame::Restore(set, frame.key(), live.Snapshot());
    }
  }
  return table;
}

TEST(Frame, LiveRowsAndSnapshotsGiveTheBitsOfHistory) {
  for (const FrameRows rows : {FrameRows::kUnion, FrameRows::kIntersection}) {
    const std::vector<CandleSeries> series = ThreeSeries(900, 4);
    const Frame frame(series, rows);
    const FeatureTable batch = BuildFeatures(Mixed(), frame);
    const FeatureTable live = StepThrough(Mixed(), series, frame, 37);
    ASSERT_EQ(batch.columns.size(), live.columns.size());
    for (size_t c = 0; c < batch.columns.size(); ++c) {
      EXPECT_EQ(BitsOf(batch.columns[c]), BitsOf(live.columns[c])) << batch.names[c].name;
      const auto unknown = std::count_if(batch.columns[c].begin(), batch.columns[c].end(),
                                         [](float value) { return std::isnan(value); });
      EXPECT_LT(unknown, static_cast<int64_t>(batch.rows()) * 9 / 10) << batch.names[c].name;
    }
  }
}

TEST(Frame, CommonRowsAreThoseOfTheUnionWhereAllHaveABar) {
  const std::vector<CandleSeries> series = ThreeSeries(500, 5);
  const Frame everything(series);
  const FeatureTable all = BuildFeatures(Mixed(), everything);
  const FeatureTable common = BuildFeatures(Mixed(), Frame(series, FrameRows::kIntersection));
  EXPECT_LT(common.rows(), all.rows());
  EXPECT_GT(common.rows(), all.rows() / 2);
  for (size_t c = 0; c < all.columns.size(); ++c) {
    EXPECT_EQ(BitsOf(LaidOn(common.index, all, c)), BitsOf(common.columns[c]));
  }
}

TEST(Frame, AStreamGivesTheTableInBlocks) {
  const Frame frame(ThreeSeries(1300, 6), FrameRows::kIntersection);
  const FeatureSet set = EveryFamily({2, 9});
  const FeatureTable table = BuildFeatures(set, frame);
  const FeatureStream stream(set, frame);
  EXPECT_EQ(stream.index(), table.index);
  EXPECT_EQ(stream.columns(), table.columns.size());
  size_t columns = 0;
  for (size_t g = 0; g < stream.groups(); ++g) {
    const ColumnGroup group = stream.group(g);
    EXPECT_EQ(group.first, columns);
    EXPECT_LE(group.count, FeatureStream::kLargestGroup);
    columns += group.count;
    size_t rows = 0;
    stream.Compute(g, [&](const FeatureBlock& block) {
      EXPECT_EQ(block.first_row, rows);
      rows += block.rows;
      ASSERT_EQ(block.columns.size(), group.count);
      for (size_t c = 0; c < group.count; ++c) {
        EXPECT_EQ(
            BitsOf({block.columns[c], block.rows}),
            BitsOf(std::span(table.columns[group.first + c]).subspan(block.first_row, block.rows)));
      }
    });
    EXPECT_EQ(rows, table.rows());
  }
  EXPECT_EQ(columns, stream.columns());
}

TEST(Frame, TheAuditPassesMixedColumns) {
  const LeakAudit audit =
      AuditFeatures(Mixed(), Frame(ThreeSeries(800, 8)), {.seed = 3, .cuts = 4});
  EXPECT_TRUE(audit.passed()) << ToJson(audit).dump(1);
  EXPECT_EQ(audit.cuts.size(), 4U);
  EXPECT_EQ(audit.columns, BuildFeatures(Mixed(), Frame(ThreeSeries(50, 8))).columns.size());
}

// An hour's return in the rows from the hour's open on: before it is closed.
FeatureTable StampedAtItsOpen(const Frame& frame) {
  FeatureTable table;
  table.index = frame.times();
  const Timeframe hour = Timeframe::Parse("1h");
  for (size_t s = 0; s < frame.symbols(); ++s) {
    const CandleSeries hours = Resample(frame.series(s), hour).series;
    std::map<TimeMs, float> by_open;
    for (size_t i = 0; i < hours.size(); ++i) {
      by_open[hours.open_time[i]] = static_cast<float>(std::log(hours.close[i] / hours.open[i]));
    }
    table.names.push_back({frame.key().series[s].symbol + "_hour", "log ratio"});
    std::vector<float>& column = table.columns.emplace_back();
    for (const TimeMs now : frame.times()) {
      const auto found = by_open.find(hour.Floor(now - 1));
      column.push_back(found == by_open.end() ? kNaN : found->second);
    }
  }
  return table;
}

TEST(Frame, TheAuditNamesAHigherTimeframeStampedAtItsOpen) {
  const Frame frame(ThreeSeries(800, 9, 200));
  // About half of the cuts fall into an open hour.
  const LeakAudit audit = AuditColumns(FrameFunction(StampedAtItsOpen), frame, {.cuts = 20});
  ASSERT_EQ(audit.findings.size(), 3U);
  EXPECT_EQ(audit.findings[1].column, "ETH_hour");
  EXPECT_EQ(audit.findings[1].rows, 1U);
  EXPECT_EQ(audit.findings[1].first_row, audit.findings[1].cut - 1);
}

TEST(Frame, FirstTimesIsWhatWasKnown) {
  const std::vector<CandleSeries> series = ThreeSeries(300, 10);
  const Frame frame(series);
  for (const size_t count : {size_t{0}, size_t{1}, size_t{150}, frame.times().size()}) {
    const Frame part = frame.FirstTimes(count);
    ASSERT_EQ(part.times().size(), count);
    for (size_t s = 0; s < series.size(); ++s) {
      const size_t bars = part.series(s).size();
      EXPECT_TRUE(bars == series[s].size() || count == 0 ||
                  series[s].KnownAt(bars) > frame.times()[count - 1]);
      EXPECT_TRUE(bars == 0 || series[s].KnownAt(bars - 1) <= frame.times()[count - 1]);
    }
  }
}

std::string MessageOf(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Frame, RefusesWhatItCannotMean) {
  const std::vector<CandleSeries> series = ThreeSeries(50, 11);
  const Frame frame(series);
  const auto build = [&](const std::string& features, const Frame& on) {
    return MessageOf([&] { BuildFeatures(Parse(features), on); });
  };
  EXPECT_THAT(build("  - {family: rsi, windows: 3, symbols: DOGE}", frame),
              HasSubstr("DOGE, which is not in the frame; the frame has BTC, ETH, SOL"));
  EXPECT_THAT(build("  - {family: rsi, windows: 3, timeframes: 5m}", frame),
              HasSubstr("5m bars do not consist of whole 30m bars"));
  EXPECT_THAT(build("  - {family: cross_beta, windows: 3}", Frame::Of(series[0])),
              HasSubstr("needs another symbol"));
  EXPECT_THAT(MessageOf([&] { Frame({series[0], series[0]}); }), HasSubstr("BTC is there twice"));
  EXPECT_THAT(MessageOf([&] { Frame(std::vector<CandleSeries>{}); }), HasSubstr("no series"));
  CandleSeries hours = Resample(series[1], Timeframe::Parse("1h")).series;
  EXPECT_THAT(MessageOf([&] { Frame({series[0], hours}); }), HasSubstr("have one timeframe"));
}

TEST(Frame, ALiveRowThatIsRefusedChangesNothing) {
  const std::vector<CandleSeries> series = ThreeSeries(60, 12, 0);
  const Frame frame(series);
  LiveFrame live(Mixed(), frame.key());
  live.Run(frame, 0, 50, {});
  const std::string before = live.Snapshot();
  const std::vector<Candle> now = {series[0].At(50), series[1].At(50), series[2].At(50)};
  Candle late = series[1].At(49), broken = series[1].At(50), ahead = series[1].At(51);
  broken.low = -1;
  const auto step = [&](std::vector<const Candle*> bars) {
    return MessageOf([&] { live.Step(bars); });
  };
  EXPECT_THAT(step({&now[0], &late, &now[2]}), HasSubstr("does not open after the one before"));
  EXPECT_THAT(step({&now[0], &broken, &now[2]}), HasSubstr("low is -1"));
  EXPECT_THAT(step({&now[0], &ahead, &now[2]}), HasSubstr("open at one time"));
  EXPECT_THAT(step({&now[0], &now[1]}), HasSubstr("2 bars for a frame of 3 symbols"));
  EXPECT_THAT(step({nullptr, nullptr, nullptr}), HasSubstr("no symbol has a bar"));
  EXPECT_EQ(live.Snapshot(), before);
  EXPECT_EQ(step({&now[0], &now[1], nullptr}), "");
  EXPECT_THAT(MessageOf([&] { LiveFrame::Restore(EveryFamily({3}), frame.key(), before); }),
              HasSubstr("of other features"));
  EXPECT_THAT(MessageOf([&] {
                LiveFrame::Restore(Mixed(), Frame(series, FrameRows::kIntersection).key(), before);
              }),
              HasSubstr("is of test BTC 30m, test ETH 30m, test SOL 30m"));
}

}  // namespace
}  // namespace almanac
