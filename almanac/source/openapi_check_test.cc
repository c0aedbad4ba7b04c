#include "almanac/source/openapi_check.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "almanac/base/text.h"

namespace almanac {
namespace {

Json FromYaml(const YAML::Node& node) {
  if (node.IsMap()) {
    Json object = Json::object();
    for (const auto& pair : node) object[pair.first.as<std::string>()] = FromYaml(pair.second);
    return object;
  }
  if (node.IsSequence()) {
    Json list = Json::array();
    for (const auto& item : node) list.push_back(FromYaml(item));
    return list;
  }
  const std::string text = node.IsNull() ? "" : node.Scalar();
  if (node.Tag() != "!" && text == "true") return true;
  if (node.Tag() != "!" && text == "false") return false;
  if (const auto number = ParseInt64(text); number && node.Tag() != "!") return *number;
  return text;
}

// The lines from the one that is `head` on, up to the next that is indented no deeper.
std::string Block(const std::string& yaml, const std::string& head) {
  const size_t start = yaml.find("\n" + head + "\n");
  if (start == std::string::npos) return "";
  const size_t indent = head.find_first_not_of(' ');
  std::istringstream lines(yaml.substr(start + 1));
  std::string block, line;
  while (std::getline(lines, line)) {
    const size_t depth = line.find_first_not_of(' ');
    if (!block.empty() && depth != std::string::npos && depth <= indent) break;
    block += line + "\n";
  }
  return block;
}

bool MatchesType(const std::string& type, const std::string& value) {
  if (type == "integer") return ParseInt64(value).has_value();
  if (type == "number") return ParseDouble(value).has_value();
  if (type == "boolean") return value == "true" || value == "false";
  return true;
}

bool MatchesFormat(const std::string& format, const std::string& value) {
  static const std::regex date(R"(\d{4}-\d\d-\d\d)");
  static const std::regex date_time(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))");
  if (format == "date") return std::regex_match(value, date);
  if (format == "date-time") {
    return std::regex_match(value, date_time) || std::regex_match(value, date);
  }
  return true;
}

std::string Text(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

std::optional<ApiDescription> ApiDescription::Load(const std::string& file,
                                                   const std::string& yaml_path) {
  const std::string text = SharedData("api/" + file);
  if (text.empty()) return std::nullopt;
  if (yaml_path.empty()) return ApiDescription(Json::parse(text));
  const std::string part = "paths:\n" + Block(text, "  " + yaml_path + ":") + "components:\n" +
                           Block(text, "  parameters:");
  return ApiDescription(FromYaml(YAML::Load(part)));
}

ApiDescription::ApiDescription(const Json& document)
    : document_(std::make_shared<const Json>(document)) {}

const Json& ApiDescription::Resolve(const Json& node) const {
  const std::string target = node.is_object() ? Text(node, "$ref") : "";
  if (target.empty()) return node;
  return Resolve(document_->at(Json::json_pointer(target.substr(1))));
}

// Several templates can match ("{stocksTicker}", "{cryptoTicker}"): they are the same operation.
std::optional<std::string> ApiDescription::FindPath(const std::string& path) const {
  const std::vector<std::string_view> asked = Split(path, '/');
  std::optional<std::string> best;
  for (const auto& [pattern, unused] : document_->at("paths").items()) {
    const std::vector<std::string_view> parts = Split(pattern, '/');
    bool matches = parts.size() == asked.size();
    for (size_t i = 0; matches && i < parts.size(); ++i) {
      matches = parts[i] == asked[i] || (parts[i].substr(0, 1) == "{" && !asked[i].empty());
    }
    if (matches && pattern == path) return pattern;
    if (matches && (!best || pattern.find("{stocksTicker}") != std::string::npos)) best = pattern;
  }
  return best;
}

void ApiDescription::CheckValue(const std::string& name, const std::string& value,
                                const Json& given_schema,
                                std::vector<std::string>& problems) const {
  const Json& schema = Resolve(given_schema);
  const auto complain = [&](const std::string& what) {
    problems.push_back(fmt::format("{}={}: {}", name, value, what));
  };
  if (!MatchesType(Text(schema, "type"), value)) complain("is no " + Text(schema, "type"));
  if (!MatchesFormat(Text(schema, "format"), value)) complain("is no " + Text(schema, "format"));
  const std::string pattern = Text(schema, "pattern");
  if (!pattern.empty() && !std::regex_search(value, std::regex(pattern))) {
    complain("does not match " + pattern);
  }
  if (schema.contains("enum")) {
    bool found = false;
    for (const Json& allowed : schema["enum"]) {
      found = found || (allowed.is_string() ? allowed.get<std::string>() : allowed.dump()) == value;
    }
    if (!found) complain("is not one of " + schema["enum"].dump());
  }
  const double number = ParseDouble(value).value_or(0);
  if (schema.contains("minimum") && number < schema["minimum"].get<double>()) complain("too small");
  if (schema.contains("maximum") && number > schema["maximum"].get<double>()) complain("too large");
}

void ApiDescription::CheckKeys(const TestRequest& request, const Json& operation,
                               std::set<std::string>& known,
                               std::vector<std::string>& problems) const {
  const Json none = Json::array();
  const Json& security = operation.contains("security")
                             ? operation["security"]
                             : (document_->contains("security") ? (*document_)["security"] : none);
  for (const Json& requirement : security) {
    for (const auto& [scheme_name, unused] : requirement.items()) {
      const Json& scheme = document_->at("components").at("securitySchemes").at(scheme_name);
      const std::string name = Text(scheme, "name");
      if (Text(scheme, "in") == "query") {
        known.insert(name);
        if (request.Query(name).empty()) problems.push_back("the key " + name + " is missing");
      } else if (Text(scheme, "in") == "header" && !request.headers.contains(ToLower(name))) {
        problems.push_back("the header " + name + " is missing");
      }
    }
  }
}

std::vector<std::string> ApiDescription::Check(const TestRequest& request,
                                               const std::set<std::string>& also_known) const {
  const std::optional<std::string> path = FindPath(request.path);
  if (!path) return {"no such path: " + request.path};
  const Json& item = document_->at("paths").at(*path);
  if (!item.contains("get")) return {"no GET of " + *path};
  std::vector<std::string> problems;
  std::set<std::string> known = also_known;
  CheckKeys(request, item["get"], known, problems);

  Json parameters = item["get"].value("parameters", Json::array());
  for (const Json& shared : item.value("parameters", Json::array())) parameters.push_back(shared);
  const std::vector<std::string_view> pattern = Split(*path, '/'), asked = Split(request.path, '/');
  for (const Json& each : parameters) {
    const Json& parameter = Resolve(each);
    const std::string name = Text(parameter, "name"), in = Text(parameter, "in");
    if (in == "path") {
      for (size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i] != "{" + name + "}") continue;
        CheckValue(name, std::string(asked[i]), parameter.at("schema"), problems);
      }
    }
    if (in != "query") continue;
    known.insert(name);
    const size_t times = request.query.count(name);
    if (times == 0 && parameter.value("required", false)) problems.push_back(name + " is missing");
    if (times > 1) problems.push_back(name + " is given twice");
    if (times == 1) CheckValue(name, request.Query(name), parameter.at("schema"), problems);
  }
  for (const auto& [name, value] : request.query) {
    if (!known.contains(name)) problems.push_back(name + " is no parameter of " + *path);
  }
  return problems;
}

