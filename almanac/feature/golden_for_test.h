// Reads files of golden values and computes what they hold, for the tests of this room.
#ifndef ALMANAC_FEATURE_GOLDEN_FOR_TEST_H_
#define ALMANAC_FEATURE_GOLDEN_FOR_TEST_H_

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "almanac/base/file.h"
#include "almanac/base/places_for_test.h"
#include "almanac/base/text.h"
#include "almanac/feature/family.h"
#include "almanac/feature/window.h"
#include "almanac/market/candle.h"

namespace almanac {

// By name of the column; what is no number is NaN.
using GoldenColumns = std::map<std::string, std::vector<double>>;

inline std::string ReadGolden(const std::string& name) {
  return ReadFile(SourceFolder() / ("almanac/feature/testdata/" + name));
}

inline GoldenColumns ReadGoldenColumns(const std::string& name) {
  GoldenColumns columns;
  const std::string text = ReadGolden(name);
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

// Hourly bars; a volume of 0 where there is no such column.
inline CandleSeries SeriesOf(const GoldenColumns& columns) {
  CandleSeries series;
  series.key = {"test", "GOLD", Timeframe::Parse("1h")};
  series.open = columns.at("open");
  series.high = columns.at("high");
  series.low = columns.at("low");
  series.close = columns.at("close");
  const auto volume = columns.find("volume");
  if (volume != columns.end()) series.volume = volume->second;
  series.volume.resize(series.open.size());
  for (size_t i = 0; i < series.open.size(); ++i) {
    series.open_time.push_back(static_cast<TimeMs>(i) * kMsPerHour);
  }
  return series;
}

// "macd_line_12_26" as the family and its values.
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

// Columns in double, in the order of `specs`.
inline std::vector<std::vector<double>> ComputeColumns(const std::vector<FeatureSpec>& specs,
                                                       const CandleSeries& series) {
  KernelGraph graph;
  for (const FeatureSpec& spec : specs) graph.AddColumn(AddFeature(graph, spec));
  std::vector<std::vector<double>> columns(specs.size(), std::vector<double>(series.size()));
  std::vector<double> open_times, known_at;
  for (size_t i = 0; i < series.size(); ++i) {
    open_times.push_back(static_cast<double>(series.open_time[i]));
    known_at.push_back(static_cast<double>(series.KnownAt(i)));
  }
  std::vector<double> vwap = series.vwap;
  vwap.resize(series.size(), kUnknown);
  for (size_t first = 0; first < series.size(); first += KernelGraph::kBlockRows) {
    const size_t rows = std::min(KernelGraph::kBlockRows, series.size() - first);
    graph.Run(rows,
              {series.open.data() + first, series.high.data() + first, series.low.data() + first,
               series.close.data() + first, series.volume.data() + first, open_times.data() + first,
               known_at.data() + first, vwap.data() + first},
              {});
    for (size_t c = 0; c < columns.size(); ++c) {
      std::copy_n(graph.LastBlock(c), rows, columns[c].data() + first);
    }
  }
  return columns;
}

inline std::vector<double> ComputeColumn(const FeatureSpec& spec, const CandleSeries& series) {
  return ComputeColumns({spec}, series)[0];
}

}  // namespace almanac

#endif  // ALMANAC_FEATURE_GOLDEN_FOR_TEST_H_
