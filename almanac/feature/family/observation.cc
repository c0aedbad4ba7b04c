// Observations joined to bars as of the time they were known.
//
// A specification's text is "feature/time_frame/field" or "feature/time_frame/count/window".
#include "almanac/feature/observation.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>

#include "almanac/base/error.h"
#include "almanac/base/text.h"
#include "almanac/feature/cell/average.h"
#include "almanac/feature/family.h"

namespace almanac {
namespace {

enum class Field { kLast, kAge, kChange, kCount, kOnDay };
constexpr std::string_view kFieldNames[] = {"last", "age", "change", "count", "on_day"};

struct Column {
  std::string feature, time_frame;
  Field field = Field::kLast;
  int64_t window = 0;  // bars, of kCount
};

// What is known of the observations at a row. A restatement replaces a value and keeps the instant
// from which there was one.
struct AsOfCell {
  static constexpr size_t kInputs = 1, kOutputs = 5;  // in the order of ObservationField

  struct Known {
    TimeMs timestamp = kMinTime;
    TimeMs since = kMinTime;
    double value = kUnknown;
  };

  std::shared_ptr<const ObservationFeed> feed;
  TimeMs row_before = kMinTime;
  Known last, before_last;  // by timestamp

  void Step(const std::array<double, 1>& in, std::array<double, 5>& out) {
    const auto now = static_cast<TimeMs>(in[0]);
    double arrivals = 0;
    for (const Observation& version : feed->KnownWithin(row_before, now)) {
      arrivals += Take(version) ? 1 : 0;
    }
    const bool known = !std::isnan(last.value);
    const double age =
        known ? static_cast<double>(now - last.since) / static_cast<double>(kMsPerDay) : kUnknown;
    out[0] = last.value;
    out[1] = age;
    out[2] = last.value - before_last.value;
    // How many came before the first row is not known of any window.
    out[3] = row_before == kMinTime ? kUnknown : arrivals;
    out[4] = age < 1 ? last.value : kUnknown;
    row_before = now;
  }

  // Whether it is about an instant of which nothing was known.
  bool Take(const Observation& version) {
    for (Known* known : {&last, &before_last}) {
      if (known->timestamp != version.timestamp) continue;
      known->value = version.value;
      return false;
    }
    const Known taken{version.timestamp, version.updated_timestamp, version.value};
    if (version.timestamp > last.timestamp) {
      before_last = std::exchange(last, taken);
      return true;
    }
    if (version.timestamp < before_last.timestamp) return false;  // a correction of older history
    before_last = taken;
    return true;
  }

