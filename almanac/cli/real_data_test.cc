// The first run on real data, and its forecasts computed a second time: from the files as they lie,
// by the written definitions, with slow obvious code in long double that shares nothing with the
// program but the recipe.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "almanac/base/file.h"
#include "almanac/cli/program_for_test.h"
#include "almanac/lake/candle_store.h"
#include "almanac/market/real_data_for_test.h"
#include "almanac/market/resample.h"

namespace almanac {
namespace fs = std::filesystem;
namespace {

using Real = long double;
using Column = std::vector<float>;  // features are kept as float32

constexpr Real kNone = std::numeric_limits<Real>::quiet_NaN();
constexpr size_t kHorizon = 8;
constexpr Real kValidationShare = 0.15L;
constexpr Real kTestShare = 0.20L;

constexpr char kRecipe[] = R"(name: real
data: {source: lake, symbols: [BTCUSDT], timeframe: 30m}
features:
  - {family: log_return, windows: [1, 8, 48, 336]}
  - {family: realised_volatility, windows: [16, 336]}
  - {family: parkinson_volatility, windows: [48]}
  - {family: garman_klass_volatility, windows: [48]}
  - {family: volume_ratio, windows: [16]}
  - {family: range_position, windows: [48]}
  - {family: ema_distance, windows: [96]}
target: {kind: forward_return, horizon: 8}
split: {validation: 0.15, test: 0.20}
models:
  - {kind: naive}
  - {kind: ridge, lambda: [1, 100, 10000], folds: 4}
evaluate: {replicates: 20, seed: 1}
leak_audit: {cuts: 2}
backtest: {models: [ridge], threshold: 0.002}
report: {pictures: false}
)";

// value(t) for every bar that has `look_back` bars, itself included.
template <typename Value>
Column Rolling(size_t bars, size_t look_back, const Value& value) {
  Column column(bars, std::numeric_limits<float>::quiet_NaN());
  for (size_t t = look_back - 1; t < bars; ++t) column[t] = static_cast<float>(value(t));
  return column;
}

template <typename Value>
Real MeanOver(size_t last, size_t count, const Value& value) {
  Real sum = 0;
  for (size_t i = last + 1 - count; i <= last; ++i) sum += value(i);
  return sum / static_cast<Real>(count);
}

Column LogReturn(const CandleSeries& bars, size_t n) {
  return Rolling(bars.size(), n + 1,
                 [&](size_t t) { return std::log(Real{bars.close[t]} / bars.close[t - n]); });
}

Column RealisedVolatility(const CandleSeries& bars, size_t n) {
  return Rolling(bars.size(), n + 1, [&](size_t t) {
    return std::sqrt(MeanOver(t, n, [&](size_t i) {
      const Real r = std::log(Real{bars.close[i]} / bars.close[i - 1]);
      return r * r;
    }));
  });
}

Column ParkinsonVolatility(const CandleSeries& bars, size_t n) {
  return Rolling(bars.size(), n, [&](size_t t) {
    return std::sqrt(MeanOver(t, n, [&](size_t i) {
      const Real range = std::log(Real{bars.high[i]} / bars.low[i]);
      return range * range / (4 * std::log(2.0L));
    }));
  });
}

Column GarmanKlassVolatility(const CandleSeries& bars, size_t n) {
  return Rolling(bars.size(), n, [&](size_t t) {
    return std::sqrt(MeanOver(t, n, [&](size_t i) {
      const Real range = std::log(Real{bars.high[i]} / bars.low[i]);
      const Real body = std::log(Real{bars.close[i]} / bars.open[i]);
      return range * range / 2 - (2 * std::log(2.0L) - 1) * body * body;
    }));
  });
}

Column VolumeRatio(const CandleSeries& bars, size_t n) {
  return Rolling(bars.size(), n, [&](size_t t) {
    const Real mean = MeanOver(t, n, [&](size_t i) { return Real{bars.volume[i]}; });
    return mean > 0 ? bars.volume[t] / mean : kNone;
  });
}

Column RangePosition(const CandleSeries& bars, size_t n) {
  return Rolling(bars.size(), n, [&](size_t t) {
    Real top = bars.high[t];
    Real bottom = bars.low[t];
    for (size_t i = t + 1 - n; i <= t; ++i) {
      top = std::max(top, Real{bars.high[i]});
      bottom = std::min(bottom, Real{bars.low[i]});
    }
    return top > bottom ? (bars.close[t] - bottom) / (top - bottom) : kNone;
  });
}

Column EmaDistance(const CandleSeries& bars, size_t n) {
  std::vector<Real> average(bars.size());
  average[n - 1] = MeanOver(n - 1, n, [&](size_t i) { return Real{bars.close[i]}; });
  const Real weight = 2 / static_cast<Real>(n + 1);
  for (size_t t = n; t < bars.size(); ++t) {
    average[t] = average[t - 1] + weight * (bars.close[t] - average[t - 1]);
  }
  return Rolling(bars.size(), n, [&](size_t t) { return bars.close[t] / average[t] - 1; });
}

std::vector<Column> FeaturesOf(const CandleSeries& bars) {
  return {LogReturn(bars, 1),
          LogReturn(bars, 8),
          LogReturn(bars, 48),
          LogReturn(bars, 336),
          RealisedVolatility(bars, 16),
          RealisedVolatility(bars, 336),
          ParkinsonVolatility(bars, 48),
          GarmanKlassVolatility(bars, 48),
          VolumeRatio(bars, 16),
          RangePosition(bars, 48),
          EmaDistance(bars, 96)};
}

// A linear system by elimination with the largest pivot of the column.
std::vector<Real> Eliminate(std::vector<std::vector<Real>> rows, std::vector<Real> right) {
  const size_t n = right.size();
  for (size_t k = 0; k < n; ++k) {
    size_t pivot = k;
    for (size_t i = k + 1; i < n; ++i) {
      if (std::abs(rows[i][k]) > std::abs(rows[pivot][k])) pivot = i;
    }
    std::swap(rows[k], rows[pivot]);
    std::swap(right[k], right[pivot]);
    for (size_t i = k + 1; i < n; ++i) {
      const Real factor = rows[i][k] / rows[k][k];
      for (size_t j = k; j < n; ++j) rows[i][j] -= factor * rows[k][j];
      right[i] -= factor * right[k];
    }
  }
  for (size_t k = n; k-- > 0;) {
    for (size_t j = k + 1; j < n; ++j) right[k] -= rows[k][j] * right[j];
    right[k] /= rows[k][k];
  }
  return right;
}

struct SecondOpinion {
  size_t training_rows = 0;  // learnt from
  size_t test_rows = 0;      // judged
  Real naive_mae = 0, ridge_mae = 0;
};

// The rows that are learnt from and judged, by the shares and the purge of the recipe.
struct Rows {
  std::vector<size_t> training, test;
};

Rows SplitOf(const CandleSeries& bars, const std::vector<Column>& features) {
  const size_t rows = bars.size();
  const auto complete = [&](size_t t) {
    return std::all_of(features.begin(), features.end(),
                       [&](const Column& column) { return std::isfinite(column[t]); });
  };
  const auto known = [&](size_t t) { return bars.open_time[t] + 30 * kMsPerMinute; };
  const auto row_at = [&](Real share) {
    return static_cast<size_t>(std::floor(static_cast<Real>(rows) * (1 - share)));
  };
  const size_t validation_from = row_at(kValidationShare + kTestShare);
  Rows split;
  for (size_t t = 0; t < validation_from; ++t) {
    // A label that ends where validation begins, or later, is purged.
    if (known(t + kHorizon) < known(validation_from) && complete(t)) split.training.push_back(t);
  }
  for (size_t t = row_at(kTestShare); t + kHorizon < rows; ++t) {
    if (complete(t)) split.test.push_back(t);
  }
  return split;
}

Real TargetOf(const CandleSeries& bars, size_t t) {
  return Real{bars.close[t + kHorizon]} / bars.close[t] - 1;
}

// The features of the rows, each less its training mean and over its training deviation.
class Standardised {
 public:
  Standardised(const std::vector<Column>& features, const std::vector<size_t>& training)
      : features_(features) {
    const auto count = static_cast<Real>(training.size());
    for (const Column& column : features) {
      Real mean = 0;
      for (const size_t t : training) mean += column[t] / count;
      Real squares = 0;
      for (const size_t t : training) squares += (column[t] - mean) * (column[t] - mean);
      mean_.push_back(mean);
      deviation_.push_back(std::sqrt(squares / count));
    }
  }
  size_t columns() const { return mean_.size(); }
  Real operator()(size_t c, size_t t) const { return (features_[c][t] - mean_[c]) / deviation_[c]; }

