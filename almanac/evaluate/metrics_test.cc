#include "almanac/evaluate/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/parallel.h"
#include "almanac/base/random.h"
#include "almanac/evaluate/golden_test_util.h"
#include "almanac/evaluate/metric_sums.h"
#include "almanac/evaluate/statistics.h"

namespace almanac {
namespace {

using ::testing::HasSubstr;

struct Rows {
  std::vector<TimeMs> made_at;
  std::vector<double> forecast, actual, naive, price;

  ForecastSample Sample() const { return {made_at, forecast, actual, naive, price}; }
};

Rows GoldenRows() {
  const Json& golden = EvaluateGolden()["sample"];
  Rows rows;
  rows.forecast = Doubles(golden["forecast"]);
  rows.actual = Doubles(golden["actual"]);
  rows.price = Doubles(golden["price"]);
  rows.naive.assign(rows.actual.size(), 0.0);
  for (size_t i = 0; i < rows.actual.size(); ++i) {
    rows.made_at.push_back(static_cast<TimeMs>(i) * kMsPerDay);
  }
  return rows;
}

// `strength` of the actual return is in the forecast, on top of noise.
Rows NoisyRows(size_t count, double strength, uint64_t seed) {
  Random random(seed);
  Rows rows;
  for (size_t i = 0; i < count; ++i) {
    rows.made_at.push_back(static_cast<TimeMs>(i) * kMsPerHour);
    rows.actual.push_back(0.01 * random.Normal());
    rows.forecast.push_back(strength * rows.actual.back() + 0.001 * random.Normal());
    rows.naive.push_back(0);
    rows.price.push_back(100 + random.Uniform());
  }
  return rows;
}

EvaluateOptions Quick(const char* model = "ridge") {
  EvaluateOptions options;
  options.model = model;
  options.bootstrap.replicates = 100;
  return options;
}

void ExpectGolden(const ForecastSample& sample, const Json& golden) {
  const Evaluation evaluation = Evaluate(sample, Quick());
  size_t compared = 0;
  for (const MetricResult& result : evaluation.metrics) {
    SCOPED_TRACE(std::string(Name(result.space)) + " " + std::string(Name(result.metric)));
    const Json& space = golden[std::string(Name(result.space))];
    const auto expect = [&](double value, const Json& expected) {
      if (expected.is_null()) {
        EXPECT_TRUE(std::isnan(value));
      } else {
        EXPECT_NEAR(value, expected.get<double>(),
                    1e-12 * std::abs(expected.get<double>()) + 1e-15);
      }
      ++compared;
    };
    expect(result.model.value, space["model"][std::string(Name(result.metric))]);
    expect(result.naive.value, space["naive"][std::string(Name(result.metric))]);
  }
  EXPECT_EQ(compared, 2u * (7 + 6));
}

TEST(Metrics, AgreeWithScikitLearnAndScipy) {
  const Rows rows = GoldenRows();
  ForecastSample sample = rows.Sample();
  sample.return_scale = EvaluateGolden()["sample"]["return_scale"];
  sample.price_scale = EvaluateGolden()["sample"]["price_scale"];
  ExpectGolden(sample, EvaluateGolden()["metrics"]);
}

TEST(Metrics, AgreeAgainstAYardstickThatVaries) {
  Rows rows = GoldenRows();
  rows.naive = Doubles(EvaluateGolden()["drift"]);
  ForecastSample sample = rows.Sample();
  sample.return_scale = EvaluateGolden()["sample"]["return_scale"];
  sample.price_scale = EvaluateGolden()["sample"]["price_scale"];
  ExpectGolden(sample, EvaluateGolden()["metrics_drift"]);
}

// A resample computed through multiplicities equals the metrics of the rows written out.
TEST(MetricSums, MultiplicitiesEqualRepeatedRows) {
  Rows rows = NoisyRows(60, 0.3, 5);
  for (size_t i = 0; i < rows.made_at.size(); ++i)
    rows.made_at[i] -= rows.made_at[i] % (3 * kMsPerHour);
  for (size_t i = 10; i < 30; ++i) {  // ties
    rows.forecast[i] = rows.forecast[10];
    rows.actual[i + 3] = rows.actual[13];
  }
  const MetricSums sums(rows.Sample());
  ASSERT_EQ(sums.instants(), 20u);
  const std::vector<uint32_t> drawn = StationaryDraw(20, 3, 9, 0);
  std::vector<double> out(3 * sums.columns().size());
  sums.Compute(drawn, out);

  Rows repeated;
  for (size_t i = 0; i < 60; ++i) {
    for (uint32_t k = 0; k < drawn[i / 3]; ++k) {
      repeated.made_at.push_back(rows.made_at[i]);
      repeated.forecast.push_back(rows.forecast[i]);
      repeated.actual.push_back(rows.actual[i]);
      repeated.naive.push_back(0);
      repeated.price.push_back(rows.price[i]);
    }
  }
  const MetricSums direct(repeated.Sample());
  std::vector<double> expected(out.size());
  direct.Compute(std::vector<uint32_t>(direct.instants(), 1), expected);
  for (size_t c = 0; c < sums.columns().size(); ++c) {
    SCOPED_TRACE(Name(sums.columns()[c].metric));
    if (std::isnan(expected[3 * c])) {
      EXPECT_TRUE(std::isnan(out[3 * c]));
      continue;
    }
    EXPECT_NEAR(out[3 * c], expected[3 * c], 1e-12 * std::max(1.0, std::abs(expected[3 * c])));
  }
  const size_t rank_ic = 6;
  ASSERT_EQ(sums.columns()[rank_ic].metric, Metric::kRankIc);
  EXPECT_NEAR(out[3 * rank_ic], SpearmanCorrelation(repeated.forecast, repeated.actual), 1e-12);
}

TEST(Metrics, NaiveIsWhatItMustBe) {
  const Rows rows = NoisyRows(300, 0.2, 1);
  const Evaluation evaluation = Evaluate(rows.Sample(), Quick());
  EXPECT_EQ(evaluation.Find(Space::kReturn, Metric::kR2)->naive.value, 0);
  EXPECT_EQ(evaluation.Find(Space::kReturn, Metric::kDirection)->naive.value, 0.5);
  EXPECT_TRUE(std::isnan(evaluation.Find(Space::kReturn, Metric::kIc)->naive.value));
  EXPECT_TRUE(std::isnan(evaluation.Find(Space::kReturn, Metric::kIc)->difference.value));
  EXPECT_FALSE(std::isnan(evaluation.Find(Space::kReturn, Metric::kIc)->model.interval.low));
  EXPECT_EQ(evaluation.Find(Space::kReturn, Metric::kMape), nullptr);
}

TEST(Metrics, ADirectionOfNoMoveIsLeftOutAndNoSideCountsHalf) {
  Rows rows;
  rows.made_at = {1, 2, 3, 4, 5};
  rows.actual = {0.1, -0.1, 0.2, 0.0, -0.3};
  rows.forecast = {0.1, 0.1, 0.0, 0.1, -0.1};
  rows.naive = {0, 0, 0, 0, 0};
  const Evaluation evaluation = Evaluate(rows.Sample(), Quick());
  // right, wrong, half, left out, right
  EXPECT_EQ(evaluation.Find(Space::kReturn, Metric::kDirection)->model.value, 2.5 / 4);
  EXPECT_EQ(evaluation.Find(Space::kPrice, Metric::kMae), nullptr);
}

TEST(Metrics, MapeLeavesOutAPriceOfZero) {
  Rows rows;
  rows.made_at = {1, 2};
  rows.actual = {-1.0, 0.25};   // prices 0 and 5
  rows.forecast = {-0.5, 0.5};  // prices 2 and 6
  rows.naive = {0, 0};
  rows.price = {4, 4};
  const Evaluation evaluation = Evaluate(rows.Sample(), Quick());
  EXPECT_DOUBLE_EQ(evaluation.Find(Space::kPrice, Metric::kMape)->model.value, 0.2);
  EXPECT_DOUBLE_EQ(evaluation.Find(Space::kPrice, Metric::kSmape)->model.value,
                   (2.0 + 2.0 / 11) / 2);
}

// Five volatilities, the same as in NumPy: mean of v / f - ln(v / f) - 1 of the squares.
Rows VolatilityRows() {
  Rows rows;
  rows.forecast = {.010, .020, .015, .030, .012};
  rows.actual = {.012, .015, .015, .040, .009};
  rows.naive = {.011, .012, .025, .015, .010};
  for (size_t i = 0; i < rows.actual.size(); ++i) {
    rows.made_at.push_back(static_cast<TimeMs>(i) * kMsPerHour);
  }
  return rows;
}
ForecastSample VolatilitySample(const Rows& rows) {
  ForecastSample sample = rows.Sample();
  sample.space = Space::kVolatility;
  return sample;
}

TEST(Metrics, OfVolatilitiesAgreeWithNumPy) {
  const Rows rows = VolatilityRows();
  ForecastSample sample = VolatilitySample(rows);
  sample.return_scale = 0.005;
  const Evaluation evaluation = Evaluate(sample, Quick());
  EXPECT_EQ(evaluation.space, Space::kVolatility);
  ASSERT_EQ(evaluation.metrics.size(), 7u);
  const auto expect = [&](Metric metric, double model, double naive) {
    const MetricResult* result = evaluation.Find(Space::kVolatility, metric);
    ASSERT_NE(result, nullptr) << Name(metric);
    EXPECT_NEAR(result->model.value, model, 1e-14) << Name(metric);
    EXPECT_NEAR(result->naive.value, naive, 1e-14) << Name(metric);
  };
  expect(Metric::kQlike, 0.1106997618186861, 0.9368195343911427);
  expect(Metric::kMae, 0.004, 0.008);
  expect(Metric::kMase, 0.8, 1.6);
  expect(Metric::kR2, 0.8125, 0);
  EXPECT_NEAR(evaluation.Find(Space::kVolatility, Metric::kRmse)->model.value, 0.00525357021462548,
              1e-14);
  EXPECT_NEAR(evaluation.Find(Space::kVolatility, Metric::kIc)->model.value, 0.9300717964625788,
              1e-12);
  EXPECT_EQ(evaluation.Find(Space::kReturn, Metric::kMae), nullptr);
  EXPECT_EQ(evaluation.Find(Space::kPrice, Metric::kMae), nullptr);
  EXPECT_EQ(evaluation.Find(Space::kVolatility, Metric::kDirection), nullptr);
  EXPECT_NE(ToJson(evaluation).dump().find("\"space\":\"volatility\""), std::string::npos);
}

TEST(Metrics, QlikeLeavesOutWhatDidNotMoveAndIsNotDefinedForAForecastOfNothing) {
  Rows rows = VolatilityRows();
  rows.made_at.push_back(rows.made_at.back() + kMsPerHour);
  rows.actual.push_back(0);
  rows.forecast.push_back(-0.001);
  rows.naive.push_back(0);
  const auto qlike = [&] {
    return *Evaluate(VolatilitySample(rows), Quick()).Find(Space::kVolatility, Metric::kQlike);
  };
  EXPECT_NEAR(qlike().model.value, 0.1106997618186861, 1e-14);
  rows.actual.back() = 0.001;
  EXPECT_TRUE(std::isnan(qlike().model.value));
  EXPECT_TRUE(std::isnan(qlike().model.interval.low));
  EXPECT_TRUE(std::isnan(qlike().naive.value));
  EXPECT_TRUE(std::isnan(qlike().difference.value));
}

TEST(Metrics, VolatilitiesHaveNoPrices) {
  Rows rows = VolatilityRows();
  rows.price.assign(rows.actual.size(), 100);
  try {
    CheckSample(VolatilitySample(rows));
    FAIL() << "prices beside volatilities";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("volatilities with prices"));
  }
}

TEST(Metrics, ScaleOfMaseIsTheNaiveErrorInTraining) {
  const std::vector<double> actual = {0.01, -0.02, 0.03};
  const std::vector<double> naive = {0, 0, 0.01};
  const std::vector<double> price = {100, 200, 50};
  EXPECT_DOUBLE_EQ(NaiveScale(actual, naive), 0.05 / 3);
  EXPECT_DOUBLE_EQ(NaivePriceScale(actual, naive, price), (1.0 + 4.0 + 1.0) / 3);
  EXPECT_TRUE(std::isnan(NaiveScale({}, {})));
}

TEST(Evaluate, SaysWhetherTheModelBeatsNaive) {
  EXPECT_THAT(Evaluate(NoisyRows(500, 0.3, 1).Sample(), Quick()).verdict,
              HasSubstr("ridge beats the naive forecast: "));
  EXPECT_THAT(Evaluate(NoisyRows(500, -0.3, 1).Sample(), Quick()).verdict,
              HasSubstr("ridge is worse than the naive forecast: "));
  const Evaluation noise = Evaluate(NoisyRows(500, 0.0, 4).Sample(), Quick());
  ASSERT_GT(noise.squared.p_value, 0.05);
  EXPECT_THAT(noise.verdict,
              HasSubstr("ridge is not distinguishable from the naive forecast (DM p = "));
  Rows same = NoisyRows(50, 0.1, 4);
  same.forecast = same.naive;
  EXPECT_EQ(Evaluate(same.Sample(), Quick("drift")).verdict,
            "drift makes the same errors as the naive forecast");
  ForecastSample few = same.Sample();
  few.horizon = 60;
  EXPECT_THAT(Evaluate(few, Quick()).verdict, HasSubstr("cannot be compared"));
}

TEST(Evaluate, IntervalsHoldTheirEstimatesAndTheSignOfAClearDifference) {
  const Rows rows = NoisyRows(500, 0.3, 8);
  ForecastSample sample = rows.Sample();
  sample.return_scale = 0.01;
  sample.price_scale = 1;
  for (const MetricResult& result : Evaluate(sample, Quick()).metrics) {
    SCOPED_TRACE(Name(result.metric));
    EXPECT_LE(result.model.interval.low, result.model.value);
    EXPECT_GE(result.model.interval.high, result.model.value);
    if (std::isnan(result.difference.value)) continue;
    const double edge = SmallerIsBetter(result.metric) ? -result.difference.interval.high
                                                       : result.difference.interval.low;
    EXPECT_GT(edge, 0);
  }
}

TEST(Evaluate, BlocksAreNeverShorterThanTheHorizon) {
  ForecastSample sample;
  const Rows rows = NoisyRows(200, 0.1, 2);
  sample = rows.Sample();
  sample.horizon = 24;
  EXPECT_GE(Evaluate(sample, Quick()).block_length, 24);
  EvaluateOptions options = Quick();
  options.bootstrap.block_length = 7;
  EXPECT_EQ(Evaluate(sample, options).block_length, 7);
}

TEST(Evaluate, IsTheSameForEveryThreadCount) {
  const Rows rows = NoisyRows(400, 0.05, 3);
  const int before = ThreadCount();
  SetThreadCount(1);
  const std::string one = ToJson(Evaluate(rows.Sample(), Quick())).dump();
  SetThreadCount(3);
  const std::string many = ToJson(Evaluate(rows.Sample(), Quick())).dump();
  SetThreadCount(before);
  EXPECT_EQ(one, many);
}

TEST(Evaluate, SymbolsOfOneInstantCountOnceInTheTest) {
  const Rows single = NoisyRows(100, 0.2, 6);
  Rows doubled;
  for (size_t i = 0; i < 100; ++i) {
    for (int copy = 0; copy < 2; ++copy) {
      doubled.made_at.push_back(single.made_at[i]);
      doubled.forecast.push_back(single.forecast[i]);
      doubled.actual.push_back(single.actual[i]);
      doubled.naive.push_back(0);
    }
  }
  const Evaluation once = Evaluate(single.Sample(), Quick());
  const Evaluation twice = Evaluate(doubled.Sample(), Quick());
  EXPECT_EQ(twice.rows, 200u);
  EXPECT_EQ(twice.instants, 100u);
  EXPECT_NEAR(twice.squared.p_value, once.squared.p_value, 1e-12);
  const Interval a = once.Find(Space::kReturn, Metric::kMae)->model.interval;
  const Interval b = twice.Find(Space::kReturn, Metric::kMae)->model.interval;
  EXPECT_NEAR(a.low, b.low, 1e-15);
  EXPECT_NEAR(a.high, b.high, 1e-15);
}

TEST(EvaluateMonths, SplitByTheMonthOfMadeAt) {
  Rows rows = NoisyRows(1440, 0.1, 7);
  for (TimeMs& time : rows.made_at) time += StartOfDate({2023, 12, 15});
  const std::vector<GroupResult> months = EvaluateMonths(rows.Sample());
  ASSERT_EQ(months.size(), 3u);
  EXPECT_EQ(months[0].label, "2023-12");
  constexpr size_t kDecemberHours = 408;
  EXPECT_EQ(months[0].rows, kDecemberHours);
  EXPECT_EQ(months[2].label, "2024-02");
  double sum = 0;
  for (size_t i = 0; i < kDecemberHours; ++i) sum += std::abs(rows.actual[i] - rows.forecast[i]);
  EXPECT_NEAR(months[0].metrics[0].model.value, sum / kDecemberHours, 1e-15);
}

TEST(EvaluateGroups, KeepTheOrderOfTheirFirstRowAndRefuseNumbersWithoutALabel) {
  const Rows rows = NoisyRows(4, 0.1, 7);
  const std::vector<uint32_t> group = {1, 0, 1, 0};
  const std::vector<std::string> labels = {"ETHUSDT", "BTCUSDT"};
  const std::vector<GroupResult> groups = EvaluateGroups(rows.Sample(), group, labels);
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].label, "BTCUSDT");
  EXPECT_EQ(groups[0].rows, 2u);
  EXPECT_THROW(EvaluateGroups(rows.Sample(), group, std::span(labels).first(1)), Error);
  EXPECT_THROW(EvaluateGroups(rows.Sample(), std::span(group).first(3), labels), Error);
}

