<<<<<<< HEAD
// Reads files of golden values and computes what they hold, for the tests of this room.
#ifndef ALMANAC_FEATURE_GOLDEN_FOR_TEST_H_
#define ALMANAC_FEATURE_GOLDEN_FOR_TEST_H_

#include <algorithm>
=======
// What golden tests share: the bars, the columns that a script wrote, and their comparison.
#ifndef ALMANAC_FEATURE_GOLDEN_FOR_TEST_H_
#define ALMANAC_FEATURE_GOLDEN_FOR_TEST_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
>>>>>>> c7dfe78 (feature: temporal, structure, volatility and statistics families)
#include <map>
#include <string>
#include <vector>

#include "almanac/base/file.h"
#include "almanac/base/text.h"
#include "almanac/feature/family.h"
#include "almanac/feature/window.h"
<<<<<<< HEAD
#include "almanac/market/candle.h"

namespace almanac {

// By name of the column; what is no number is NaN.
using GoldenColumns = std::map<std::string, std::vector<double>>;

inline std::string ReadGolden(const std::string& name) {
  return ReadFile(ALMANAC_SOURCE_DIR "/almanac/feature/testdata/" + name);
}

inline GoldenColumns ReadGoldenColumns(const std::string& name) {
  GoldenColumns columns;
  const std::string text = ReadGolden(name);
=======
#include "almanac/market/real_data_for_test.h"

namespace almanac {

using GoldenColumns = std::map<std::string, std::vector<double>>;

inline GoldenColumns ReadGolden(const std::string& name) {
  GoldenColumns columns;
  const std::string text =
      ReadFile(std::string(ALMANAC_SOURCE_DIR "/almanac/feature/testdata/") + name);
>>>>>>> c7dfe78 (feature: temporal, structure, volatility and statistics families)
  std::vector<std::string> names;
  for (const std::string_view line : Split(Trim(text), '\n')) {
    const std::vector<std::string_view> fields = Split(Trim(line), ',');
    if (names.empty()) {
      names.assign(fields.begin(), fields.end());
      continue;
    }
    for (size_t c = 0; c < names.size(); ++c) {
      columns[names[c]].push_back(ParseDouble(fields[c]).value_or(kUnknown));
    }
  }
  return columns;
}

<<<<<<< HEAD
// Hourly bars; a volume of 0 where there is no such column.
inline CandleSeries SeriesOf(const GoldenColumns& columns) {
=======
// bars.csv, hourly from 1970.
inline CandleSeries MadeGoldenBars() {
  const GoldenColumns columns = ReadGolden("bars.csv");
>>>>>>> c7dfe78 (feature: temporal, structure, volatility and statistics families)
  CandleSeries series;
  series.key = {"test", "GOLD", Timeframe::Parse("1h")};
  series.open = columns.at("open");
  series.high = columns.at("high");
  series.low = columns.at("low");
  series.close = columns.at("close");
<<<<<<< HEAD
  const auto volume = columns.find("volume");
  if (volume != columns.end()) series.volume = volume->second;
  series.volume.resize(series.open.size());
=======
  series.volume = columns.at("volume");
>>>>>>> c7dfe78 (feature: temporal, structure, volatility and statistics families)
  for (size_t i = 0; i < series.open.size(); ++i) {
    series.open_time.push_back(static_cast<TimeMs>(i) * kMsPerHour);
  }
  return series;
}

<<<<<<< HEAD
// "macd_line_12_26" as the family and its values.
=======
// The rows of real data that testdata/golden_bars.py takes.
inline CandleSeries RealGoldenBars() {
  return ReadRealCandles("spot_30m", "BTCUSDT", "30m").Slice(40'000, 42'000);
}

// One column in double, from the times and values of the bars.
inline std::vector<double> ComputeColumn(const FeatureSpec& spec, const CandleSeries& series) {
  KernelGraph graph;
  graph.AddColumn(AddFeature(graph, spec));
  std::vector<double> open_times, known_at;
  for (size_t i = 0; i < series.size(); ++i) {
    open_times.push_back(static_cast<double>(series.open_time[i]));
    known_at.push_back(static_cast<double>(series.KnownAt(i)));
  }
  const std::vector<double> vwap =
      series.vwap.empty() ? std::vector<double>(series.size(), kUnknown) : series.vwap;
  std::vector<double> values;
  for (size_t first = 0; first < series.size(); first += KernelGraph::kBlockRows) {
    const size_t rows = std::min(KernelGraph::kBlockRows, series.size() - first);
    graph.Run(rows,
              {series.open.data() + first, series.high.data() + first, series.low.data() + first,
               series.close.data() + first, series.volume.data() + first, open_times.data() + first,
               known_at.data() + first, vwap.data() + first},
              {});
    values.insert(values.end(), graph.LastBlock(0), graph.LastBlock(0) + rows);
  }
  return values;
}

// "macd_line_12_26" as the family and its values; an unknown name as a family of its own.
>>>>>>> c7dfe78 (feature: temporal, structure, volatility and statistics families)
inline FeatureSpec ParseColumnName(const std::string& column) {
  const Family* family = nullptr;
  for (size_t end = column.size(); family == nullptr && end != std::string::npos;
       end = column.rfind('_', end - 1)) {
    family = FindFamily(column.substr(0, end));
  }
  if (family == nullptr) return {column, {}};
  FeatureSpec spec{family->info.name, {}};
  const std::string rest = column.substr(family->info.name.size());
  size_t parameter = 0;
  for (const std::string_view value : Split(rest, '_')) {
    if (value.empty()) continue;
    spec.parameters.emplace_back(family->info.parameters.at(parameter++).name,
                                 ParseInt64(value).value());
  }
  return spec;
}

<<<<<<< HEAD
// Columns in double, in the order of `specs`.
inline std::vector<std::vector<double>> ComputeColumns(const std::vector<FeatureSpec>& specs,
                                                       const CandleSeries& series) {
  KernelGraph graph;
  for (const FeatureSpec& spec : specs) graph.AddColumn(AddFeature(graph, spec));
  std::vector<std::vector<double>> columns(specs.size(), std::vector<double>(series.size()));
  for (size_t first = 0; first < series.size(); first += KernelGraph::kBlockRows) {
    const size_t rows = std::min(KernelGraph::kBlockRows, series.size() - first);
    graph.Run(rows,
              {series.open.data() + first, series.high.data() + first, series.low.data() + first,
               series.close.data() + first, series.volume.data() + first},
              {});
    for (size_t c = 0; c < columns.size(); ++c) {
      std::copy_n(graph.LastBlock(c), rows, columns[c].data() + first);
    }
  }
  return columns;
}

inline std::vector<double> ComputeColumn(const FeatureSpec& spec, const CandleSeries& series) {
  return ComputeColumns({spec}, series)[0];
=======
// 1e-9 relative; below `floor`, 1e-9 of it: a difference of prices has lost digits on both sides.
inline void ExpectGolden(const FeatureSpec& spec, const CandleSeries& series,
                         const GoldenColumns& golden, double floor = 1e-5) {
  const std::string name = spec.Name();
  ASSERT_TRUE(golden.contains(name)) << name << " has no golden values";
  const std::vector<double> values = ComputeColumn(spec, series);
  const std::vector<double>& expected = golden.at(name);
  size_t known = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const auto row = static_cast<size_t>(golden.at("row")[i]);
    ASSERT_EQ(std::isnan(values[row]), std::isnan(expected[i]))
        << name << " row " << row << ": " << values[row] << " against " << expected[i];
    if (std::isnan(expected[i])) continue;
    ++known;
    ASSERT_NEAR(values[row], expected[i], 1e-9 * std::max(std::abs(expected[i]), floor))
        << name << " row " << row;
  }
  EXPECT_GT(known, 0U) << name;
}

// Every column of the golden files: over made bars, and over real ones where they are at hand.
inline void ExpectGoldenFile(const std::string& name) {
  const GoldenColumns made = ReadGolden(name + "_golden.csv");
  const CandleSeries bars = MadeGoldenBars();
  for (const auto& [column, values] : made) {
    if (column == "row") continue;
    const FeatureSpec spec = ParseColumnName(column);
    ASSERT_EQ(spec.Name(), column);
    ExpectGolden(spec, bars, made);
  }
}
inline void ExpectRealGoldenFile(const std::string& name) {
  const GoldenColumns golden = ReadGolden(name + "_golden_real.csv");
  const CandleSeries bars = RealGoldenBars();
  for (const auto& [column, values] : golden) {
    if (column != "row") ExpectGolden(ParseColumnName(column), bars, golden);
  }
>>>>>>> c7dfe78 (feature: temporal, structure, volatility and statistics families)
}

}  // namespace almanac

#endif  // ALMANAC_FEATURE_GOLDEN_FOR_TEST_H_
