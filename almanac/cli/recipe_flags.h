// The flags of every command that takes a recipe.
#ifndef ALMANAC_CLI_RECIPE_FLAGS_H_
#define ALMANAC_CLI_RECIPE_FLAGS_H_

#include <filesystem>
#include <string>
#include <vector>

#include "almanac/base/config.h"

namespace CLI {
class App;
}

namespace almanac {

struct RecipeFlags {
  std::filesystem::path file;
  std::string environment;  // --env staging
  std::vector<std::string> sets;
};

void AddRecipeFlags(CLI::App& command, RecipeFlags& flags, bool required = true);

// `--env NAME` is the file environments/NAME.yaml beside the recipe; Error(kUsage) names the
// environments that there are.
ConfigOptions ToConfigOptions(const RecipeFlags& flags);

}  // namespace almanac

#endif  // ALMANAC_CLI_RECIPE_FLAGS_H_
