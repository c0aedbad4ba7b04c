// JSON documents as files.
#ifndef ALMANAC_BASE_JSON_FILE_H_
#define ALMANAC_BASE_JSON_FILE_H_

#include <filesystem>
#include <string>

#include "almanac/base/json.h"

namespace almanac {

// Error(kFailed) if the file cannot be read, Error(kBadData) with the file and `remedy` if it holds
// no JSON.
Json ReadJsonFile(const std::filesystem::path& file, const std::string& remedy);

// Indented by two, with a line end; the file is the old one or the new one (base/file.h).
void WriteJsonFile(const std::filesystem::path& file, const Json& json);

}  // namespace almanac

#endif  // ALMANAC_BASE_JSON_FILE_H_
