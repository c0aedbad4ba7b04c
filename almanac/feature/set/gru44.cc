// The 44 columns of the recurrent network on hourly bars.
#include "almanac/feature/set.h"

namespace almanac {
namespace {

struct Values {
  const char* family;
  std::vector<int64_t> values;
};

const std::vector<Values>& Columns() {
  static const std::vector<Values> kColumns = {
      // returns over 1 hour to 1 week
      {"log_return", {1}},
      {"log_return", {2}},
      {"log_return", {3}},
      {"log_return", {6}},
      {"log_return", {12}},
      {"log_return", {24}},
      {"log_return", {168}},
      {"momentum_zscore", {24}},
      // distance from moving averages
      {"sma_distance", {10}},
      {"sma_distance", {20}},
      {"sma_distance", {50}},
      {"sma_distance", {100}},
      {"ema_distance", {9}},
      {"ema_distance", {21}},
      {"ema_distance", {55}},
      {"ema_distance", {200}},
      // oscillators
      {"rsi", {7}},
      {"rsi", {14}},
      {"macd_line", {12, 26}},
      {"macd_signal", {12, 26, 9}},
      {"macd_histogram", {12, 26, 9}},
      {"stochastic_k", {14, 3}},
      {"stochastic_d", {14, 3, 3}},
      {"williams_r", {14}},
      {"cci", {20}},
      // trend
      {"adx", {14}},
      {"plus_di", {14}},
      {"minus_di", {14}},
      {"aroon_oscillator", {25}},
      // bands and ranges
      {"bollinger_percent_b", {20, 2}},
      {"bollinger_bandwidth", {20, 2}},
      {"range_position", {24}},
      {"natr", {14}},
      {"true_range", {}},
      // volatility
      {"realised_volatility", {24}},
      {"parkinson_volatility", {24}},
      // volume
      {"volume_ratio", {24}},
      {"volume_zscore", {48}},
      {"mfi", {14}},
      {"obv_change", {24}},
      {"chaikin_money_flow", {20}},
      {"vwap_distance", {24}},
      // time
      {"time_of_day_sin", {}},
      {"time_of_day_cos", {}},
  };
  return kColumns;
}

std::vector<FeatureSpec> Gru44Specs() {
  std::vector<FeatureSpec> specs;
  for (const Values& column : Columns())
    specs.push_back(SpecOfValues(column.family, column.values));
  return specs;
}

}  // namespace

NamedSet Gru44Set() {
  return {{"gru44", "the 44 columns of recipes/btc-gru.yaml, for 1-hour bars"}, Gru44Specs};
}

}  // namespace almanac
