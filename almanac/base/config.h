// Typed reading of YAML configuration. Every mistake is an Error(kUsage) that names file and line,
// the key's full path, what was found and what is allowed; a key that nobody asked for is refused
// with the nearest known key suggested.
//
//   ConfigDocument document = ConfigDocument::Load("recipes/first-run.yaml", options);
//   ConfigNode root = document.root();
//   ConfigNode model = root.Map("model");
//   double lambda = model.Double("lambda", 1.0, Range<double>::AtLeast(0.0));
//   std::string kind = model.Choice("kind", {"naive", "drift", "ridge"});
//   document.RefuseUnknownKeys();   // after everything was read: keys nobody read are errors
#ifndef ALMANAC_BASE_CONFIG_H_
#define ALMANAC_BASE_CONFIG_H_

#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/base/json.h"
#include "almanac/base/time.h"

namespace almanac {

template <typename T>
struct Range {  // closed
  T low = std::numeric_limits<T>::lowest();
  T high = std::numeric_limits<T>::max();
  bool low_open = false;  // true: (low, high]
  static Range Any() { return {}; }
  static Range AtLeast(T value) { return {value, std::numeric_limits<T>::max(), false}; }
  static Range Above(T value) { return {value, std::numeric_limits<T>::max(), true}; }
  static Range Between(T first, T last) { return {first, last, false}; }
};

class ConfigDocument;

// One mapping of the document (or a missing one, where every key takes its default). Reading a key
// marks it as known. A getter without a default throws if the key is missing. A cheap handle into
// its document, which must outlive it.
class ConfigNode {
 public:
  bool Has(std::string_view key) const;

  std::string String(std::string_view key) const;
  std::string String(std::string_view key, std::string_view otherwise) const;
  std::string Choice(std::string_view key, const std::vector<std::string>& allowed) const;
  std::string Choice(std::string_view key, const std::vector<std::string>& allowed,
                     std::string_view otherwise) const;
  int64_t Int(std::string_view key, Range<int64_t> range = {}) const;
  int64_t Int(std::string_view key, int64_t otherwise, Range<int64_t> range) const;
  double Double(std::string_view key, Range<double> range = {}) const;
  double Double(std::string_view key, double otherwise, Range<double> range) const;
  bool Bool(std::string_view key) const;
  bool Bool(std::string_view key, bool otherwise) const;
  TimeMs Time(std::string_view key) const;  // ISO 8601, or "now"
  TimeMs Time(std::string_view key, TimeMs otherwise) const;
  DurationMs Duration(std::string_view key) const;  // "90s", "5m"
  DurationMs Duration(std::string_view key, DurationMs otherwise) const;
  std::vector<std::string> Strings(std::string_view key) const;  // a list, or one scalar
  std::vector<std::string> Strings(std::string_view key,
                                   const std::vector<std::string>& otherwise) const;
  std::vector<int64_t> Ints(std::string_view key, const std::vector<int64_t>& otherwise,
                            Range<int64_t> range) const;
  std::vector<double> Doubles(std::string_view key, const std::vector<double>& otherwise,
                              Range<double> range) const;
  // A nested mapping; Map throws if missing, OptionalMap gives an empty node.
  ConfigNode Map(std::string_view key) const;
  ConfigNode OptionalMap(std::string_view key) const;
  // A list of mappings (missing: empty).
  std::vector<ConfigNode> Maps(std::string_view key) const;
  // The keys present, in file order (does not mark them as known).
  std::vector<std::string> Keys() const;
  // Everything below as JSON, all keys marked as known: for parts that another room interprets.
  Json ToJson() const;

  // "recipes/first-run.yaml:12 (model.lambda)": for errors that the caller finds itself.
  std::string Place(std::string_view key = "") const;

  struct Impl;
  explicit ConfigNode(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<Impl> impl_;
};

struct ConfigOptions {
  // Files laid over the first, later ones winning: mappings merge key by key, scalars and lists
  // are replaced. Their keys must exist in the schema like those of the first file.
  std::vector<std::filesystem::path> overlays;
  // "a.b.c=value" (value in YAML syntax), applied last. The place of such a key in an error is
  // "--set a.b.c=value".
  std::vector<std::string> sets;
};

class ConfigDocument {
 public:
  static ConfigDocument Load(const std::filesystem::path& file, const ConfigOptions& options = {});
  static ConfigDocument Parse(std::string_view yaml, std::string_view name,
                              const ConfigOptions& options = {});
  ConfigDocument(ConfigDocument&&) noexcept;
  ConfigDocument& operator=(ConfigDocument&&) noexcept;
  ~ConfigDocument();

  ConfigNode root() const;
  // Throws for the first key that nothing read, with the nearest known key of its mapping.
  void RefuseUnknownKeys() const;
  // The merged document, keys in order: what a manifest records.
  Json ToJson() const;

 private:
  struct Impl;
  explicit ConfigDocument(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The candidate nearest to `word` by edit distance (transpositions count one), if it is near enough
// to be a slip: at most a third of the word's length.
std::optional<std::string> NearestWord(std::string_view word,
                                       const std::vector<std::string>& candidates);

}  // namespace almanac

#endif  // ALMANAC_BASE_CONFIG_H_
