#include "almanac/pipeline/yaml_text.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "almanac/base/text.h"

namespace almanac {
namespace {

constexpr size_t kLongestLine = 90;

bool IsLeaf(const Json& node) { return !node.is_structured(); }

bool FitsOneLine(const Json& node) {
  return node.dump().size() <= kLongestLine && std::all_of(node.begin(), node.end(), IsLeaf);
}

// The emitter quotes what would not be a text of its own, but not what would be another type.
bool WouldReadOtherwise(const std::string& text) {
  return ParseInt64(text) || ParseDouble(text) || text == "true" || text == "false";
}

void Emit(YAML::Emitter& out, const Json& node, bool top) {
  if (node.is_object()) {
    if (!top && FitsOneLine(node)) out << YAML::Flow;
    out << YAML::BeginMap;
    for (const auto& [key, value] : node.items()) {
      out << YAML::Key << key << YAML::Value;
      // A mapping directly below the top stays in block style, whatever its size.
      Emit(out, value, top && value.is_object());
    }
    out << YAML::EndMap;
  } else if (node.is_array()) {
    if (FitsOneLine(node)) out << YAML::Flow;
    out << YAML::BeginSeq;
    for (const Json& value : node) Emit(out, value, false);
    out << YAML::EndSeq;
  } else if (node.is_string()) {
    const std::string text = node.get<std::string>();
    if (WouldReadOtherwise(text)) out << YAML::DoubleQuoted;
    out << text;
  } else if (node.is_null()) {
    out << YAML::Null;
  } else if (node.is_boolean()) {
    out << node.get<bool>();
  } else {
    out << node.dump();
  }
}

}  // namespace

std::string ToYamlText(const Json& document) {
  YAML::Emitter out;
  Emit(out, document, true);
  return std::string(out.c_str()) + "\n";
}

}  // namespace almanac
