#include "almanac/target/fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"

namespace almanac {
namespace {

size_t IndexOf(const std::string& name, const std::vector<std::string>& names) {
  return static_cast<size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

}  // namespace

void ConfigReader::Int(const char* key, int64_t* field, int64_t low, int64_t high) {
  *field = node_.Int(key, *field, Range<int64_t>::Between(low, high));
}

void ConfigReader::Double(const char* key, double* field, double low, double high) {
  *field = node_.Double(key, *field, Range<double>::Between(low, high));
}

void ConfigReader::Bool(const char* key, bool* field) { *field = node_.Bool(key, *field); }

void ConfigReader::Choice(const char* key, size_t* field, const std::vector<std::string>& names) {
  *field = IndexOf(node_.Choice(key, names, names.at(*field)), names);
}

void JsonReader::Int(const char* key, int64_t* field, int64_t /*low*/, int64_t /*high*/) {
  *field = json_.at(key).get<int64_t>();
}

void JsonReader::Double(const char* key, double* field, double /*low*/, double /*high*/) {
  *field = json_.at(key).get<double>();
}

void JsonReader::Bool(const char* key, bool* field) { *field = json_.at(key).get<bool>(); }

void JsonReader::Choice(const char* key, size_t* field, const std::vector<std::string>& names) {
  const auto name = json_.at(key).get<std::string>();
  *field = IndexOf(name, names);
  if (*field < names.size()) return;
  throw Error(ErrorCode::kBadData, "target", fmt::format("{} is \"{}\"", key, name),
              fmt::format("known are {}", fmt::join(names, ", ")));
}

void JsonWriter::Int(const char* key, int64_t* field, int64_t /*low*/, int64_t /*high*/) {
  json_[key] = *field;
}

void JsonWriter::Double(const char* key, double* field, double /*low*/, double /*high*/) {
  json_[key] = *field;
}

void JsonWriter::Bool(const char* key, bool* field) { json_[key] = *field; }

void JsonWriter::Choice(const char* key, size_t* field, const std::vector<std::string>& names) {
  json_[key] = names.at(*field);
}

void FieldChecker::Int(const char* key, int64_t* field, int64_t low, int64_t high) {
  if (*field >= low && *field <= high) return;
  throw Error(ErrorCode::kUsage, "target " + kind_, fmt::format("{} is {}", key, *field),
              fmt::format("it must be in {} to {}", low, high));
}

void FieldChecker::Double(const char* key, double* field, double low, double high) {
  if (*field >= low && *field <= high) return;
  throw Error(ErrorCode::kUsage, "target " + kind_, fmt::format("{} is {}", key, *field),
              fmt::format("it must be in {} to {}", low, high));
}

void FieldChecker::Choice(const char* key, size_t* field, const std::vector<std::string>& names) {
  if (*field < names.size()) return;
  throw Error(ErrorCode::kUsage, "target " + kind_, fmt::format("{} has no name", key),
              fmt::format("known are {}", fmt::join(names, ", ")));
}

}  // namespace almanac