 private:
  const std::vector<Column>& features_;
  std::vector<Real> mean_, deviation_;
};

SecondOpinion ComputeAgain(const CandleSeries& bars, Real lambda) {
  const std::vector<Column> features = FeaturesOf(bars);
  const Rows rows = SplitOf(bars, features);
  const Standardised scaled(features, rows.training);
  const size_t columns = scaled.columns();
  Real target_mean = 0;
  for (const size_t t : rows.training) {
    target_mean += TargetOf(bars, t) / static_cast<Real>(rows.training.size());
  }
  std::vector<std::vector<Real>> products(columns, std::vector<Real>(columns));
  std::vector<Real> right(columns);
  for (const size_t t : rows.training) {
    for (size_t i = 0; i < columns; ++i) {
      const Real value = scaled(i, t);
      for (size_t j = 0; j < columns; ++j) products[i][j] += value * scaled(j, t);
      right[i] += value * (TargetOf(bars, t) - target_mean);
    }
  }
  for (size_t i = 0; i < columns; ++i) products[i][i] += lambda;
  const std::vector<Real> coefficients = Eliminate(products, right);

  SecondOpinion opinion{rows.training.size(), rows.test.size(), 0, 0};
  for (const size_t t : rows.test) {
    Real forecast = target_mean;
    for (size_t c = 0; c < columns; ++c) forecast += coefficients[c] * scaled(c, t);
    const Real target = TargetOf(bars, t);
    opinion.naive_mae += std::abs(target) / static_cast<Real>(rows.test.size());
    opinion.ridge_mae += std::abs(target - forecast) / static_cast<Real>(rows.test.size());
  }
  return opinion;
}

Json EvaluationOf(const Json& results, const std::string& model) {
  for (const Json& evaluation : results.at("evaluations")) {
    if (evaluation.at("model") == model) return evaluation;
  }
  return {};
}

Json MaeOf(const Json& evaluation) {
  for (const Json& metric : evaluation.at("metrics")) {
    if (metric.at("space") == "return" && metric.at("metric") == "mae") return metric;
  }
  return {};
}

// training.json of the artifact that a run's document names for a model.
Json TrainingOf(const Json& run, const std::string& detail) {
  for (const Json& stage : run.at("stages")) {
    if (stage.at("stage") == "train" && stage.at("detail") == detail) {
      const fs::path folder = stage.at("artifact").get<std::string>();
      return Json::parse(ReadFile(folder / "training.json"));
    }
  }
  return {};
}

std::string CryptoFolder(const std::string& name) {
  return (SharedDataFolder() / "crypto" / name).string();
}

void ExpectNear(Real expected, const Json& found, Real relative) {
  const Real value = found.get<double>();
  EXPECT_LE(std::abs(value - expected), relative * std::abs(expected))
      << "expected " << static_cast<double>(expected) << ", found " << found.dump();
}

TEST(RealDataTest, TheRunsErrorsAreThoseOfASecondCalculation) {
  ALMANAC_NEEDS_REAL_DATA("crypto/spot_30m");
  const ProgramFolder folder;
  folder.Write("real.yaml", kRecipe);
  const ProgramEnd import =
      folder.Run({"data", "import", CryptoFolder("spot_30m") + "/BTCUSDT.csv.zst"});
  ASSERT_EQ(import.status, 0) << import.err;
  const ProgramEnd end = folder.Run({"run", "real.yaml", "--json"});
  ASSERT_EQ(end.status, 0) << end.err;
  const Json run = end.json();
  for (const char* key : {"run", "folder", "did_nothing", "stages", "reports", "results"}) {
    EXPECT_TRUE(run.contains(key)) << key;
  }
  const Json training = TrainingOf(run, "ridge BTCUSDT");
  ASSERT_TRUE(training.is_object());
  const Json ridge = EvaluationOf(run.at("results").at("BTCUSDT"), "ridge");
  ASSERT_TRUE(ridge.is_object());

  const SecondOpinion again = ComputeAgain(ReadRealCandles("spot_30m", "BTCUSDT", "30m"),
                                           training.at("learnt").at("lambda").get<double>());
  EXPECT_EQ(training.at("rows"), again.training_rows);
  EXPECT_EQ(ridge.at("rows"), again.test_rows);
  const Json mae = MaeOf(ridge);
  ExpectNear(again.naive_mae, mae.at("naive").at("value"), 1e-12L);
  ExpectNear(again.ridge_mae, mae.at("model").at("value"), 1e-9L);
  std::printf("naive MAE %.12f, ridge MAE %.12f on %zu rows, lambda %g\n",
              static_cast<double>(again.naive_mae), static_cast<double>(again.ridge_mae),
              again.test_rows, training.at("learnt").at("lambda").get<double>());
}

TEST(RealDataTest, ThreadsDoNotChangeAByte) {
  ALMANAC_NEEDS_REAL_DATA("crypto/spot_30m");
  std::map<std::string, std::string> first;
  for (const char* threads : {"1", "4"}) {
    const ProgramFolder folder;
    folder.Write("real.yaml", kRecipe);
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"data", "import", CryptoFolder("spot_30m") + "/BTCUSDT.csv.zst"},
          std::vector<std::string>{"run", "real.yaml", "--set", "data.from=2024-01-01"}}) {
      std::vector<std::string> words = arguments;
      words.insert(words.end(), {"--threads", threads});
      const ProgramEnd end = folder.Run(words);
      ASSERT_EQ(end.status, 0) << end.err;
    }
    const auto digests = folder.Digests({"artifacts", "lake", "runs"});
    ASSERT_GT(digests.size(), 10u);
    if (first.empty()) first = digests;
    EXPECT_EQ(digests, first);
  }
}

