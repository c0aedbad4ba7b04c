// Candlestick patterns against TA-Lib (testdata/make_candle_golden.py), numbers of candles against
// their definition.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "almanac/base/hash.h"
#include "almanac/feature/golden_for_test.h"
#include "almanac/feature/random_series_for_test.h"
#include "almanac/market/real_data_for_test.h"

namespace almanac {
namespace {

bool IsPattern(const Family& family) { return family.info.source.starts_with("TA-Lib: CDL"); }

std::set<std::string> PatternNames() {
  std::set<std::string> names;
  for (const Family& family : AllFamilies()) {
    if (IsPattern(family)) names.insert(family.info.name);
  }
  return names;
}

TEST(Candlestick, EveryPatternOfTaLibIsThereAndOccursAsTaLibFindsIt) {
  const CandleSeries bars = SeriesOf(ReadGoldenColumns("candle_bars.csv"));
  std::map<std::string, std::vector<double>> golden;
  const std::string text = ReadGolden("candle_golden.csv");
  for (const std::string_view line : Split(Trim(text), '\n')) {
    const std::vector<std::string_view> fields = Split(line, ',');
    const std::optional<int64_t> row = ParseInt64(fields[1]);
    if (!row) continue;  // the header
    const double value = ParseDouble(fields[2]).value();
    std::vector<double>& values = golden[std::string(fields[0])];
    if (*row < 0) {
      values.assign(bars.size(), 0);
      std::fill_n(values.begin(), static_cast<size_t>(value), kUnknown);
    } else {
      values.at(static_cast<size_t>(*row)) = value;
    }
  }
  std::set<std::string> seen;
  for (const auto& [name, expected] : golden) {
    const FeatureSpec spec = ParseColumnName("candle_" + name);
    const std::vector<double> values = ComputeColumn(spec, bars);
    for (size_t row = 0; row < values.size(); ++row) {
      ASSERT_TRUE(values[row] == expected[row] ||
                  (std::isnan(values[row]) && std::isnan(expected[row])))
          << name << " row " << row << ": " << values[row] << " against " << expected[row];
    }
    EXPECT_TRUE(std::any_of(values.begin(), values.end(), [](double value) {
      return std::abs(value) >= 80;
    })) << name;
    seen.insert(spec.family);
  }
  EXPECT_EQ(seen.size(), 61U);
  EXPECT_EQ(seen, PatternNames());
}

// Whole numbers of ticks, as the script makes them: sums are exact.
void ToTicks(CandleSeries& series) {
  for (std::vector<double>* prices : {&series.open, &series.high, &series.low, &series.close}) {
    for (double& price : *prices) price = std::floor(price * 1e6 + 0.5);
  }
}

std::vector<CandleSeries> ReadDaily() {
  std::vector<CandleSeries> all;
  VisitCsv(ReadZstd(RealData("equities/daily_2018_2021.csv.zst")),
           [&](const std::vector<std::string_view>& fields) {
             const std::string symbol(fields[0]);
             if (all.empty() || all.back().key.symbol != symbol) {
               all.emplace_back().key = {"test", symbol, Timeframe::Parse("1d")};
             }
             Candle bar;
             bar.open_time = static_cast<TimeMs>(all.back().size()) * kMsPerDay;
             bar.open = NumberOf<double>(fields[2]);
             bar.high = NumberOf<double>(fields[3]);
             bar.low = NumberOf<double>(fields[4]);
             bar.close = NumberOf<double>(fields[5]);
             bar.volume = NumberOf<double>(fields[6]);
             all.back().Append(bar);
           });
  return all;
}

// What the golden file keeps of a pattern over all bars: the number of values, of those that are
// not 0, and a hash of all.
struct Findings {
  std::string bytes;

