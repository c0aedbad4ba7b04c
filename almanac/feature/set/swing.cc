// The set of the swing models: about 5,000 columns a coin on 5-minute bars, made of windows x
// timeframes x lags x transforms, and what the coins say about each other.
#include "almanac/feature/set.h"

namespace almanac {
namespace {

// Of one window each.
constexpr const char* kWindowed[] = {"adx",
                                     "aroon_down",
                                     "aroon_up",
                                     "bipower_volatility",
                                     "cci",
                                     "chaikin_money_flow",
                                     "donchian_position",
                                     "downside_share",
                                     "drawdown",
                                     "ema_distance",
                                     "fisher_transform",
                                     "garman_klass_volatility",
                                     "kama_distance",
                                     "linreg_slope",
                                     "log_return",
                                     "mfi",
                                     "minus_di",
                                     "momentum_zscore",
                                     "natr",
                                     "obv_change",
                                     "parkinson_volatility",
                                     "plus_di",
                                     "range_position",
                                     "realised_volatility",
                                     "return_kurtosis",
                                     "return_skewness",
                                     "rsi",
                                     "run_up",
                                     "sma_distance",
                                     "tema_distance",
                                     "trend_t",
                                     "trix",
                                     "volume_ratio",
                                     "volume_zscore",
                                     "vortex_minus",
                                     "vortex_plus",
                                     "vwap_distance",
                                     "williams_r",
                                     "yang_zhang_volatility"};
constexpr int64_t kWindows[] = {7, 14, 28, 56};

struct Values {
  const char* family;
  std::vector<int64_t> values;
};

const std::vector<Values>& WithValues() {
  static const std::vector<Values> kAll = {{"apo", {12, 26}},
                                           {"balance_of_power", {}},
                                           {"bollinger_bandwidth", {20, 2}},
                                           {"bollinger_bandwidth", {50, 2}},
                                           {"bollinger_percent_b", {20, 2}},
                                           {"bollinger_percent_b", {50, 2}},
                                           {"chaikin_oscillator", {3, 10}},
                                           {"connors_rsi", {3, 2, 100}},
                                           {"keltner_position", {20, 10, 2}},
                                           {"klinger_oscillator", {34, 55}},
                                           {"klinger_signal", {34, 55, 13}},
                                           {"macd_histogram", {5, 35, 5}},
                                           {"macd_histogram", {12, 26, 9}},
                                           {"macd_line", {5, 35}},
                                           {"macd_line", {12, 26}},
                                           {"macd_signal", {5, 35, 5}},
                                           {"macd_signal", {12, 26, 9}},
                                           {"ppo", {12, 26}},
                                           {"stochastic_d", {14, 3, 3}},
                                           {"stochastic_k", {14, 3}},
                                           {"stochrsi_d", {14, 14, 3}},
                                           {"stochrsi_k", {14, 14}},
                                           {"supertrend_distance", {7, 3}},
                                           {"supertrend_distance", {10, 3}},
                                           {"true_range", {}},
                                           {"ultimate_oscillator", {7, 14, 28}}};
  return kAll;
}

// A volatility of late over that of a longer time.
constexpr const char* kVolatilities[] = {"garman_klass_volatility", "natr", "parkinson_volatility",
                                         "realised_volatility"};
constexpr std::pair<int64_t, int64_t> kShortAndLong[] = {{7, 28}, {14, 56}, {7, 112}};

// Swings confirmed after 5 and 20 bars.
constexpr const char* kSwings[] = {"swing_high_age", "swing_high_distance", "swing_low_age",
                                   "swing_low_distance", "swing_position"};
constexpr int64_t kSwingLookBacks[] = {5, 20};

// Of the frame's own bars alone: the clock is the same on all timeframes.
constexpr const char* kTemporal[] = {
    "time_of_day_sin",     "time_of_day_cos",       "day_of_week_sin",
    "day_of_week_cos",     "hours_since_week_open", "weekend",
    "asia_session",        "london_session",        "new_york_session",
    "hours_since_us_open", "return_since_day_open", "return_since_week_open"};

// What a pattern that takes a penetration is given: TA-Lib's default, in percent.
constexpr int64_t kPenetration = 30;
constexpr int64_t kCandleWindow = 10;

constexpr int64_t kLags[] = {0, 1, 3};
constexpr int64_t kChange = 3;

struct Clock {
  const char* name;  // null: the frame's own bars
  int64_t zscore;
};
// Fewer days than bars of the other timeframes go into a z-score: a year has 365 of them.
constexpr Clock kClocks[] = {{nullptr, 96}, {"15m", 96}, {"1h", 96}, {"4h", 96}, {"1d", 30}};

void AddForms(const FeatureSpec& base, int64_t zscore, std::vector<FeatureSpec>& specs) {
  for (const int64_t lag : kLags) {
    specs.push_back(base);
    specs.back().lag = lag;
  }
  for (const Transform& transform : {Transform{"zscore", zscore}, Transform{"diff", kChange}}) {
    specs.push_back(base);
    specs.back().transforms = {transform};
  }
}

// All candlestick families, whose parameters are at most a window or a penetration.
std::vector<FeatureSpec> Candlesticks() {
  std::vector<FeatureSpec> specs;
  for (const FamilyInfo& family : Catalogue()) {
    if (family.group != "candlestick") continue;
    FeatureSpec spec;
    spec.family = family.name;
    for (const ParameterInfo& parameter : family.parameters) {
      const bool window = parameter.name == "window";
      spec.parameters.emplace_back(parameter.name, window ? kCandleWindow : kPenetration);
    }
    specs.push_back(std::move(spec));
  }
  return specs;
}

std::vector<FeatureSpec> VolatilityRatios() {
  std::vector<FeatureSpec> specs;
  for (const char* family : kVolatilities) {
    for (const auto& [shorter, longer] : kShortAndLong) {
      FeatureSpec spec = SpecOfValues(family, {shorter});
      spec.combination = Combination::kOver;
      spec.operand = {SpecOfValues(family, {longer})};
      spec.operand.front().timeframe = spec.timeframe;
      specs.push_back(std::move(spec));
    }
  }
  return specs;
}

std::vector<FeatureSpec> CrossColumns() {
  std::vector<FeatureSpec> specs;
  for (const char* family : {"cross_beta", "cross_correlation", "other_return", "relative_strength",
                             "residual_return", "spread_zscore"}) {
    for (const int64_t window : {24, 96, 288}) specs.push_back(SpecOfValues(family, {window}));
  }
  for (const int64_t shift : {1, 3}) specs.push_back(SpecOfValues("lead_lag", {96, shift}));
  return specs;
}

void SetTimeframe(FeatureSpec& spec, const std::optional<Timeframe>& timeframe) {
  spec.timeframe = timeframe;
  for (FeatureSpec& operand : spec.operand) operand.timeframe = timeframe;
}

std::vector<FeatureSpec> OfClock(const Clock& clock) {
  std::vector<FeatureSpec> specs;
  for (const char* family : kWindowed) {
    for (const int64_t window : kWindows) {
      AddForms(SpecOfValues(family, {window}), clock.zscore, specs);
    }
  }
  for (const Values& values : WithValues()) {
    AddForms(SpecOfValues(values.family, values.values), clock.zscore, specs);
  }
  for (const char* family : kSwings) {
    for (const int64_t look_back : kSwingLookBacks) {
      specs.push_back(SpecOfValues(family, {look_back}));
    }
  }
  for (const std::vector<FeatureSpec>& more : {VolatilityRatios(), Candlesticks()}) {
    specs.insert(specs.end(), more.begin(), more.end());
  }
  return specs;
}

std::vector<FeatureSpec> SwingSpecs() {
  std::vector<FeatureSpec> specs;
  for (const Clock& clock : kClocks) {
    std::optional<Timeframe> timeframe;
    if (clock.name != nullptr) timeframe = Timeframe::Parse(clock.name);
    for (FeatureSpec& spec : OfClock(clock)) {
      SetTimeframe(spec, timeframe);
      specs.push_back(std::move(spec));
    }
  }
  for (const char* family : kTemporal) specs.push_back(SpecOfValues(family, {}));
  for (const std::optional<Timeframe>& timeframe :
       {std::optional<Timeframe>(), Timeframe::TryParse("1h")}) {
    for (FeatureSpec& spec : CrossColumns()) {
      SetTimeframe(spec, timeframe);
      specs.push_back(std::move(spec));
    }
  }
  return specs;
}

}  // namespace

NamedSet SwingSet() {
  return {{"swing",
           "about 5,000 columns a coin on 5-minute bars: windows x timeframes (5m to 1d) x lags x "
           "transforms, candlesticks, and each coin against the others"},
          SwingSpecs};
}

}  // namespace almanac