TEST(RealDataTest, AuditAndResamplingAgreeWithWhatIsKnownOfTheFiles) {
  ALMANAC_NEEDS_REAL_DATA("crypto/spot_30m");
  const ProgramFolder folder;
  const ProgramEnd import =
      folder.Run({"data", "import", CryptoFolder("spot_30m"), CryptoFolder("spot_1h"), "--json"});
  ASSERT_EQ(import.status, 0) << import.err;
  EXPECT_EQ(import.json().at("series").size(), 10u);

  const ProgramEnd end = folder.Run({"data", "audit", "BTCUSDT", "--timeframe", "30m", "--json"});
  ASSERT_EQ(end.status, 0) << end.err;
  const Json audit = end.json();
  ASSERT_EQ(audit.size(), 1u);
  for (const char* key :
       {"symbol", "timeframe", "from", "to", "bars", "gaps", "missing_bars", "zero_volume",
        "duplicates", "out_of_order", "ohlc_violations", "jumps"}) {
    EXPECT_TRUE(audit[0].contains(key)) << key;
  }
  EXPECT_EQ(audit[0].at("gaps"), 10);
  EXPECT_EQ(audit[0].at("missing_bars"), 45);
  EXPECT_EQ(audit[0].at("gap_list").size(), 10u);
  EXPECT_EQ(audit[0].at("bars"), 87602);
  EXPECT_EQ(audit[0].at("zero_volume"), 6);

  const CandleStore store(Home{folder.home()});
  for (const char* symbol : {"BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT", "XRPUSDT"}) {
    const CandleSeries fine = store.Read({"import", symbol, Timeframe::Parse("30m")});
    const CandleSeries hours = store.Read({"import", symbol, Timeframe::Parse("1h")});
    const CandleSeries made = Resample(fine, Timeframe::Parse("1h")).series;
    size_t compared = 0;
    size_t h = 0;
    for (size_t i = 0; i < made.size(); ++i) {
      while (h < hours.size() && hours.open_time[h] < made.open_time[i]) ++h;
      ASSERT_LT(h, hours.size()) << symbol;
      ASSERT_EQ(hours.open_time[h], made.open_time[i]) << symbol;
      ++compared;
      EXPECT_EQ(made.open[i], hours.open[h]);
      EXPECT_EQ(made.high[i], hours.high[h]);
      EXPECT_EQ(made.low[i], hours.low[h]);
      EXPECT_EQ(made.close[i], hours.close[h]);
      // The files' volumes were summed and printed by another program.
      EXPECT_NEAR(made.volume[i], hours.volume[h], 1e-9 * hours.volume[h]);
    }
    EXPECT_GT(compared, 43700u) << symbol;
  }
}

}  // namespace
}  // namespace almanac