  void Add(const std::vector<double>& values) {
    for (const double value : values) {
      if (!std::isnan(value)) bytes.push_back(static_cast<char>(value / 20));
    }
  }
  std::string Summary() const {
    const auto zeros = std::count(bytes.begin(), bytes.end(), 0);
    return fmt::format("{},{},{}", bytes.size(), static_cast<int64_t>(bytes.size()) - zeros,
                       Sha256(bytes).substr(0, 16));
  }
};

void ExpectAsOnRealBars(const std::string& label, std::vector<CandleSeries> parts) {
  std::vector<FeatureSpec> specs;
  std::vector<std::string> names, expected;
  const std::string text = ReadGolden("candle_real_golden.csv");
  for (const std::string_view line : Split(Trim(text), '\n')) {
    const std::vector<std::string_view> fields = Split(line, ',');
    if (fields[0] != label) continue;
    names.emplace_back(fields[1]);
    specs.push_back(ParseColumnName("candle_" + names.back()));
    expected.push_back(fmt::format("{},{},{}", fields[2], fields[3], fields[4]));
  }
  ASSERT_EQ(specs.size(), 61U);
  std::vector<Findings> findings(specs.size());
  for (CandleSeries& part : parts) {
    ToTicks(part);
    const std::vector<std::vector<double>> columns = ComputeColumns(specs, part);
    for (size_t c = 0; c < columns.size(); ++c) findings[c].Add(columns[c]);
  }
  for (size_t c = 0; c < specs.size(); ++c) {
    EXPECT_EQ(findings[c].Summary(), expected[c]) << label << " " << names[c];
  }
}

TEST(Candlestick, PatternsAreTaLibsOnEveryRealBarOf30Minutes) {
  ALMANAC_NEEDS_REAL_DATA("crypto/spot_30m");
  for (const char* symbol : {"BTCUSDT", "SOLUSDT", "XRPUSDT"}) {
    ExpectAsOnRealBars(symbol, {ReadRealCandles("spot_30m", symbol, "30m")});
  }
}

TEST(Candlestick, PatternsAreTaLibsOnEveryRealDailyBar) {
  ALMANAC_NEEDS_REAL_DATA("equities/daily_2018_2021.csv.zst");
  ExpectAsOnRealBars("daily", ReadDaily());
}

// A pattern does not change with the level of prices, and a NaN in the bars ends all it would need.
TEST(Candlestick, ANaNIsPassedOverAsAFreshStart) {
  CandleSeries series = RandomSeries(300, 4);
  CandleSeries later;
  later.key = series.key;
  for (size_t i = 101; i < series.size(); ++i) later.Append(series.At(i));
  series.high[100] = kUnknown;
  for (const std::string& name : PatternNames()) {
    const FeatureSpec spec = ParseColumnName(name);
    FeatureSpec full = spec;
    for (const ParameterInfo& parameter : FindFamily(name)->info.parameters) {
      full.parameters.emplace_back(parameter.name, 30);
    }
    const std::vector<double> broken = ComputeColumn(full, series);
    const std::vector<double> fresh = ComputeColumn(full, later);
    EXPECT_TRUE(std::isnan(broken[100])) << name;
    for (size_t i = 0; i < fresh.size(); ++i) {
      ASSERT_TRUE(broken[101 + i] == fresh[i] ||
                  (std::isnan(broken[101 + i]) && std::isnan(fresh[i])))
          << name << " row " << i;
    }
  }
}

double Last(const std::string& column, const CandleSeries& series) {
  return ComputeColumn(ParseColumnName(column), series).back();
}

CandleSeries Bars(const std::vector<std::array<double, 4>>& bars) {
  GoldenColumns columns;
  for (const auto& bar : bars) {
    columns["open"].push_back(bar[0]);
    columns["high"].push_back(bar[1]);
    columns["low"].push_back(bar[2]);
    columns["close"].push_back(bar[3]);
  }
  return SeriesOf(columns);
}

TEST(Candlestick, NumbersAreAsDefined) {
  // Body 2 of range 8; then a black one whose body and range gap up.
  const CandleSeries bars = Bars({{10, 16, 8, 12}, {20, 22, 17, 18}});
  EXPECT_DOUBLE_EQ(Last("candle_body", bars), 18.0 / 20 - 1);
  EXPECT_DOUBLE_EQ(Last("candle_range", bars), 5.0 / 18);
  EXPECT_DOUBLE_EQ(Last("candle_upper_shadow", bars), 2.0 / 18);
  EXPECT_DOUBLE_EQ(Last("candle_lower_shadow", bars), 1.0 / 18);
  EXPECT_DOUBLE_EQ(Last("candle_body_share", bars), 2.0 / 5);
  EXPECT_DOUBLE_EQ(Last("candle_upper_shadow_share", bars), 2.0 / 5);
  EXPECT_DOUBLE_EQ(Last("candle_lower_shadow_share", bars), 1.0 / 5);
  EXPECT_DOUBLE_EQ(Last("candle_relative_body_1", bars), 1);
  EXPECT_DOUBLE_EQ(Last("candle_relative_range_1", bars), 5.0 / 8);
  EXPECT_DOUBLE_EQ(Last("candle_relative_upper_shadow_1", bars), 2.0 / 4);
  EXPECT_DOUBLE_EQ(Last("candle_relative_lower_shadow_1", bars), 1.0 / 2);
  EXPECT_DOUBLE_EQ(Last("candle_gap", bars), 20.0 / 12 - 1);
  EXPECT_DOUBLE_EQ(Last("candle_body_gap", bars), 6.0 / 18);
  EXPECT_DOUBLE_EQ(Last("candle_range_gap", bars), 1.0 / 18);
  EXPECT_DOUBLE_EQ(Last("candle_color_run", bars), -1);
  const CandleSeries falling = Bars({{20, 22, 17, 18}, {12, 13, 8, 10}, {11, 14, 9, 10}});
  EXPECT_DOUBLE_EQ(ComputeColumn(ParseColumnName("candle_body_gap"), falling)[1], -6.0 / 10);
  EXPECT_DOUBLE_EQ(ComputeColumn(ParseColumnName("candle_range_gap"), falling)[1], -4.0 / 10);
  EXPECT_DOUBLE_EQ(Last("candle_body_gap", falling), 0);
  EXPECT_DOUBLE_EQ(Last("candle_range_gap", falling), 0);
  EXPECT_DOUBLE_EQ(Last("candle_color_run", falling), -3);
}

}  // namespace
}  // namespace almanac
