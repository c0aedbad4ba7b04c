// The tree behind ConfigDocument: YAML as read, each node and key with the place it came from.
// Inside base only; other rooms read configuration through config.h.
#ifndef ALMANAC_BASE_CONFIG_TREE_H_
#define ALMANAC_BASE_CONFIG_TREE_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/base/error.h"

namespace almanac {

// What a node was read from: a file (or the name given to a text), or a --set argument.
struct ConfigOrigin {
  std::string name;     // "recipes/first-run.yaml" or "--set model.lambda=1"
  bool is_set = false;  // a --set argument has no line numbers
  std::string set_key;  // its key, such as "model.lambda"
};

struct ConfigSpot {
  std::shared_ptr<const ConfigOrigin> origin;
  int line = 0;  // from 1; 0: the origin as a whole

  // "recipes/first-run.yaml:12 (model.lambda)"; `path` may be empty.
  std::string Describe(std::string_view path) const;
};

struct ConfigEntry;

struct ConfigTree {
  enum class Kind { kNull, kScalar, kList, kMap };

  Kind kind = Kind::kNull;
  ConfigSpot spot;
  std::string text;     // of a scalar
  bool quoted = false;  // a scalar that is text whatever it looks like
  std::vector<ConfigTree> items;
  std::vector<ConfigEntry> entries;  // of a mapping, in file order

  // The keys that somebody asked for, in the order of asking; all_known: whatever is below, is
  // known.
  std::vector<std::string> asked;
  bool all_known = false;

  ConfigEntry* Find(std::string_view key);
  // "is a list", "is \"abc\"": for errors.
  std::string Found() const;
};

struct ConfigEntry {
  std::string key;
  ConfigSpot spot;  // of the key
  ConfigTree value;
};

// One YAML document. Empty text gives kNull. Aliases are expanded in place. Error(kUsage) for
// malformed YAML, a second document, duplicate keys, an alias inside its own anchor, keys that are
// not text, YAML tags, merge keys, control characters, bytes that are not UTF-8, and documents of
// more than 100,000 nodes.
ConfigTree ParseConfigYaml(std::string_view yaml,
                           const std::shared_ptr<const ConfigOrigin>& origin);

// Lays `overlay` over `base`: mappings merge key by key, everything else is replaced.
void MergeConfig(ConfigTree& base, ConfigTree overlay);

// Applies one "a.b.c=value".
void ApplyConfigSet(ConfigTree& root, std::string_view assignment);

// `text` in double quotes on one line, shortened if long: for errors.
std::string QuoteForError(std::string_view text);

}  // namespace almanac

#endif  // ALMANAC_BASE_CONFIG_TREE_H_