void ExpectAllowed(const std::optional<ApiDescription>& description,
                   const std::vector<TestRequest>& requests,
                   const std::set<std::string>& also_known) {
  if (!description) return;
  EXPECT_FALSE(requests.empty());
  for (const TestRequest& request : requests) {
    EXPECT_THAT(description->Check(request, also_known), testing::IsEmpty()) << request.path;
  }
}

namespace {

// The checker itself must be able to say no.
TEST(OpenApiCheck, FindsEveryKindOfMistake) {
  const ApiDescription api(Json::parse(R"({
    "security": [{"key": []}],
    "components": {
      "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}},
      "parameters": {"limit": {"name": "limit", "in": "query",
                               "schema": {"type": "integer", "minimum": 1, "maximum": 10}}}},
    "paths": {"/bars/{symbol}": {"get": {"parameters": [
      {"name": "symbol", "in": "path", "required": true,
       "schema": {"type": "string", "pattern": "^[A-Z]+$"}},
      {"name": "start", "in": "query", "required": true,
       "schema": {"type": "string", "format": "date-time"}},
      {"name": "sort", "in": "query", "schema": {"enum": ["asc", "desc"]}},
      {"$ref": "#/components/parameters/limit"}]}}}})"));
  TestRequest good;
  good.path = "/bars/ABC";
  good.query = {{"start", "2024-01-01T00:00:00Z"}, {"limit", "10"}, {"sort", "asc"}};
  good.headers = {{"x-key", "k"}};
  EXPECT_THAT(api.Check(good), testing::IsEmpty());

  const auto problems_after = [&](auto change) {
    TestRequest bad = good;
    change(bad);
    return api.Check(bad).size();
  };
  EXPECT_EQ(problems_after([](TestRequest& r) { r.path = "/bars"; }), 1u);
  EXPECT_EQ(problems_after([](TestRequest& r) { r.path = "/bars/abc"; }), 1u);
  EXPECT_EQ(problems_after([](TestRequest& r) { r.headers.clear(); }), 1u);
  EXPECT_EQ(problems_after([](TestRequest& r) { r.query.erase("start"); }), 1u);
  EXPECT_EQ(problems_after([](TestRequest& r) { r.query.emplace("sort", "asc"); }), 1u);
  EXPECT_EQ(problems_after([](TestRequest& r) { r.query.emplace("end", "x"); }), 1u);
  const auto replaced = [&](const char* name, const char* value) {
    return problems_after([&](TestRequest& r) {
      r.query.erase(name);
      r.query.emplace(name, value);
    });
  };
  EXPECT_EQ(replaced("start", "1704067200000"), 1u);
  EXPECT_EQ(replaced("sort", "up"), 1u);
  EXPECT_EQ(replaced("limit", "ten"), 2u);
  EXPECT_EQ(replaced("limit", "11"), 1u);
}

}  // namespace
}  // namespace almanac
