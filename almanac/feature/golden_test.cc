// The families against pandas (testdata/make_golden.py) and, on real data, against plain long
// double arithmetic that looks at every window afresh.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "almanac/base/text.h"
#include "almanac/feature/golden_for_test.h"
#include "almanac/feature/random_series_for_test.h"
#include "almanac/market/real_data_for_test.h"

namespace almanac {
namespace {

std::vector<double> Compute(const std::string& family, int64_t window, const CandleSeries& series) {
  return ComputeColumn({family, {{"window", window}}}, series);
}

// Relative, and absolute below `floor`: a return of 1e-9 made by dividing two prices has no more
// digits than that.
void ExpectClose(const std::string& name, const std::vector<double>& values,
                 const std::vector<double>& golden, double floor) {
  ASSERT_EQ(values.size(), golden.size()) << name;
  size_t known = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    ASSERT_EQ(std::isnan(values[i]), std::isnan(golden[i])) << name << " row " << i;
    if (std::isnan(values[i])) continue;
    ++known;
    ASSERT_LE(std::abs(values[i] - golden[i]), 1e-9 * std::max(std::abs(golden[i]), floor))
        << name << " row " << i << ": " << values[i] << " against " << golden[i];
  }
  EXPECT_GT(known, values.size() / 2) << name;
}

TEST(Golden, EveryFamilyAgreesWithPandas) {
  const CandleSeries series = SeriesOf(ReadGoldenColumns("bars.csv"));
  const GoldenColumns golden = ReadGoldenColumns("golden.csv");
  EXPECT_EQ(golden.size(), 20U);
  for (const auto& [name, values] : golden) {
    const size_t cut = name.rfind('_');
    const int64_t window = ParseInt64(name.substr(cut + 1)).value();
    ExpectClose(name, Compute(name.substr(0, cut), window, series), values, 1e-6);
  }
}

// The definition of docs/features.md, row by row from the bars of its window alone.
long double Slow(const std::string& family, int64_t n, const CandleSeries& s, size_t t) {
  const size_t first = t + 1 - static_cast<size_t>(n);
  const auto log_return = [&](size_t i) {
    return std::log(static_cast<long double>(s.close[i]) / s.close[i - 1]);
  };
  const auto mean = [&](const std::function<long double(size_t)>& term) {
    long double sum = 0;
    for (size_t i = first; i <= t; ++i) sum += term(i);
    return sum / n;
  };
  const auto zscore = [&](const std::function<long double(size_t)>& term, long double value) {
    const long double centre = mean(term);
    long double squares = 0;
    for (size_t i = first; i <= t; ++i) squares += (term(i) - centre) * (term(i) - centre);
    return std::pair(value - centre, std::sqrt(squares / (n - 1)));
  };
  const auto log_range = [&](size_t i) {
    return std::log(static_cast<long double>(s.high[i]) / s.low[i]);
  };
  const long double ln2 = std::log(2.0L);
  if (family == "realised_volatility") {
    return std::sqrt(mean([&](size_t i) { return log_return(i) * log_return(i); }));
  }
  if (family == "parkinson_volatility") {
    return std::sqrt(mean([&](size_t i) { return log_range(i) * log_range(i); }) / (4 * ln2));
  }
  if (family == "garman_klass_volatility") {
    return std::sqrt(mean([&](size_t i) {
      const long double body = std::log(static_cast<long double>(s.close[i]) / s.open[i]);
      return log_range(i) * log_range(i) / 2 - (2 * ln2 - 1) * body * body;
    }));
  }
  if (family == "volume_ratio") {
    return s.volume[t] / mean([&](size_t i) { return s.volume[i]; });
  }
  if (family == "volume_zscore") {
    const auto [distance, deviation] = zscore([&](size_t i) { return s.volume[i]; }, s.volume[t]);
    return distance / deviation;
  }
  const auto [distance, deviation] = zscore(log_return, 0);
  return -distance / deviation * std::sqrt(static_cast<long double>(n));
}

void ExpectLikeSlow(const CandleSeries& series) {
  for (const char* family :
       {"realised_volatility", "parkinson_volatility", "garman_klass_volatility", "volume_ratio",
        "volume_zscore", "momentum_zscore"}) {
    for (const int64_t window : {12L, 336L}) {
      const std::vector<double> values = Compute(family, window, series);
      for (size_t t = 1000; t < series.size(); t += 997) {
        const auto slow = static_cast<double>(Slow(family, window, series, t));
        if (std::isnan(slow)) continue;
        ASSERT_LE(std::abs(values[t] - slow), 1e-9 * std::max(std::abs(slow), 1e-4))
            << family << " " << window << " row " << t;
      }
    }
  }
}

TEST(Golden, RealDataAgreesWithLongDoubleToTheEnd) {
  ALMANAC_NEEDS_REAL_DATA("crypto/spot_30m");
  ExpectLikeSlow(ReadRealCandles("spot_30m", "BTCUSDT", "30m"));
}

TEST(Golden, HugeAndTinyPricesAgreeWithLongDouble) {
  ExpectLikeSlow(RandomSeries(30'000, 1, 1e15));
  ExpectLikeSlow(RandomSeries(30'000, 2, 1e-9));
}

}  // namespace
}  // namespace almanac
