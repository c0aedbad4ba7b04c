#include "almanac/base/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "almanac/base/config_tree.h"
#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/text.h"

namespace almanac {
namespace fs = std::filesystem;

using Kind = ConfigTree::Kind;

struct ConfigNode::Impl {
  ConfigTree* tree;  // null: the mapping is missing
  ConfigSpot spot;   // of the mapping, or of the nearest one around it that is there
  std::string path;

  std::string PathOf(std::string_view key) const {
    if (key.empty() || path.empty()) return path + std::string(key);
    return fmt::format("{}.{}", path, key);
  }

  // Marks the key as known. Null if it is missing or empty.
  ConfigTree* Find(std::string_view key) const {
    if (tree == nullptr) return nullptr;
    if (std::find(tree->asked.begin(), tree->asked.end(), key) == tree->asked.end()) {
      tree->asked.emplace_back(key);
    }
    ConfigEntry* entry = tree->Find(key);
    return entry == nullptr || entry->value.kind == Kind::kNull ? nullptr : &entry->value;
  }

  ConfigTree& Require(std::string_view key, std::string_view needed) const {
    if (ConfigTree* found = Find(key)) return *found;
    const ConfigEntry* empty = tree == nullptr ? nullptr : tree->Find(key);
    throw Error(ErrorCode::kUsage, (empty == nullptr ? spot : empty->spot).Describe(PathOf(key)),
                empty == nullptr ? "is missing" : "is empty", fmt::format("{} is needed", needed));
  }
};

struct ConfigDocument::Impl {
  ConfigTree root;
};

namespace {

[[noreturn]] void Refuse(const ConfigTree& tree, std::string_view path, std::string_view needed) {
  throw Error(ErrorCode::kUsage, tree.spot.Describe(path), tree.Found(),
              fmt::format("{} is needed", needed));
}

// "a number at least 0"
template <typename T>
std::string Describe(const Range<T>& range, std::string_view noun) {
  const bool bounded_below = range.low != Range<T>().low || range.low_open;
  const bool bounded_above = range.high != Range<T>().high;
  const std::string_view above = range.low_open ? "above" : "at least";
  if (bounded_below && bounded_above) {
    return range.low_open ? fmt::format("{} above {} and at most {}", noun, range.low, range.high)
                          : fmt::format("{} from {} to {}", noun, range.low, range.high);
  }
  if (bounded_below) return fmt::format("{} {} {}", noun, above, range.low);
  if (bounded_above) return fmt::format("{} at most {}", noun, range.high);
  return std::string(noun);
}

std::string Needed(const Range<int64_t>& range, std::string_view text = "") {
  std::string noun = "a whole number";
  if (!text.empty() && !ParseInt64(text) && ParseDouble(text)) {
    const bool digits = text.find_first_not_of("+-0123456789") == std::string_view::npos;
    noun += digits ? " of 64 bits" : " in plain digits";
  }
  return Describe(range, noun);
}
std::string Needed(const Range<double>& range, std::string_view = "") {
  return Describe(range, "a number");
}

std::optional<int64_t> ParseNumber(const std::string& text, const Range<int64_t>&) {
  return ParseInt64(text);
}
std::optional<double> ParseNumber(const std::string& text, const Range<double>&) {
  return ParseDouble(text);
}

template <typename T>
T ReadNumber(const ConfigTree& tree, std::string_view path, const Range<T>& range) {
  if (tree.kind != Kind::kScalar) Refuse(tree, path, Needed(range));
  const std::optional<T> value = ParseNumber(tree.text, range);
  if (!value || *value > range.high || *value < range.low ||
      (range.low_open && *value == range.low)) {
    Refuse(tree, path, Needed(range, tree.text));
  }
  return *value;
}

constexpr std::string_view kTextNeeded = "a text";
constexpr std::string_view kBoolNeeded = "true or false";
constexpr std::string_view kTimeNeeded = "a time such as 2024-01-31, 2024-01-31T13:05:00Z or now";
constexpr std::string_view kDurationNeeded = "a duration such as 90s, 5m, 1h or 7d";
constexpr std::string_view kMapNeeded = "a mapping of keys";

std::string ReadText(const ConfigTree& tree, std::string_view path) {
  if (tree.kind != Kind::kScalar) Refuse(tree, path, kTextNeeded);
  return tree.text;
}

bool ReadBool(const ConfigTree& tree, std::string_view path) {
  if (tree.kind == Kind::kScalar && tree.text == "true") return true;
  if (tree.kind == Kind::kScalar && tree.text == "false") return false;
  Refuse(tree, path, kBoolNeeded);
}

TimeMs ReadTime(const ConfigTree& tree, std::string_view path) {
  if (tree.kind != Kind::kScalar) Refuse(tree, path, kTimeNeeded);
  if (tree.text == "now") return Now();
  const auto time = ParseTime(tree.text);
  if (!time) Refuse(tree, path, kTimeNeeded);
  return *time;
}

DurationMs ReadDuration(const ConfigTree& tree, std::string_view path) {
  if (tree.kind != Kind::kScalar) Refuse(tree, path, kDurationNeeded);
  const auto duration = ParseDuration(tree.text);
  if (!duration) Refuse(tree, path, kDurationNeeded);
  return *duration;
}

// The words that `word` and `other` have in common, "_" between words.
int CommonWords(std::string_view word, std::string_view other) {
  const std::vector<std::string_view> words = Split(other, '_');
  int common = 0;
  for (const std::string_view part : Split(word, '_')) {
    common += static_cast<int>(std::count(words.begin(), words.end(), part));
  }
  return common;
}

// Of so many that nobody would read them all, those with most words of `found` in them.
constexpr size_t kMostNamed = 40, kNamedOfMany = 8;

std::string SomeOf(std::vector<std::string> allowed, std::string_view found) {
  const size_t count = allowed.size();
  std::stable_sort(allowed.begin(), allowed.end(), [&](const auto& a, const auto& b) {
    return CommonWords(found, a) > CommonWords(found, b);
  });
  allowed.resize(kNamedOfMany);
  return fmt::format("one of {} names such as {}", count, fmt::join(allowed, ", "));
}

std::string ChoiceNeeded(const std::vector<std::string>& allowed, std::string_view found = {}) {
  if (allowed.size() == 1) return fmt::format("\"{}\"", allowed.front());
  if (allowed.size() > kMostNamed) return SomeOf(allowed, found);
  return fmt::format("one of {}", fmt::join(allowed, ", "));
}

std::string ReadChoice(const ConfigTree& tree, std::string_view path,
                       const std::vector<std::string>& allowed) {
  const std::string needed = ChoiceNeeded(allowed, tree.text);
  if (tree.kind != Kind::kScalar) Refuse(tree, path, needed);
  if (std::find(allowed.begin(), allowed.end(), tree.text) != allowed.end()) return tree.text;
  const auto near = NearestWord(tree.text, allowed);
  throw Error(ErrorCode::kUsage, tree.spot.Describe(path), tree.Found(),
              near ? fmt::format("did you mean \"{}\"? ({} is needed)", *near, needed)
                   : needed + " is needed");
}

// A list, or one scalar in place of a list of one.
template <typename T, typename ReadOne>
std::vector<T> ReadList(const ConfigTree& tree, const std::string& path, ReadOne read_one) {
  if (tree.kind != Kind::kList) return {read_one(tree, path)};
  std::vector<T> values;
  for (size_t i = 0; i < tree.items.size(); ++i) {
    values.push_back(read_one(tree.items[i], fmt::format("{}[{}]", path, i)));
  }
  return values;
}

Json ScalarToJson(const ConfigTree& tree) {
  if (tree.quoted) return tree.text;
  if (tree.text == "true") return true;
  if (tree.text == "false") return false;
  if (const auto whole = ParseInt64(tree.text)) return *whole;
  if (const auto number = ParseDouble(tree.text)) return *number;
  return tree.text;
}

Json TreeToJson(const ConfigTree& tree) {
  switch (tree.kind) {
    case Kind::kNull:
      return nullptr;
    case Kind::kScalar:
      return ScalarToJson(tree);
    case Kind::kList: {
      Json list = Json::array();
      for (const ConfigTree& item : tree.items) list.push_back(TreeToJson(item));
      return list;
    }
    case Kind::kMap:
      break;
  }
  Json object = Json::object();
  for (const ConfigEntry& entry : tree.entries) object[entry.key] = TreeToJson(entry.value);
  return object;
}

[[noreturn]] void RefuseKey(const ConfigEntry& entry, const std::string& path,
                            const std::vector<std::string>& known) {
  const auto near = NearestWord(entry.key, known);
  std::string remedy = "no key is known here";
  if (!known.empty()) remedy = "known here: " + Join(known, ", ");
  if (near) remedy = fmt::format("did you mean \"{}\"? ({})", *near, remedy);
  throw Error(ErrorCode::kUsage, entry.spot.Describe(path), "is not a known key", remedy);
}

void RefuseUnknown(const ConfigTree& tree, const std::string& path) {
  if (tree.all_known) return;
  for (size_t i = 0; i < tree.items.size(); ++i) {
    RefuseUnknown(tree.items[i], fmt::format("{}[{}]", path, i));
  }
  for (const ConfigEntry& entry : tree.entries) {
    const std::string below = path.empty() ? entry.key : fmt::format("{}.{}", path, entry.key);
    if (std::find(tree.asked.begin(), tree.asked.end(), entry.key) == tree.asked.end()) {
      RefuseKey(entry, below, tree.asked);
    }
    RefuseUnknown(entry.value, below);
  }
}

// The root of one file: a mapping; an empty file is an empty one.
ConfigTree ParseRoot(std::string_view yaml, std::string_view name) {
  const auto origin =
      std::make_shared<const ConfigOrigin>(ConfigOrigin{std::string(name), false, ""});
  ConfigTree root = ParseConfigYaml(yaml, origin);
  if (root.kind != Kind::kMap && root.kind != Kind::kNull) {
    // What stands there is not repeated: it may be a secret in a file of the wrong format.
    throw Error(ErrorCode::kUsage, root.spot.Describe(""),
                root.kind == Kind::kList ? "is a list" : "is a text",
                "a mapping is needed: lines of \"key: value\"");
  }
  root.kind = Kind::kMap;
  root.spot.line = 0;
  return root;
}

std::string ReadConfigFile(const fs::path& file) {
  constexpr uintmax_t kMaxBytes = uintmax_t{16} << 20;
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  if (!fs::exists(status)) {
    std::vector<std::string> names;
    const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
    for (fs::directory_iterator it(folder, error); !error && it != fs::directory_iterator();
         it.increment(error)) {
      names.push_back(it->path().filename().string());
    }
    std::sort(names.begin(), names.end());
    const auto near = NearestWord(file.filename().string(), names);
    throw Error(ErrorCode::kUsage, file.string(), "there is no such file",
                near ? fmt::format("did you mean \"{}\"?", *near) : "");
  }
  if (fs::is_directory(status)) {
    throw Error(ErrorCode::kUsage, file.string(), "is a folder", "a YAML file is needed");
  }
  if (fs::is_regular_file(status) && fs::file_size(file, error) > kMaxBytes) {
    throw Error(ErrorCode::kUsage, file.string(), "is larger than 16 MiB",
                "a YAML file of configuration is needed");
  }
  return ReadFile(file);
}

}  // namespace

bool ConfigNode::Has(std::string_view key) const { return impl_->Find(key) != nullptr; }

std::string ConfigNode::String(std::string_view key) const {
  return ReadText(impl_->Require(key, kTextNeeded), impl_->PathOf(key));
}

std::string ConfigNode::String(std::string_view key, std::string_view otherwise) const {
  const ConfigTree* tree = impl_->Find(key);
  return tree != nullptr ? ReadText(*tree, impl_->PathOf(key)) : std::string(otherwise);
}

std::string ConfigNode::Choice(std::string_view key,
                               const std::vector<std::string>& allowed) const {
  return ReadChoice(impl_->Require(key, ChoiceNeeded(allowed)), impl_->PathOf(key), allowed);
}

std::string ConfigNode::Choice(std::string_view key, const std::vector<std::string>& allowed,
                               std::string_view otherwise) const {
  const ConfigTree* tree = impl_->Find(key);
  return tree != nullptr ? ReadChoice(*tree, impl_->PathOf(key), allowed) : std::string(otherwise);
}

int64_t ConfigNode::Int(std::string_view key, Range<int64_t> range) const {
  return ReadNumber(impl_->Require(key, Needed(range)), impl_->PathOf(key), range);
}

int64_t ConfigNode::Int(std::string_view key, int64_t otherwise, Range<int64_t> range) const {
  const ConfigTree* tree = impl_->Find(key);
  return tree != nullptr ? ReadNumber(*tree, impl_->PathOf(key), range) : otherwise;
}

double ConfigNode::Double(std::string_view key, Range<double> range) const {
  return ReadNumber(impl_->Require(key, Needed(range)), impl_->PathOf(key), range);
}

double ConfigNode::Double(std::string_view key, double otherwise, Range<double> range) const {
  const ConfigTree* tree = impl_->Find(key);
  return tree != nullptr ? ReadNumber(*tree, impl_->PathOf(key), range) : otherwise;
}

bool ConfigNode::Bool(std::string_view key) const {
  return ReadBool(impl_->Require(key, kBoolNeeded), impl_->PathOf(key));
}

bool ConfigNode::Bool(std::string_view key, bool otherwise) const {
  const ConfigTree* tree = impl_->Find(key);
  return tree != nullptr ? ReadBool(*tree, impl_->PathOf(key)) : otherwise;
}

TimeMs ConfigNode::Time(std::string_view key) const {
  return ReadTime(impl_->Require(key, kTimeNeeded), impl_->PathOf(key));
}

TimeMs ConfigNode::Time(std::string_view key, TimeMs otherwise) const {
  const ConfigTree* tree = impl_->Find(key);
  return tree != nullptr ? ReadTime(*tree, impl_->PathOf(key)) : otherwise;
}

DurationMs ConfigNode::Duration(std::string_view key) const {
  return ReadDuration(impl_->Require(key, kDurationNeeded), impl_->PathOf(key));
}

DurationMs ConfigNode::Duration(std::string_view key, DurationMs otherwise) const {
  const ConfigTree* tree = impl_->Find(key);
  return tree != nullptr ? ReadDuration(*tree, impl_->PathOf(key)) : otherwise;
}

std::vector<std::string> ConfigNode::Strings(std::string_view key) const {
  return ReadList<std::string>(impl_->Require(key, "a list of texts"), impl_->PathOf(key),
                               ReadText);
}

std::vector<std::string> ConfigNode::Strings(std::string_view key,
                                             const std::vector<std::string>& otherwise) const {
  const ConfigTree* tree = impl_->Find(key);
  return tree != nullptr ? ReadList<std::string>(*tree, impl_->PathOf(key), ReadText) : otherwise;
}

std::vector<int64_t> ConfigNode::Ints(std::string_view key, const std::vector<int64_t>& otherwise,
                                      Range<int64_t> range) const {
  const ConfigTree* tree = impl_->Find(key);
  if (tree == nullptr) return otherwise;
  return ReadList<int64_t>(
      *tree, impl_->PathOf(key),
      [&](const ConfigTree& item, std::string_view path) { return ReadNumber(item, path, range); });
}

std::vector<double> ConfigNode::Doubles(std::string_view key, const std::vector<double>& otherwise,
                                        Range<double> range) const {
  const ConfigTree* tree = impl_->Find(key);
  if (tree == nullptr) return otherwise;
  return ReadList<double>(
      *tree, impl_->PathOf(key),
      [&](const ConfigTree& item, std::string_view path) { return ReadNumber(item, path, range); });
}

ConfigNode ConfigNode::Map(std::string_view key) const {
  impl_->Require(key, kMapNeeded);
  return OptionalMap(key);
}

ConfigNode ConfigNode::OptionalMap(std::string_view key) const {
  ConfigTree* tree = impl_->Find(key);
  if (tree != nullptr && tree->kind != Kind::kMap) Refuse(*tree, impl_->PathOf(key), kMapNeeded);
  return ConfigNode(std::make_shared<Impl>(
      Impl{tree, tree != nullptr ? tree->spot : impl_->spot, impl_->PathOf(key)}));
}

std::vector<ConfigNode> ConfigNode::Maps(std::string_view key) const {
  ConfigTree* tree = impl_->Find(key);
  std::vector<ConfigNode> nodes;
  if (tree == nullptr) return nodes;
  if (tree->kind != Kind::kList) Refuse(*tree, impl_->PathOf(key), "a list of mappings");
  for (size_t i = 0; i < tree->items.size(); ++i) {
    ConfigTree& item = tree->items[i];
    const std::string path = fmt::format("{}[{}]", impl_->PathOf(key), i);
    if (item.kind != Kind::kMap) Refuse(item, path, kMapNeeded);
    nodes.emplace_back(std::make_shared<Impl>(Impl{&item, item.spot, path}));
  }
  return nodes;
}

std::vector<std::string> ConfigNode::Keys() const {
  std::vector<std::string> keys;
  if (impl_->tree == nullptr) return keys;
  for (const ConfigEntry& entry : impl_->tree->entries) keys.push_back(entry.key);
  return keys;
}

Json ConfigNode::ToJson() const {
  if (impl_->tree == nullptr) return Json::object();
  impl_->tree->all_known = true;
  return TreeToJson(*impl_->tree);
}

std::string ConfigNode::Place(std::string_view key) const {
  if (impl_->tree == nullptr || key.empty()) return impl_->spot.Describe(impl_->PathOf(key));
  const ConfigEntry* entry = impl_->tree->Find(key);
  return (entry == nullptr ? impl_->spot : entry->value.spot).Describe(impl_->PathOf(key));
}

ConfigDocument ConfigDocument::Load(const fs::path& file, const ConfigOptions& options) {
  return Parse(ReadConfigFile(file), file.string(), options);
}

ConfigDocument ConfigDocument::Parse(std::string_view yaml, std::string_view name,
                                     const ConfigOptions& options) {
  auto impl = std::make_unique<Impl>();
  impl->root = ParseRoot(yaml, name);
  for (const fs::path& overlay : options.overlays) {
    MergeConfig(impl->root, ParseRoot(ReadConfigFile(overlay), overlay.string()));
  }
  for (const std::string& set : options.sets) ApplyConfigSet(impl->root, set);
  return ConfigDocument(std::move(impl));
}

ConfigDocument::ConfigDocument(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ConfigDocument::ConfigDocument(ConfigDocument&&) noexcept = default;
ConfigDocument& ConfigDocument::operator=(ConfigDocument&&) noexcept = default;
ConfigDocument::~ConfigDocument() = default;

ConfigNode ConfigDocument::root() const {
  return ConfigNode(
      std::make_shared<ConfigNode::Impl>(ConfigNode::Impl{&impl_->root, impl_->root.spot, ""}));
}

void ConfigDocument::RefuseUnknownKeys() const { RefuseUnknown(impl_->root, ""); }

Json ConfigDocument::ToJson() const { return TreeToJson(impl_->root); }

std::optional<std::string> NearestWord(std::string_view word,
                                       const std::vector<std::string>& candidates) {
  // Optimal string alignment: insert, delete, replace, exchange two neighbours; each costs one.
  const auto distance = [&](std::string_view other) {
    std::vector<std::vector<size_t>> cost(word.size() + 1, std::vector<size_t>(other.size() + 1));
    for (size_t i = 0; i <= word.size(); ++i) {
      for (size_t j = 0; j <= other.size(); ++j) {
        if (i == 0 || j == 0) {
          cost[i][j] = i + j;
          continue;
        }
        const size_t replace = cost[i - 1][j - 1] + (word[i - 1] != other[j - 1]);
        cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, replace});
        if (i > 1 && j > 1 && word[i - 1] == other[j - 2] && word[i - 2] == other[j - 1]) {
          cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
        }
      }
    }
    return cost.back().back();
  };
  constexpr size_t kLongestWord = 200;
  if (word.size() > kLongestWord) return std::nullopt;
  std::optional<std::string> best;
  size_t limit = word.size() / 3 + 1;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > 2 * kLongestWord) continue;
    const size_t d = distance(candidate);
    if (d >= limit) continue;
    limit = d;
    best = candidate;
  }
  return best;
}

}  // namespace almanac
