// Which features are computed: a list of families with their parameters, read from configuration,
// and the columns that it gives. The catalogue says what each family is (docs/features.md).
//
//   features:
//     - {family: log_return, windows: [1, 12, 48]}
//     - {family: macd_line, fast: 12, slow: [26, 50]}
//     - {set: alpha158}
//
// gives the columns log_return_1, log_return_12, log_return_48, macd_line_12_26, macd_line_12_50,
// in that order: every combination of the listed values, the last parameter changing fastest; then
// the columns of a shipped set.
#ifndef ALMANAC_FEATURE_FEATURE_SET_H_
#define ALMANAC_FEATURE_FEATURE_SET_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "almanac/base/config.h"
#include "almanac/base/json.h"

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
  std::string group = {};  // "technical", "alpha"; Catalogue always fills it
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

// One column to compute.
struct FeatureSpec {
  std::string family;
  // Names and values in the family's order; most have one, "window", in bars.
  std::vector<std::pair<std::string, int64_t>> parameters;

  std::string Name() const;  // "log_return_12", "macd_line_12_26", "MA5"
  friend bool operator==(const FeatureSpec&, const FeatureSpec&) = default;
};

// What is known of one column before anything is computed.
struct FeatureInfo {
  FeatureSpec spec;
  std::string name;
  std::string formula;
  std::string unit;
  std::string range;
  int64_t look_back = 1;  // bars that a value needs, its own included; rows before are NaN
  // Whether bars before the look-back still have weight (exponential averages).
  bool unbounded_memory = false;
  std::string known_at;  // "close of the bar"
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
  // What ToJson gives: [{"family": "log_return", "window": 12}, ...]. Error(kBadData) otherwise.
  static FeatureSet FromJson(const Json& json);
  Json ToJson() const;

  size_t size() const { return specs_.size(); }
  const std::vector<FeatureSpec>& specs() const { return specs_; }
  // One a column, in order.
  std::vector<FeatureInfo> Columns() const;
  // The longest look-back of all columns, in bars.
  int64_t LookBack() const;

 private:
  std::vector<FeatureSpec> specs_;
};

// An object with every field, parameters as an object: a line of `features list --json`.
Json ToJson(const FeatureInfo& info);
Json ToJson(const FamilyInfo& info);
Json ToJson(const SetInfo& info);

}  // namespace almanac

#endif  // ALMANAC_FEATURE_FEATURE_SET_H_