  template <typename Archive>
  void Visit(Archive& archive) {
    archive(row_before, last.timestamp, last.since, last.value, before_last.timestamp,
            before_last.since, before_last.value);
  }
};

std::optional<Field> FieldOf(std::string_view name) {
  const auto* found = std::find(std::begin(kFieldNames), std::end(kFieldNames), name);
  if (found == std::end(kFieldNames)) return {};
  return static_cast<Field>(found - std::begin(kFieldNames));
}

std::optional<Column> Parse(const std::string& text) {
  const std::vector<std::string_view> words = Split(text, '/');
  if (words.size() < 3 || words[0].empty() || words[1].empty()) return {};
  const std::optional<Field> field = FieldOf(words[2]);
  if (!field || words.size() != (*field == Field::kCount ? 4U : 3U)) return {};
  Column column{std::string(words[0]), std::string(words[1]), *field, 0};
  if (words.size() == 3) return column;
  const char* end = words[3].data() + words[3].size();
  const auto read = std::from_chars(words[3].data(), end, column.window);
  const bool fits = read.ec == std::errc() && read.ptr == end && column.window >= 1 &&
                    column.window <= FeatureSet::kLargestWindow;
  return fits ? std::optional(column) : std::nullopt;
}

void Check(const FeatureSpec& spec) {
  if (Parse(spec.text)) return;
  throw Error(ErrorCode::kUsage, "observation", fmt::format("\"{}\" is no column", spec.text),
              fmt::format("it is feature/time_frame/field with a field of {}; count is followed by "
                          "/ and a number of bars",
                          fmt::join(kFieldNames, ", ")));
}

// One mapping: every field, count for every window.
std::vector<FeatureSpec> Read(const ConfigNode& node) {
  const std::string feature = node.String("feature");
  const std::string time_frame = node.String("time_frame", "event");
  const std::vector<int64_t> windows =
      node.Ints("windows", {}, Range<int64_t>::Between(1, FeatureSet::kLargestWindow));
  std::vector<FeatureSpec> specs;
  const auto add = [&](const std::string& field, const std::string& window) {
    FeatureSpec spec{"observation", {}};
    spec.text = fmt::format("{}/{}/{}", feature, time_frame, field);
    spec.text_name = fmt::format("{}_{}_{}", feature, time_frame, field);
    if (!window.empty()) {
      spec.text += "/" + window;
      spec.text_name += "_" + window;
    }
    specs.push_back(std::move(spec));
  };
  bool counted = false;
  for (const std::string& field : node.Strings("fields")) {
    if (!FieldOf(field)) {
      throw Error(ErrorCode::kUsage, node.Place("fields"), fmt::format("no field \"{}\"", field),
                  fmt::format("fields are {}", fmt::join(kFieldNames, ", ")));
    }
    if (field != "count") {
      add(field, "");
      continue;
    }
    counted = true;
    for (const int64_t window : windows) add(field, std::to_string(window));
  }
  if (counted != windows.empty()) return specs;
  throw Error(ErrorCode::kUsage, node.Place(counted ? "fields" : "windows"),
              counted ? "count without windows" : "windows without count",
              "windows: [20] says over how many bars count counts");
}

std::shared_ptr<const ObservationFeed> FeedOf(const KernelGraph& graph, const Column& column) {
  const GraphObservations& observations = graph.observations();
  const std::string& symbol =
      graph.entered().symbol.empty() ? observations.symbol : graph.entered().symbol;
  std::shared_ptr<const ObservationFeed> feed;
  if (observations.feeds != nullptr) {
    feed = observations.feeds->Find(column.feature, column.time_frame, symbol);
  }
  if (feed != nullptr) return feed;
  throw Error(
      ErrorCode::kUsage, "features",
      fmt::format("no observations of {} ({}) of {}", column.feature, column.time_frame, symbol),
      "give the frame a feed of them, which may be empty");
}

KernelGraph::Node Add(KernelGraph& graph, const FeatureSpec& spec) {
  const Column column = *Parse(spec.text);
  const std::string key = fmt::format("observation {}/{}", column.feature, column.time_frame);
  const KernelGraph::Node first = graph.Add(key, {graph.Field(BarField::kKnownAt)}, [&] {
    return MakeKernel(AsOfCell{FeedOf(graph, column), kMinTime, {}, {}});
  });
  const KernelGraph::Node node = first + static_cast<size_t>(column.field);
  if (column.field != Field::kCount) return node;
  return graph.Add(fmt::format("{} in {} bars", key, column.window), {node},
                   [&] { return MakeKernel(FoldCell<Sum>{FoldWindow<Sum>(column.window)}); });
}

int64_t LookBack(const FeatureSpec& spec) { return Parse(spec.text)->window + 1; }

// What was observed stays known, however long ago.
bool UnboundedMemory(const FeatureSpec&) { return true; }

}  // namespace

std::vector<Family> ObservationFamilies() {
  Family family;
  family.info = {.name = "observation",
                 .formula =
                     "the observations known at the row's time; docs/features.md has the "
                     "fields",
                 .unit = "as observed; age in days",
                 .range = "(-inf, inf)",
                 .look_back = "1 bar; count: n + 1 bars",
                 .smallest_window = 0,
                 .source = "the lake",
                 .reads_text = true};
  family.read_text = Read;
  family.check_text = Check;
  family.add_text = Add;
  family.look_back_of_text = LookBack;
  family.unbounded_memory_of_text = UnboundedMemory;
  return {family};
}

namespace {

void AddObserved(const FeatureSpec& spec,
                 std::vector<std::pair<std::string, std::string>>& observed) {
  if (spec.family == "observation") {
    const Column column = *Parse(spec.text);
    std::pair<std::string, std::string> name(column.feature, column.time_frame);
    if (std::find(observed.begin(), observed.end(), name) == observed.end()) {
      observed.push_back(std::move(name));
    }
  }
  for (const FeatureSpec& operand : spec.operand) AddObserved(operand, observed);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> ObservedBy(const FeatureSet& set) {
  std::vector<std::pair<std::string, std::string>> observed;
  for (const FeatureSpec& spec : set.specs()) AddObserved(spec, observed);
  return observed;
}

}  // namespace almanac
