#include "almanac/forecast/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <functional>

#include "almanac/base/error.h"
#include "almanac/base/error_for_test.h"
#include "almanac/base/file.h"
#include "almanac/base/random.h"
#include "almanac/feature/random_series_for_test.h"
#include "almanac/forecast/baseline.h"
#include "almanac/forecast/ridge.h"
#include "almanac/lake/database.h"

namespace almanac {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

ForecastTable Small() {
  ForecastTable table;
  table.Append({"ridge", "ETH", 2000, 3000, 1, 99, -0.01});
  table.Append({"ridge", "BTC", 2000, 3000, 1, 101, 0.02});
  table.Append({"naive", "BTC", 1000, 2000, 1, 100, 0});
  table.Append({"ridge", "BTC", 1000, 2000, 1, 100, 0.01});
  return table;
}

class TableTest : public testing::Test {
 protected:
  TableTest() {
    folder_ =
        std::filesystem::temp_directory_path() / ("almanac-table-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
  }
  ~TableTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_;
};

TEST_F(TableTest, IsOrderedByModelSymbolTime) {
  ForecastTable table = Small();
  EXPECT_THROW(table.Validate(), Error);
  table.Sort();
  table.Validate();
  EXPECT_THAT(table.model, ElementsAre("naive", "ridge", "ridge", "ridge"));
  EXPECT_THAT(table.symbol, ElementsAre("BTC", "BTC", "BTC", "ETH"));
  EXPECT_THAT(table.value, ElementsAre(0, 0.01, 0.02, -0.01));
  EXPECT_THAT(table.Models(), ElementsAre("naive", "ridge"));
  const ForecastTable part = table.Select("ridge", "BTC", 1);
  EXPECT_THAT(part.made_at, ElementsAre(1000, 2000));
  EXPECT_EQ(table.Select("ridge", "BTC", 2).rows(), 0U);
}

TEST_F(TableTest, IsSavedAndLoadedToTheBit) {
  ForecastTable table = Small();
  table.quantity = Quantity::kLogReturn;
  table.extra.push_back({"q97.5", {0.5, std::nan(""), 1e-300, 3}});
  table.extra.push_back({"p_up", {0.1, 0.2, std::nan(""), 1}});
  table.value[2] = std::nan("");  // its row has a quantile
  const std::filesystem::path file = folder_ / "sub" / "forecasts.parquet";
  table.Save(file);
  const ForecastTable loaded = ForecastTable::Load(file);
  table.Sort();
  EXPECT_EQ(loaded.quantity, Quantity::kLogReturn);
  EXPECT_EQ(loaded.model, table.model);
  EXPECT_EQ(loaded.symbol, table.symbol);
  EXPECT_EQ(loaded.made_at, table.made_at);
  EXPECT_EQ(loaded.target_time, table.target_time);
  EXPECT_EQ(loaded.horizon, table.horizon);
  EXPECT_EQ(loaded.price, table.price);
  ASSERT_EQ(loaded.extra.size(), 2U);
  EXPECT_EQ(loaded.extra[0].name, "p_up");
  for (size_t row = 0; row < table.rows(); ++row) {
    const auto same = [](double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); };
    EXPECT_TRUE(same(loaded.value[row], table.value[row])) << row;
    for (size_t e = 0; e < 2; ++e) {
      EXPECT_TRUE(same(loaded.extra[e].values[row], table.extra[e].values[row])) << row;
    }
  }
  const std::string first = ReadFile(file);
  loaded.Save(file);
  EXPECT_EQ(ReadFile(file), first);
}

TEST_F(TableTest, EqualTablesGiveEqualBytesWhateverTheOrderOfRows) {
  Random random(1);
  ForecastTable forward, backward;
  std::vector<Forecast> rows;
  for (int i = 0; i < 3000; ++i) {
    rows.push_back({i % 2 == 0 ? "a" : "b", "X", i * 1000, i * 1000 + 500, 1 + i % 3,
                    100 * random.Exponential(), random.Normal()});
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    forward.Append(rows[i]);
    backward.Append(rows[rows.size() - 1 - i]);
  }
  forward.Save(folder_ / "forward.parquet");
  backward.Save(folder_ / "backward.parquet");
  EXPECT_EQ(ReadFile(folder_ / "forward.parquet"), ReadFile(folder_ / "backward.parquet"));
}

TEST_F(TableTest, AnEmptyTableIsATable) {
  ForecastTable().Save(folder_ / "empty.parquet");
  EXPECT_EQ(ForecastTable::Load(folder_ / "empty.parquet").rows(), 0U);
}

TEST_F(TableTest, TablesAreUnited) {
  ForecastTable first;
  first.extra.push_back({"q5", {}});
  first.Append({"a", "X", 1, 2, 1, 10, 0.1});
  first.extra[0].values[0] = 0.05;
  ForecastTable second;
  second.extra.push_back({"q95", {}});
  second.Append({"b", "X", 1, 2, 1, 10, 0.2});
  second.extra[0].values[0] = 0.3;
  first.Append(second);
  ASSERT_EQ(first.extra.size(), 2U);
  EXPECT_EQ(first.extra[0].values[0], 0.05);
  EXPECT_TRUE(std::isnan(first.extra[0].values[1]));
  EXPECT_TRUE(std::isnan(first.extra[1].values[0]));
  EXPECT_EQ(first.extra[1].values[1], 0.3);
  second.quantity = Quantity::kPrice;
  EXPECT_THAT(MessageOf([&] { first.Append(second); }), HasSubstr("price beside"));
}

TEST_F(TableTest, WrongRowsAreNamed) {
  const auto message = [](const std::function<void(ForecastTable&)>& damage) {
    ForecastTable table = Small();
    table.extra.push_back({"q5", {0, 0, 0, 0}});
    table.Sort();
    damage(table);
    return MessageOf([&] { table.Validate(); });
  };
  EXPECT_EQ(message([](ForecastTable&) {}), "no error");
  EXPECT_THAT(message([](ForecastTable& t) { t.target_time[2] = 2000; }),
              testing::AllOf(HasSubstr("row 2"), HasSubstr("ridge BTC"), HasSubstr("target")));
  EXPECT_THAT(message([](ForecastTable& t) { t.horizon[1] = 0; }), HasSubstr("horizon is 0"));
  EXPECT_THAT(message([](ForecastTable& t) { t.price[1] = 0; }), HasSubstr("price is 0"));
  EXPECT_THAT(message([](ForecastTable& t) { t.value[1] = INFINITY; }), HasSubstr("value is inf"));
  EXPECT_THAT(message([](ForecastTable& t) { t.value[1] = t.extra[0].values[1] = std::nan(""); }),
              HasSubstr("value is nan"));
  EXPECT_THAT(message([](ForecastTable& t) { t.model[0] = ""; }), HasSubstr("no model"));
  EXPECT_THAT(message([](ForecastTable& t) { t.made_at[2] = 1000; }), HasSubstr("row 2"));
  EXPECT_THAT(message([](ForecastTable& t) { t.value.pop_back(); }), HasSubstr("not all of"));
  EXPECT_THAT(message([](ForecastTable& t) { t.extra[0].name = "q500"; }), HasSubstr("q500"));
  EXPECT_THAT(message([](ForecastTable& t) { t.extra[0].name = "median"; }), HasSubstr("median"));
  EXPECT_THAT(message([](ForecastTable& t) {
                t.extra[0].name = "p_up";
                t.extra[0].values[3] = 1.5;
              }),
              HasSubstr("p_up is 1.5"));
  EXPECT_THAT(message([](ForecastTable& t) { t.extra.push_back(t.extra[0]); }),
              HasSubstr("two columns called"));
}

TEST_F(TableTest, FilesThatAreNoTablesAreNamed) {
  const std::filesystem::path file = folder_ / "x.parquet";
  EXPECT_THAT(MessageOf([&] { ForecastTable::Load(file); }), HasSubstr("x.parquet"));
  WriteFileAtomic(file, "not parquet");
  EXPECT_THAT(MessageOf([&] { ForecastTable::Load(file); }), HasSubstr("x.parquet"));
  const std::vector<double> values = {1, 2};
  WriteParquet(Database(), file, {{"value", ColumnType::kDouble, values.data()}}, 2);
  EXPECT_THAT(MessageOf([&] { ForecastTable::Load(file); }),
              testing::AllOf(HasSubstr("x.parquet"), HasSubstr("model")));
}

TEST_F(TableTest, ReturnsWhateverTheQuantity) {
  ForecastTable table;
  table.Append({"a", "X", 1, 2, 1, 50, 0.1});
  EXPECT_DOUBLE_EQ(table.Returns()[0], 0.1);
  table.quantity = Quantity::kLogReturn;
  EXPECT_DOUBLE_EQ(table.Returns()[0], std::expm1(0.1));
  table.quantity = Quantity::kPrice;
  table.value[0] = 55;
  EXPECT_DOUBLE_EQ(table.Returns()[0], 0.1);
}

TEST_F(TableTest, AVolatilityIsKeptAndIsNoReturn) {
  ForecastTable table;
  table.quantity = QuantityOf(AnyTarget(VolatilitySpec{24}));
  EXPECT_EQ(Name(table.quantity), "volatility");
  table.Append({"a", "X", 1, 2, 24, 50, 0.013});
  table.Save(folder_ / "v.parquet");
  const ForecastTable loaded = ForecastTable::Load(folder_ / "v.parquet");
  EXPECT_EQ(loaded.quantity, Quantity::kVolatility);
  EXPECT_EQ(loaded.value, table.value);
  EXPECT_THAT(MessageOf([&] { loaded.Returns(); }), HasSubstr("a volatility is no return"));
  ForecastTable returns;
  returns.Append({"a", "X", 1, 2, 24, 50, 0.013});
  EXPECT_THAT(MessageOf([&] { returns.Append(loaded); }),
              HasSubstr("forecasts of volatility beside forecasts of return"));
}

TEST_F(TableTest, RowsAreChosenWithTheirExtraColumns) {
  ForecastTable table;
  for (TimeMs at = 1; at <= 4; ++at) table.Append({"a", "X", at, at + 1, 1, 50, 0.1 * at});
  table.extra.push_back({"q5", {1, 2, 3, 4}});
  const ForecastTable even = table.Where([&](size_t row) { return table.made_at[row] % 2 == 0; });
  EXPECT_EQ(even.made_at, (std::vector<TimeMs>{2, 4}));
  EXPECT_EQ(even.extra[0].values, (std::vector<double>{2, 4}));
  EXPECT_EQ(table.Where([](size_t) { return false; }).extra.size(), 1U);
}

TEST_F(TableTest, IsMadeFromAForecaster) {
  const CandleSeries series = RandomSeries(300, 3, 100, 30);
  const TargetSpec target{TargetKind::kForwardReturn, 4, false};
  const Dataset data =
      Dataset::Join("X", BuildFeatures(FeatureSet({{"log_return", {{"window", 10}}}}), series),
                    BuildLabels(target, series));
  RidgeForecaster ridge;
  ridge.Fit({data, data.SplitRows({}).training()});
  std::vector<uint32_t> rows;
  for (uint32_t row = 0; row < data.rows(); ++row) rows.push_back(row);
  size_t skipped = 0;
  const ForecastTable table = MakeForecasts("ridge", ridge, data, rows, target, series, &skipped);
  table.Validate();
  EXPECT_EQ(skipped, 10U);
  ASSERT_EQ(table.rows(), 290U);
  const std::vector<double> values = ridge.Predict(data, rows).value;
  for (size_t i = 0; i < table.rows(); ++i) {
    EXPECT_EQ(table.made_at[i], series.KnownAt(i + 10));
    EXPECT_EQ(table.target_time[i], table.made_at[i] + 2 * kMsPerHour);
    EXPECT_EQ(table.price[i], series.close[i + 10]);
    EXPECT_EQ(table.value[i], values[i + 10]);
  }
  EXPECT_THAT(
      MessageOf([&] { MakeForecasts("ridge", ridge, data, rows, target, series.Slice(0, 50)); }),
      HasSubstr("has no bar that closes then"));
}

}  // namespace
}  // namespace almanac
