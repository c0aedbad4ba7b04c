// Which features are computed: a list of families with their parameters, read from configuration,
// and the columns that it gives. The catalogue says what each family is (docs/features.md).
//
//   features:
//     - {family: log_return, windows: [1, 12, 48]}
//     - {family: macd_line, fast: 12, slow: [26, 50]}
//     - {family: rsi, windows: 14, symbols: ETHUSDT, timeframes: 1h, transforms: zscore_100}
//     - {family: natr, windows: 14, over: {family: natr, windows: 100}, lags: [0, 1]}
//     - {set: alpha158}
//
// gives the columns log_return_1, log_return_12, log_return_48, macd_line_12_26, macd_line_12_50,
// ETHUSDT_rsi_14_1h_zscore_100, ...: every combination of the listed values, lags changing fastest,
// then transforms, then the parameters (the last one first), then timeframes, then the other symbol
// of a cross family (against), then symbols; last the columns of a shipped set.
// A column may also be written down (docs/expressions.md) or be an observation (docs/features.md):
//     - {expression: "(close - ema(close, 20)) / atr(14)", name: stretch}
//     - {family: observation, feature: surprise, time_frame: event, fields: [last, age]}
//
// A column is computed on the bars of its own timeframe: the family's value, combined with the
// value `over` or `minus` another, then its transforms one after another, then its lag, all in bars
// of that timeframe. Which rows carry it is told in frame.h.
#ifndef ALMANAC_FEATURE_FEATURE_SET_H_
#define ALMANAC_FEATURE_FEATURE_SET_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "almanac/base/config.h"
#include "almanac/base/json.h"
#include "almanac/market/timeframe.h"

namespace almanac {

// One whole number that a family takes. The parameter "window" is written as "windows" in
// configuration, the others as they are called.
struct ParameterInfo {
  std::string name;  // "window", "fast"
  int64_t smallest = 1;
  int64_t largest = 1'000'000;
  bool above_previous = false;  // must be greater than the parameter before it
};

// One family as the catalogue describes it; formulas are plain text with t the bar, n the window.
struct FamilyInfo {
  std::string name;                            // "log_return"
  std::string formula;                         // "ln(close[t] / close[t-n])"
  std::string unit;                            // "ratio"
  std::string range;                           // "(-inf, inf)"
  std::string look_back;                       // "n + 1 bars"
  int64_t smallest_window = 1;                 // 0: the family has no window
  std::string source;                          // publication, or the library whose definition it is
  std::vector<ParameterInfo> parameters = {};  // in order; Catalogue always fills them
  // What its columns are called, followed by their parameters' values with nothing between ("MA5");
  // empty: the family's name and the values, "_" between them.
  std::string column = {};
  std::string group = {};    // "technical", "alpha"; Catalogue always fills it
  bool two_symbols = false;  // a cross family: of a symbol against another
  bool reads_text = false;   // defined by FeatureSpec::text
};

// All families, by name.
std::vector<FamilyInfo> Catalogue();

// A shipped list of columns, `{set: alpha158}` in configuration.
struct SetInfo {
  std::string name;
  std::string description;
};

// All sets, by name.
std::vector<SetInfo> NamedSets();

// A rolling operation on the values of a column: "zscore_100" (compose.h lists them).
struct Transform {
  std::string kind;
  int64_t window = 1;

  std::string Name() const;
  friend bool operator==(const Transform&, const Transform&) = default;
};

enum class Combination { kNone, kOver, kMinus };

// One column to compute.
struct FeatureSpec {
  std::string family;
  // Names and values in the family's order; most have one, "window", in bars.
  std::vector<std::pair<std::string, int64_t>> parameters;

  // Whose bars. Empty: each symbol of the frame that the set is bound to.
  std::string symbol = {};
  // The other symbol of a cross family. Empty: each other symbol of the frame.
  std::string against = {};
  // Whose bars; nothing: the frame's own.
  std::optional<Timeframe> timeframe = {};
  // The value divided by the operand's, or minus it. One operand, or none for kNone; it may be of
  // another symbol or timeframe.
  Combination combination = Combination::kNone;
  std::vector<FeatureSpec> operand = {};
  std::vector<Transform> transforms = {};
  int64_t lag = 0;
  // What a family that reads a text is given (an expression), and the name of the column that it
  // gives. Empty for all others.
  std::string text = {};
  std::string text_name = {};

  // "log_return_12", "macd_line_12_26", "MA5", "ETHUSDT_beta_96_BTCUSDT",
  // "ETHUSDT_rsi_14_1h_zscore_100_lag_2", "natr_14_over_natr_100"
  std::string Name() const;
  friend bool operator==(const FeatureSpec&, const FeatureSpec&) = default;
};

// What is known of one column before anything is computed.
struct FeatureInfo {
  FeatureSpec spec;
  std::string name;
  std::string formula;
  std::string unit;
  std::string range;
  // Bars of `timeframe` that a value needs, its own included; rows before are NaN.
  int64_t look_back = 1;
  std::string timeframe;  // "base" or "1h"
  // Whether bars before the look-back still have weight (exponential averages).
  bool unbounded_memory = false;
  std::string known_at;  // "close of the bar", "close of the 1h bar"
  std::string source;
};

class FeatureSet {
 public:
  static constexpr int64_t kLargestWindow = 1'000'000;

  // Throws Error(kUsage) for an unknown family (the nearest one suggested), a parameter out of
  // range, a column that is there twice, or no columns.
  explicit FeatureSet(std::vector<FeatureSpec> specs);
  // The list of mappings `key` of `parent`, as above.
  static FeatureSet FromConfig(const ConfigNode& parent, std::string_view key = "features");
  // A shipped set. Throws Error(kUsage) for an unknown name, the nearest one suggested.
  static FeatureSet Named(std::string_view name);
  // The same for a frame of these symbols, without its cross columns where there is only one.
  static FeatureSet Named(std::string_view name, const std::vector<std::string>& symbols);
  // What ToJson gives: [{"family": "log_return", "window": 12}, ...]. Error(kBadData) otherwise.
  static FeatureSet FromJson(const Json& json);
  Json ToJson() const;

  size_t size() const { return specs_.size(); }
  const std::vector<FeatureSpec>& specs() const { return specs_; }
  // One a column, in order.
  std::vector<FeatureInfo> Columns() const;
  // The longest look-back of all columns, each in bars of its timeframe.
  int64_t LookBack() const;

  // The columns for a frame of these symbols, the first symbol's first. Of several symbols every
  // specification names its own; of one, none does, so that columns keep their plain names. Throws
  // Error(kUsage) for a specification of a symbol that the frame lacks, or of a cross family where
  // there is no other symbol.
  FeatureSet BoundTo(const std::vector<std::string>& symbols) const;

 private:
  std::vector<FeatureSpec> specs_;
};

// An object with every field, parameters as an object: a line of `features list --json`.
Json ToJson(const FeatureInfo& info);
Json ToJson(const FamilyInfo& info);
Json ToJson(const SetInfo& info);

}  // namespace almanac

#endif  // ALMANAC_FEATURE_FEATURE_SET_H_
