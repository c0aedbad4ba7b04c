#include "almanac/base/json_file.h"

#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/file.h"

namespace almanac {

Json ReadJsonFile(const std::filesystem::path& file, const std::string& remedy) {
  const std::string text = ReadFile(file);
  try {
    return Json::parse(text);
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::kBadData, file.string(), error.what(), remedy);
  }
}

void WriteJsonFile(const std::filesystem::path& file, const Json& json) {
  WriteFileAtomic(file, json.dump(2) + "\n");
}

}  // namespace almanac