TEST(Evaluate, RefusesSamplesThatCannotBe) {
  const auto message = [](Rows rows, auto&& change) {
    ForecastSample sample = rows.Sample();
    change(rows, sample);
    try {
      Evaluate(sample, Quick());
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  const Rows rows = NoisyRows(10, 0.1, 1);
  EXPECT_THAT(message(rows, [](Rows& r, auto&) { r.forecast[3] = NAN; }),
              HasSubstr("forecast row 3, 1970-01-01T03:00:00Z: forecast is nan"));
  EXPECT_THAT(message(rows, [](Rows& r, auto&) { r.price[4] = 0; }), HasSubstr("the price is 0"));
  EXPECT_THAT(message(rows, [](Rows& r, auto&) { r.made_at[5] = 0; }),
              HasSubstr("made before the row above it"));
  EXPECT_THAT(message(rows, [](Rows&, auto& s) { s.horizon = 0; }), HasSubstr("a horizon of 0"));
  EXPECT_THAT(message(rows, [](Rows&, auto& s) { s.naive = s.naive.first(9); }),
              HasSubstr("9 values of 'naive' for 10 rows"));
  EXPECT_THAT(message(Rows{}, [](Rows&, auto&) {}), HasSubstr("no forecasts to judge"));
}

TEST(Evaluate, JsonHasNullForWhatIsNotDefined) {
  const Json json = ToJson(Evaluate(NoisyRows(100, 0.1, 1).Sample(), Quick()));
  EXPECT_EQ(json["model"], "ridge");
  EXPECT_EQ(json["metrics"].size(), 13u);
  EXPECT_EQ(json["metrics"][0]["metric"], "mae");
  EXPECT_TRUE(json["metrics"][2]["model"]["value"].is_null());  // mase without a scale
  EXPECT_TRUE(json["metrics"][5]["difference"]["low"].is_null());
  EXPECT_EQ(json["months"][0]["label"], "1970-01");
}

}  // namespace
}  // namespace almanac
