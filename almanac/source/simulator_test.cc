#include "almanac/source/simulator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "almanac/base/error.h"
#include "almanac/market/audit.h"

namespace almanac {
namespace {

using Values = std::vector<double>;

TimeMs At(std::string_view text) { return ParseTime(text).value(); }

// Five years of hours of two symbols.
SimulatorOptions Hours() {
  SimulatorOptions options;
  options.symbols = {{.name = "AAA", .start_price = 30000.0},
                     {.name = "BBB", .start_price = 20.0, .annual_volatility = 0.9}};
  options.to = At("2025-01-01");
  return options;
}

// Everything that departs from independent normal returns switched off.
SimulatorOptions Plain() {
  SimulatorOptions options = Hours();
  options.predictability = options.volatility_of_volatility = options.leverage = 0.0;
  options.jumps_per_year = options.seasonality = 0.0;
  options.regimes = false;
  options.symbols[0].price_decimals = SimulatedSymbol::kUnrounded;
  return options;
}

CandleSeries First(const SimulatorOptions& options) { return Simulate(options).front(); }

Values Returns(const CandleSeries& series) {
  Values returns;
  for (size_t i = 1; i < series.size(); ++i) {
    returns.push_back(std::log(series.close[i] / series.close[i - 1]));
  }
  return returns;
}

Values Absolute(Values values) {
  for (double& value : values) value = std::abs(value);
  return values;
}

double Mean(const Values& values) {
  double sum = 0.0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

// Of a[i + lag] with b[i].
double Correlation(const Values& a, const Values& b, size_t lag = 0) {
  const Values x(a.begin() + static_cast<std::ptrdiff_t>(lag), a.end());
  const Values y(b.begin(), b.end() - static_cast<std::ptrdiff_t>(lag));
  const double mean_x = Mean(x), mean_y = Mean(y);
  double xy = 0.0, xx = 0.0, yy = 0.0;
  for (size_t i = 0; i < x.size(); ++i) {
    xy += (x[i] - mean_x) * (y[i] - mean_y);
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    yy += (y[i] - mean_y) * (y[i] - mean_y);
  }
  return xy / std::sqrt(xx * yy);
}

double ExcessKurtosis(const Values& values) {
  double square = 0.0, fourth = 0.0;
  for (const double value : values) {
    square += value * value;
    fourth += value * value * value * value;
  }
  const double count = static_cast<double>(values.size());
  return fourth / count / (square / count * square / count) - 3.0;
}

// The t value of an autocovariance that allows for changing volatility (Lo and MacKinlay 1988).
double RobustT(const Values& returns, size_t lag) {
  double sum = 0.0, squares = 0.0;
  for (size_t i = lag; i < returns.size(); ++i) {
    const double product = returns[i] * returns[i - lag];
    sum += product;
    squares += product * product;
  }
  return sum / std::sqrt(squares);
}

void ExpectSame(const CandleSeries& a, const CandleSeries& b) {
  EXPECT_EQ(a.key, b.key);
  EXPECT_EQ(a.open_time, b.open_time);
  EXPECT_EQ(a.open, b.open);
  EXPECT_EQ(a.high, b.high);
  EXPECT_EQ(a.low, b.low);
  EXPECT_EQ(a.close, b.close);
  EXPECT_EQ(a.volume, b.volume);
  EXPECT_EQ(a.trade_count, b.trade_count);
  EXPECT_EQ(a.vwap, b.vwap);
}

TEST(SimulatorTest, BarsAreSoundAndContinuous) {
  for (const char* timeframe : {"1m", "1h", "1d", "1w"}) {
    SimulatorOptions options = Hours();
    options.timeframe = Timeframe::Parse(timeframe);
    if (options.timeframe.duration() < kMsPerHour) options.to = At("2020-02-01");
    for (const CandleSeries& series : Simulate(options)) {
      AuditOptions range;
      range.from = options.from;
      range.to = options.to;
      const SeriesAudit audit = Audit(series, range);
      EXPECT_TRUE(audit.IsSound()) << timeframe;
      EXPECT_EQ(audit.missing_bars, 0) << timeframe;
      EXPECT_EQ(audit.zero_volume.count, 0) << timeframe;
      EXPECT_EQ(series.key.market, "simulator");
      for (size_t i = 1; i < series.size(); ++i) {
        ASSERT_EQ(series.open[i], series.close[i - 1]);
        ASSERT_GE(series.vwap[i], series.low[i]);
        ASSERT_LE(series.vwap[i], series.high[i]);
        ASSERT_GE(series.trade_count[i], 1.0);
      }
    }
  }
}

TEST(SimulatorTest, SameOptionsSameBarsOtherSeedOtherBars) {
  SimulatorOptions options = Hours();
  options.to = At("2020-03-01");
  const auto once = Simulate(options), again = Simulate(options);
  for (size_t i = 0; i < once.size(); ++i) ExpectSame(once[i], again[i]);
  options.seed = 2;
  EXPECT_NE(Simulate(options)[0].close, once[0].close);
  EXPECT_NE(once[0].close[5] / once[0].open[0], once[1].close[5] / once[1].open[0]);
}

TEST(SimulatorTest, AskingForMoreGivesTheSameBarsAgain) {
  SimulatorOptions options = Hours();
  options.to = At("2020-09-01T00:30:00Z");  // within a bar, which is given as well
  const auto all = Simulate(options);
  EXPECT_EQ(FormatTime(all[0].open_time.back()), "2020-09-01T00:00:00Z");
  SimulatorOptions part = options;
  part.to = At("2020-05-01");
  const auto early = Simulate(part);
  part.from = part.to;
  part.to = options.to;
  const auto late = Simulate(part);
  for (size_t i = 0; i < all.size(); ++i) {
    ExpectSame(early[i], all[i].Between(kMinTime, At("2020-05-01")));
    ExpectSame(late[i], all[i].Between(At("2020-05-01"), kMaxTime));
  }
}

TEST(SimulatorTest, BlocksOfAnySizeGiveTheSameBars) {
  SimulatorOptions options = Hours();
  options.to = At("2020-02-01");
  const auto all = Simulate(options);
  MarketSimulator simulator(options);
  size_t done = 0;
  for (const size_t size : {1, 7, 100, 3, 400, 1000}) {
    const auto block = simulator.Next(size);
    ASSERT_EQ(block.size(), 2u);
    const size_t count = block[0].size();
    ExpectSame(block[0], all[0].Slice(done, done + count));
    ExpectSame(block[1], all[1].Slice(done, done + count));
    done += count;
  }
  EXPECT_EQ(done, all[0].size());
  EXPECT_THAT(simulator.Next(10), testing::IsEmpty());
  options.to = options.from;
  EXPECT_THAT(MarketSimulator(options).Next(10), testing::IsEmpty());
  EXPECT_EQ(Simulate(options).size(), 2u);
}

TEST(SimulatorTest, ASymbolDoesNotDependOnItsNeighbours) {
  SimulatorOptions options = Hours();
  options.to = At("2020-02-01");
  const auto two = Simulate(options);
  options.symbols = {{.name = "CCC"}, options.symbols[1], options.symbols[0]};
  const auto three = Simulate(options);
  ExpectSame(three[2], two[0]);
  ExpectSame(three[1], two[1]);
}

TEST(SimulatorTest, ReturnsHaveFatTails) {
  for (const char* timeframe : {"5m", "1h", "1d"}) {
    SimulatorOptions options = Hours();
    options.timeframe = Timeframe::Parse(timeframe);
    EXPECT_GT(ExcessKurtosis(Returns(First(options))), 1.0) << timeframe;
  }
  // With everything off they are normal: the standard error is sqrt(24 / 43847) = 0.023.
  EXPECT_NEAR(ExcessKurtosis(Returns(First(Plain()))), 0.0, 0.12);
}

// Over many paths and lags the t values are those of chance: none large, their mean square near 1.
TEST(SimulatorTest, ReturnsOfAnEfficientMarketHaveNoMemory) {
  SimulatorOptions options = Hours();
  options.predictability = 0.0;
  options.to = At("2022-01-01");
  double squares = 0.0, largest = 0.0;
  constexpr int kPaths = 20, kLags = 20;
  for (int path = 0; path < kPaths; ++path) {
    options.seed = 100 + static_cast<uint64_t>(path);
    const Values returns = Returns(First(options));
    for (size_t lag = 1; lag <= kLags; ++lag) {
      const double t = RobustT(returns, lag);
      squares += t * t;
      largest = std::max(largest, std::abs(t));
    }
  }
  EXPECT_NEAR(squares / (kPaths * kLags), 1.0, 0.25);
  EXPECT_LT(largest, 4.5);
}

TEST(SimulatorTest, PredictabilityLeavesATraceOfItsSign) {
  SimulatorOptions options = Hours();
  options.predictability = 0.2;
  EXPECT_GT(RobustT(Returns(First(options)), 1), 5.0);
  options.predictability = -0.2;
  EXPECT_LT(RobustT(Returns(First(options)), 1), -5.0);
}

// Without jumps, regimes and changing volatility the expectation given the past is known: the
// exponential average of past standardised shocks, here rebuilt from returns alone.
TEST(SimulatorTest, PredictabilityIsTheInformationCoefficient) {
  SimulatorOptions options = Plain();
  options.predictability = 0.1;
  const Values returns = Returns(First(options));
  const double deviation = options.annual_volatility / std::sqrt(365.25 * 24);
  const double keep = std::exp2(-1.0 / 4), p = options.predictability;
  double signal = 0.0;
  Values expected, actual;
  for (size_t i = 0; i < returns.size(); ++i) {
    const double shock = (returns[i] / deviation - p * signal) / std::sqrt(1.0 - p * p);
    if (i >= 100) {  // the unknown start is forgotten
      expected.push_back(signal);
      actual.push_back(returns[i]);
    }
    signal = keep * signal + std::sqrt(1.0 - keep * keep) * shock;
  }
  EXPECT_NEAR(Correlation(expected, actual), 0.1, 0.015);
}

TEST(SimulatorTest, VolatilityClustersAndForgetsSlowly) {
  SimulatorOptions options = Hours();
  options.seasonality = 0.0;  // whose cycle would add its own memory
  for (const CandleSeries& series : Simulate(options)) {
    const Values size = Absolute(Returns(series));
    const double one = Correlation(size, size, 1), five = Correlation(size, size, 5);
    const double day = Correlation(size, size, 24), week = Correlation(size, size, 168);
    EXPECT_GT(one, 0.15);
    EXPECT_GT(one, five);
    EXPECT_GT(five, day);
    EXPECT_GT(day, week);
    EXPECT_GT(day, 0.05);
    EXPECT_GT(week, 4.0 / std::sqrt(static_cast<double>(size.size())));
  }
}

TEST(SimulatorTest, FallingPricesRaiseVolatility) {
  SimulatorOptions options = Hours();
  options.jumps_per_year = 0.0;
  const auto effect = [&](double leverage) {
    options.leverage = leverage;
    const Values returns = Returns(First(options));
    return Correlation(Absolute(returns), returns, 1);
  };
  EXPECT_LT(effect(0.9), -0.03);
  EXPECT_LT(effect(0.9), effect(0.0) - 0.03);
}

TEST(SimulatorTest, VolumeFollowsVolatility) {
  for (const CandleSeries& series : Simulate(Hours())) {
    Values log_volume;
    for (size_t i = 1; i < series.size(); ++i) log_volume.push_back(std::log(series.volume[i]));
    EXPECT_GT(Correlation(log_volume, Absolute(Returns(series))), 0.3);
    EXPECT_GT(Correlation(log_volume, log_volume, 1), 0.5);
    const double daily = 24 * Mean(series.volume) * series.open[0];
    EXPECT_NEAR(daily, 1e8, 3e7);
  }
}

TEST(SimulatorTest, CorrelationIsWhatWasAskedFor) {
  for (const double correlation : {0.0, 0.3, 0.6, 0.9}) {
    SimulatorOptions options = Hours();
    options.correlation = correlation;
    const auto both = Simulate(options);
    EXPECT_NEAR(Correlation(Returns(both[0]), Returns(both[1])), correlation, 0.06);
  }
}

// One path's volatility wanders for months; the mean over paths is what was asked for.
TEST(SimulatorTest, VolatilityIsWhatWasAskedFor) {
  for (const char* timeframe : {"1h", "1d"}) {
    SimulatorOptions options = Hours();
    options.predictability = 0.0;
    options.timeframe = Timeframe::Parse(timeframe);
    options.to = At("2022-01-01");
    double square = 0.0;
    constexpr int kPaths = 60;
    for (int path = 0; path < kPaths; ++path) {
      options.seed = 100 + static_cast<uint64_t>(path);
      for (const double r : Returns(First(options))) square += r * r;
    }
    const double years = kPaths * 731 / 365.25;
    EXPECT_NEAR(std::sqrt(square / years), 0.6, 0.05) << timeframe;
  }
}

// For Brownian motion the mean of the squared range is 4 ln 2 of the variance (Parkinson 1980).
TEST(SimulatorTest, RangesAreThoseOfABrownianPath) {
  const CandleSeries series = First(Plain());
  double range = 0.0, move = 0.0, above = 0.0;
  for (size_t i = 0; i < series.size(); ++i) {
    range += std::pow(std::log(series.high[i] / series.low[i]), 2);
    move += std::pow(std::log(series.close[i] / series.open[i]), 2);
    above += std::pow(std::log(series.high[i] / series.open[i]), 2);
  }
  EXPECT_NEAR(range / move, 4.0 * std::log(2.0), 0.12);
  EXPECT_NEAR(above / move, 1.0, 0.04);  // the maximum is distributed as |normal|
}

TEST(SimulatorTest, DaysAndWeeksHaveTheirRhythm) {
  const auto rhythm = [](const SimulatorOptions& options) {
    const CandleSeries series = First(options);
    std::map<int, Values> moves;
    Values weekday, weekend;
    for (size_t i = 0; i < series.size(); ++i) {
      const TimeMs time = series.open_time[i];
      moves[static_cast<int>(time % kMsPerDay / kMsPerHour)].push_back(
          std::abs(std::log(series.close[i] / series.open[i])));
      (Weekday(time) >= 5 ? weekend : weekday).push_back(series.volume[i]);
    }
    return std::pair(Mean(moves[15]) / Mean(moves[4]), Mean(weekday) / Mean(weekend));
  };
  const auto [day, week] = rhythm(Hours());
  EXPECT_GT(day, 1.5);
  EXPECT_GT(week, 1.3);
  SimulatorOptions even = Hours();
  even.seasonality = 0.0;
  const auto [flat_day, flat_week] = rhythm(even);
  EXPECT_NEAR(flat_day, 1.0, 0.12);
  EXPECT_NEAR(flat_week, 1.0, 0.12);
}

TEST(SimulatorTest, JumpsAreRareAndLarge) {
  SimulatorOptions options = Plain();
  options.timeframe = Timeframe::Parse("15m");
  options.jumps_per_year = 50.0;
  options.jump_variance_share = 0.2;
  const double deviation = std::sqrt(0.8) * 0.6 / std::sqrt(365.25 * 96);
  int64_t far = 0;
  for (const double r : Returns(First(options))) far += std::abs(r) > 6.0 * deviation;
  // Jumps have 11 deviations of a bar; two of three are beyond 6. Five years have about 250.
  EXPECT_GT(far, 60);
  EXPECT_LT(far, 300);
}

TEST(SimulatorTest, DriftMovesTheMean) {
  SimulatorOptions options = Plain();
  options.annual_volatility = 0.01;
  options.annual_drift = 0.2;
  const CandleSeries series = First(options);
  EXPECT_NEAR(std::log(series.close.back() / series.open[0]), 5 * 0.2, 0.08);
}

TEST(SimulatorTest, PricesLieOnTheirGrid) {
  SimulatorOptions options = Hours();
  options.to = At("2020-02-01");
  options.symbols = {{.name = "automatic", .start_price = 30000.0},
                     {.name = "small", .start_price = 0.5},
                     {.name = "cents", .start_price = 100.0, .price_decimals = 2},
                     {.name = "penny", .start_price = 0.02, .price_decimals = 2}};
  const auto all = Simulate(options);
  const double scales[] = {10.0, 1e6, 100.0, 100.0};
  for (size_t k = 0; k < all.size(); ++k) {
    for (const Values* field : {&all[k].open, &all[k].high, &all[k].low, &all[k].close}) {
      for (const double price : *field) {
        ASSERT_EQ(std::round(price * scales[k]) / scales[k], price) << options.symbols[k].name;
        ASSERT_GE(price, 1.0 / scales[k]);
      }
    }
  }
}

TEST(SimulatorTest, WithoutTurnoverNothingIsTraded) {
  SimulatorOptions options = Hours();
  options.to = At("2020-01-02");
  options.symbols[0].daily_turnover = 0.0;
  const CandleSeries series = First(options);
  EXPECT_THAT(series.volume, testing::Each(0.0));
  EXPECT_THAT(series.trade_count, testing::Each(0.0));
  EXPECT_THAT(series.vwap, testing::Each(testing::IsNan()));
}

TEST(SimulatorTest, WrongOptionsAreRefusedByName) {
  const std::pair<const char*, std::function<void(SimulatorOptions&)>> cases[] = {
      {"symbols", [](auto& o) { o.symbols.clear(); }},
      {"symbols", [](auto& o) { o.symbols[0].name = ""; }},
      {"'BBB' is named twice", [](auto& o) { o.symbols[0].name = "BBB"; }},
      {"symbol 'AAA' start_price", [](auto& o) { o.symbols[0].start_price = 0; }},
      {"symbol 'AAA' start_price", [](auto& o) { o.symbols[0].start_price = NAN; }},
      {"annual_volatility", [](auto& o) { o.symbols[0].annual_volatility = -1; }},
      {"daily_turnover", [](auto& o) { o.symbols[0].daily_turnover = -1; }},
      {"price_decimals", [](auto& o) { o.symbols[0].price_decimals = 99; }},
      {"annual_volatility", [](auto& o) { o.annual_volatility = 0; }},
      {"annual_drift", [](auto& o) { o.annual_drift = INFINITY; }},
      {"correlation", [](auto& o) { o.correlation = 1.0; }},
      {"correlation", [](auto& o) { o.correlation = -0.1; }},
      {"predictability", [](auto& o) { o.predictability = 0.9; }},
      {"volatility_of_volatility", [](auto& o) { o.volatility_of_volatility = 1.5; }},
      {"leverage", [](auto& o) { o.leverage = 2; }},
      {"jumps_per_year", [](auto& o) { o.jumps_per_year = -1; }},
      {"jump_variance_share", [](auto& o) { o.jump_variance_share = 0.9; }},
      {"seasonality", [](auto& o) { o.seasonality = -1; }},
      {"from", [](auto& o) { o.from = o.origin - 1; }},
      {"to", [](auto& o) { o.to = o.from - 1; }},
      {"origin, to", [](auto& o) { o.to = kMaxTime; }}};
  for (const auto& [text, change] : cases) {
    SimulatorOptions options = Hours();
    change(options);
    try {
      MarketSimulator simulator(options);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
      EXPECT_THAT(error.what(), testing::HasSubstr(text));
    }
  }
}

}  // namespace
}  // namespace almanac
