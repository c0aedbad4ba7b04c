// Runs that somebody names: by their whole name, by the recipe's, by a beginning.
#ifndef ALMANAC_PIPELINE_RUN_NAMES_H_
#define ALMANAC_PIPELINE_RUN_NAMES_H_

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/base/home.h"

namespace almanac {

// Folders below Home::runs() that hold a run, in order of their names.
std::vector<std::string> RunNames(const Home& home);

struct NamedRun {
  std::filesystem::path folder;
  std::string note;  // which run was taken, and why; empty where the name said it
};

// The run of that name; else the one of that recipe whose report was written last; else the only
// one whose name begins with `name`. None: nothing of that name. Throws Error(kUsage) naming the
// candidates where several runs begin so.
std::optional<NamedRun> FindRunByName(const Home& home, std::string_view name);

}  // namespace almanac

#endif  // ALMANAC_PIPELINE_RUN_NAMES_H_
