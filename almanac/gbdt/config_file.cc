#include "almanac/gbdt/config_file.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/text.h"

namespace almanac::gbdt {
namespace {

std::pair<std::string, std::string> ParseAssignment(std::string_view text,
                                                    const std::string& place) {
  const size_t equals = text.find('=');
  const std::string_view key = Trim(text.substr(0, equals));
  if (equals == std::string_view::npos || key.empty()) {
    throw Error(ErrorCode::kUsage, place, fmt::format("\"{}\" is no setting", text),
                "write key = value");
  }
  std::string_view value = Trim(text.substr(equals + 1));
  if (value.size() >= 2 && value.front() == value.back() &&
      (value.front() == '"' || value.front() == '\'')) {
    value = value.substr(1, value.size() - 2);
  }
  return {std::string(key), std::string(value)};
}

std::string SettingText(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return value.dump();
  std::string text;
  for (const Json& item : value) text += (text.empty() ? "" : ",") + SettingText(item);
  return text;
}

}  // namespace

Settings ParseConfig(std::string_view text, const std::string& name) {
  Settings settings;
  size_t number = 0;
  for (std::string_view line : almanac::Split(text, '\n')) {
    ++number;
    line = Trim(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    settings.push_back(ParseAssignment(line, fmt::format("{}:{}", name, number)));
  }
  return settings;
}

Settings ReadConfig(const std::filesystem::path& file) {
  if (!std::filesystem::is_regular_file(file)) {
    throw Error(ErrorCode::kUsage, file.string(), "there is no such configuration file");
  }
  return ParseConfig(ReadFile(file), file.string());
}

Settings ParseAssignments(const std::vector<std::string>& words) {
  Settings settings;
  for (const std::string& word : words) settings.push_back(ParseAssignment(word, "command line"));
  return settings;
}

Settings SettingsFromJson(const Json& json) {
  Settings settings;
  for (const auto& [key, value] : json.items()) settings.emplace_back(key, SettingText(value));
  return settings;
}

}  // namespace almanac::gbdt
