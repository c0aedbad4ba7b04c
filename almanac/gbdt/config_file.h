// Configuration files in LightGBM's form: a line "key = value" a setting, # begins a comment.
#ifndef ALMANAC_GBDT_CONFIG_FILE_H_
#define ALMANAC_GBDT_CONFIG_FILE_H_

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/base/json.h"
#include "almanac/gbdt/params.h"

namespace almanac::gbdt {

// Throws Error(kUsage) naming file and line for a line that is no setting.
Settings ParseConfig(std::string_view text, const std::string& name);
Settings ReadConfig(const std::filesystem::path& file);

// "key=value" as on a command line; Error(kUsage) for words of another form.
Settings ParseAssignments(const std::vector<std::string>& words);

// The members of an object, lists joined by commas: what a recipe says.
Settings SettingsFromJson(const Json& json);

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_CONFIG_FILE_H_
