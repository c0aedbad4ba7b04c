#include "almanac/base/config_tree.h"

#include <fmt/format.h>

#include <utility>

#include "almanac/base/text.h"

namespace almanac {

using Kind = ConfigTree::Kind;

std::string ConfigSpot::Describe(std::string_view path) const {
  std::string place = origin->name;
  if (line > 0) place += fmt::format(":{}", line);
  const bool said = path.empty() || (origin->is_set && path == origin->set_key);
  return said ? place : fmt::format("{} ({})", place, path);
}

ConfigEntry* ConfigTree::Find(std::string_view key) {
  for (ConfigEntry& entry : entries) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

std::string ConfigTree::Found() const {
  switch (kind) {
    case Kind::kNull:
      return "is empty";
    case Kind::kScalar:
      return "is " + QuoteForError(text);
    case Kind::kList:
      return "is a list";
    case Kind::kMap:
      return "is a mapping";
  }
  return "";
}

std::string QuoteForError(std::string_view text) {
  constexpr size_t kMostBytes = 60;
  std::string quoted = "\"";
  for (const char c : text.substr(0, kMostBytes)) {
    quoted += c == '\n' || c == '\r' || c == '\t' ? ' ' : c;
  }
  if (text.size() > kMostBytes) {
    // A character is not cut in two.
    size_t cut = kMostBytes;
    while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;
    quoted.resize(1 + cut);
    quoted += "...";
  }
  return quoted + "\"";
}

void MergeConfig(ConfigTree& base, ConfigTree overlay) {
  if (base.kind != Kind::kMap || overlay.kind != Kind::kMap) {
    base = std::move(overlay);
    return;
  }
  for (ConfigEntry& entry : overlay.entries) {
    ConfigEntry* known = base.Find(entry.key);
    if (known == nullptr) {
      base.entries.push_back(std::move(entry));
    } else {
      const bool both_maps = known->value.kind == Kind::kMap && entry.value.kind == Kind::kMap;
      if (!both_maps) known->spot = entry.spot;
      MergeConfig(known->value, std::move(entry.value));
    }
  }
}

void ApplyConfigSet(ConfigTree& root, std::string_view assignment) {
  const std::string name = fmt::format("--set {}", assignment);
  const auto refuse = [&](std::string what) {
    throw Error(ErrorCode::kUsage, name, std::move(what),
                "write it as --set KEY=VALUE, such as --set model.lambda=0.5");
  };
  const size_t equals = assignment.find('=');
  if (equals == std::string_view::npos) refuse("has no \"=\"");
  const std::string_view key = assignment.substr(0, equals);
  const std::vector<std::string_view> parts = Split(key, '.');
  for (const std::string_view part : parts) {
    if (part.empty() || Trim(part) != part) refuse("has an empty part or a space in its key");
  }
  const auto origin =
      std::make_shared<const ConfigOrigin>(ConfigOrigin{name, true, std::string(key)});
  ConfigTree* at = &root;
  ConfigEntry* entry = nullptr;
  std::string path;
  for (const std::string_view part : parts) {
    if (at->kind == Kind::kScalar || at->kind == Kind::kList) {
      refuse(fmt::format("sets a key below {}, which {} ({})", path, at->Found(),
                         at->spot.Describe("")));
    }
    if (at->kind == Kind::kNull) {
      at->kind = Kind::kMap;
      at->spot = {origin, 0};
    }
    path += (path.empty() ? "" : ".") + std::string(part);
    entry = at->Find(part);
    if (entry == nullptr) {
      at->entries.push_back({std::string(part), {origin, 0}, {}});
      entry = &at->entries.back();
      entry->value.spot = {origin, 0};
    }
    at = &entry->value;
  }
  entry->spot = {origin, 0};  // Split gives one part at least
  MergeConfig(*at, ParseConfigYaml(assignment.substr(equals + 1), origin));
}

}  // namespace almanac
