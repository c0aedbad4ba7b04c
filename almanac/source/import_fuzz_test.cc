// Random damage to valid files must end in an Error or in right data, never in a crash; and what
// was written out comes back exactly.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include "almanac/base/error.h"
#include "almanac/base/random.h"
#include "almanac/source/candle_import.h"
#include "almanac/source/earnings.h"
#include "almanac/source/test_files.h"

namespace almanac {
namespace {

using test::MemoryLake;
using test::TemporaryFolder;

CandleSeries RandomSeries(uint64_t seed, size_t bars, Timeframe timeframe) {
  Random random(seed, "series");
  CandleSeries series;
  series.key = {"import", "X", timeframe};
  TimeMs time = 1704067200000;
  for (size_t i = 0; i < bars; ++i) {
    Candle bar;
    bar.open_time = time;
    bar.open = std::exp(5 * random.Normal());
    bar.close = std::exp(5 * random.Normal());
    bar.high = std::max(bar.open, bar.close) * (1 + random.Uniform());
    bar.low = std::min(bar.open, bar.close) * (1 - 0.9 * random.Uniform());
    bar.volume = random.Below(10) == 0 ? 0 : random.Exponential() * 1e5;
    bar.trade_count = random.Below(5) == 0 ? Candle::kNotGiven : double(random.Below(1000));
    bar.vwap = random.Below(5) == 0 ? Candle::kNotGiven : bar.open;
    series.Append(bar);
    time += timeframe.duration() * static_cast<int64_t>(random.Below(20) == 0 ? 3 : 1);
  }
  return series;
}

std::string OptionalText(double value) { return std::isnan(value) ? "" : fmt::format("{}", value); }

std::string ToCsv(const CandleSeries& series) {
  std::string text = "open_time,open,high,low,close,volume,trade_count,vwap\n";
  for (size_t i = 0; i < series.size(); ++i) {
    text += fmt::format("{},{},{},{},{},{},{},{}\n", series.open_time[i], series.open[i],
                        series.high[i], series.low[i], series.close[i], series.volume[i],
                        OptionalText(series.trade_count[i]), OptionalText(series.vwap[i]));
  }
  return text;
}

std::string ToJsonArrays(const CandleSeries& series) {
  std::string text = "[";
  for (size_t i = 0; i < series.size(); ++i) {
    text += fmt::format(
        "{}[{},\"{}\",\"{}\",\"{}\",\"{}\",\"{}\",0,\"0\",{},\"0\",\"0\",\"0\"]",
        i == 0 ? "" : ",\n ", series.open_time[i], series.open[i], series.high[i], series.low[i],
        series.close[i], series.volume[i],
        std::isnan(series.trade_count[i]) ? "null" : OptionalText(series.trade_count[i]));
  }
  return text + "]\n";
}

std::string ToJsonObjects(const CandleSeries& series) {
  std::string text = "[\n";
  for (size_t i = 0; i < series.size(); ++i) {
    text += fmt::format(
        R"({}{{"t":"{}","o":{},"h":{},"l":{},"c":{},"v":{},"n":{},"vw":{}}})", i == 0 ? "" : ",",
        FormatTime(series.open_time[i]), series.open[i], series.high[i], series.low[i],
        series.close[i], series.volume[i],
        std::isnan(series.trade_count[i]) ? "null" : OptionalText(series.trade_count[i]),
        std::isnan(series.vwap[i]) ? "null" : OptionalText(series.vwap[i]));
  }
  return text + "\n]";
}

bool Same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

void ExpectEqual(const std::map<TimeMs, Candle>& found, const CandleSeries& series, bool has_vwap) {
  ASSERT_EQ(found.size(), series.size());
  size_t i = 0;
  for (const auto& [time, bar] : found) {
    const Candle due = series.At(i++);
    ASSERT_EQ(time, due.open_time);
    ASSERT_EQ(bar.open, due.open);
    ASSERT_EQ(bar.high, due.high);
    ASSERT_EQ(bar.low, due.low);
    ASSERT_EQ(bar.close, due.close);
    ASSERT_EQ(bar.volume, due.volume);
    ASSERT_TRUE(Same(bar.trade_count, due.trade_count));
    if (has_vwap) {
      ASSERT_TRUE(Same(bar.vwap, due.vwap));
    }
  }
}

TEST(ImportFuzz, WhatWasWrittenComesBackExactly) {
  const TemporaryFolder folder;
  for (const char* name : {"1m", "1h", "1d"}) {
    const CandleSeries series = RandomSeries(11, 30'000, Timeframe::Parse(name));
    const std::vector<std::pair<std::string, bool>> texts = {
        {ToCsv(series), true}, {ToJsonArrays(series), false}, {ToJsonObjects(series), true}};
    for (const auto& [text, has_vwap] : texts) {
      MemoryLake lake;
      const auto path = folder.Write("X.zst", test::Zstd(text));
      const ImportReport report = ImportCandles(lake.opener(), {path}, {}, NoProgress());
      ASSERT_EQ(report.series.at(0).key.timeframe.name(), name);
      ExpectEqual(lake.Of("X"), series, has_vwap);
    }
  }
}

// A few random edits: bytes changed, removed, doubled, lines moved, the end cut off.
std::string Damaged(std::string text, Random& random) {
  constexpr std::string_view kBytes = ",;\"\n\r\t 0123456789.-+eE[]{}:nullxyz\0\xff\x80|_#";
  const uint64_t edits = 1 + random.Below(4);
  for (uint64_t e = 0; e < edits && !text.empty(); ++e) {
    const size_t at = random.Below(text.size());
    const size_t length = std::min<size_t>(1 + random.Below(30), text.size() - at);
    switch (random.Below(7)) {
      case 0:
        text[at] = kBytes[random.Below(kBytes.size())];
        break;
      case 1:
        text.erase(at, length);
        break;
      case 2:
        text.insert(at, text.substr(random.Below(text.size()), length));
        break;
      case 3:
        text.insert(at, 1, kBytes[random.Below(kBytes.size())]);
        break;
      case 4:
        text.resize(at);
        break;
      case 5:
        text[at] = static_cast<char>(random.Below(256));
        break;
      default:
        std::swap(text[at], text[random.Below(text.size())]);
    }
  }
  return text;
}

// What every bar must keep, however the file was damaged.
void ExpectSane(const MemoryLake& lake) {
  for (const auto& [key, bars] : lake.series) {
    for (const auto& [time, bar] : bars) {
      for (const double price : {bar.open, bar.high, bar.low, bar.close}) {
        ASSERT_TRUE(std::isfinite(price) && price > 0);
      }
      ASSERT_TRUE(std::isfinite(bar.volume) && bar.volume >= 0);
      if (key.timeframe.duration() < kMsPerDay) {
        ASSERT_EQ(time % key.timeframe.duration(), 0);
      }
    }
  }
}

TEST(ImportFuzz, DamagedFilesEndInAnErrorOrInRightData) {
  const TemporaryFolder folder;
  const CandleSeries series = RandomSeries(5, 40, Timeframe::Parse("5m"));
  const std::vector<std::string> originals = {ToCsv(series), ToJsonArrays(series),
                                              ToJsonObjects(series)};
  Random random(99);
  int errors = 0, unchanged_bars = 0;
  constexpr int kRounds = 1000;
  for (int round = 0; round < kRounds; ++round) {
    const std::string text = Damaged(originals[random.Below(originals.size())], random);
    std::string packed = text;
    const uint64_t packing = random.Below(4);
    if (packing == 0) packed = Damaged(test::Gzip(text), random);
    if (packing == 1) packed = Damaged(test::Zstd(text), random);
    // Not the atomic write of the folder helper: flushing thousands of files takes its time.
    const auto path = folder.path() / "X";
    std::ofstream(path, std::ios::binary) << packed;
    MemoryLake lake;
    ImportOptions options;
    options.on_bad = random.Below(2) == 0 ? OnBadLine::kSkip : OnBadLine::kRefuse;
    try {
      const ImportReport report = ImportCandles(lake.opener(), {path}, options, NoProgress());
      ASSERT_TRUE(options.on_bad == OnBadLine::kSkip || report.bad_line_count == 0);
      ExpectSane(lake);
      int64_t bars = 0;
      for (const auto& [key, of] : lake.series) bars += static_cast<int64_t>(of.size());
      ASSERT_EQ(bars, report.bars);
      for (const auto& [time, bar] : lake.Of("X")) {
        for (size_t i = 0; i < series.size(); ++i) {
          unchanged_bars += series.open_time[i] == time && series.close[i] == bar.close;
        }
      }
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::kBadData) << error.what();
      ASSERT_TRUE(lake.series.empty());
      ++errors;
    }
  }
  // Both outcomes are common, so that neither half of the test is idle.
  EXPECT_GT(errors, kRounds / 5);
  EXPECT_GT(unchanged_bars, kRounds);
}

TEST(ImportFuzz, DamagedEarningsEndInAnErrorOrInRightData) {
  const TemporaryFolder folder;
  std::string original = "symbol,date,eps_estimate,eps_actual\n";
  for (int i = 0; i < 30; ++i) {
    original += fmt::format("S{},2020-{:02}-{:02},0.{},{}\n", i % 3, 1 + i % 12, 1 + i % 28, i,
                            i % 4 == 0 ? "" : fmt::format("-0.{}", i));
  }
  Random random(4);
  int errors = 0;
  constexpr int kRounds = 500;
  for (int round = 0; round < kRounds; ++round) {
    const auto path = folder.path() / "earnings.csv";
    std::ofstream(path, std::ios::binary) << Damaged(original, random);
    try {
      const EarningsImport import = ReadEarnings({path}, {}, NoProgress());
      for (const Observation& observation : import.observations) {
        ASSERT_TRUE(std::isfinite(observation.value));
        ASSERT_GE(observation.updated_timestamp, observation.timestamp);
      }
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::kBadData) << error.what();
      ++errors;
    }
  }
  EXPECT_GT(errors, kRounds / 10);
  EXPECT_LT(errors, kRounds);
}

}  // namespace
}  // namespace almanac
