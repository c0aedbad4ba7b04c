#include "almanac/cli/recipe_flags.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "almanac/base/error.h"

namespace almanac {
namespace fs = std::filesystem;
namespace {

std::vector<std::string> EnvironmentsIn(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

void AddRecipeFlags(CLI::App& command, RecipeFlags& flags, bool required) {
  command.add_option("RECIPE", flags.file, "The recipe, a YAML file")->required(required);
  command.add_option("--env", flags.environment,
                     "Lay environments/NAME.yaml beside the recipe over it");
  command
      .add_option("--set", flags.sets,
                  "Replace a value: KEY.SUBKEY=VALUE in YAML syntax (repeatable)")
      ->allow_extra_args(false);
}

ConfigOptions ToConfigOptions(const RecipeFlags& flags) {
  ConfigOptions options;
  options.sets = flags.sets;
  if (flags.environment.empty()) return options;
  const fs::path folder = flags.file.parent_path() / "environments";
  const fs::path overlay = folder / (flags.environment + ".yaml");
  if (!fs::is_regular_file(overlay)) {
    const std::vector<std::string> known = EnvironmentsIn(folder);
    const auto near = NearestWord(flags.environment, known);
    throw Error(ErrorCode::kUsage, "--env " + flags.environment, "there is no " + overlay.string(),
                near            ? "did you mean \"" + *near + "\"?"
                : known.empty() ? "the folder " + folder.string() + " holds no environments"
                                : fmt::format("there are {}", fmt::join(known, ", ")));
  }
  options.overlays.push_back(overlay);
  return options;
}

}  // namespace almanac
