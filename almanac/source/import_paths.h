// The files that a list of paths means.
#ifndef ALMANAC_SOURCE_IMPORT_PATHS_H_
#define ALMANAC_SOURCE_IMPORT_PATHS_H_

#include <filesystem>
#include <vector>

#include "almanac/source/import.h"

namespace almanac {

struct ImportPaths {
  std::vector<std::filesystem::path> files;
  std::vector<IgnoredPath> ignored;
};

// A file means itself, whatever its name. A folder means the .csv, .tsv and .json files below it
// (also .gz, .gzip, .zst, .zstd), sorted by path; the others, and hidden ones, come out as ignored.
// A file that is reached twice is read once. Throws Error(kUsage) for a path that does not exist,
// Error(kBadData) for a folder without data files.
ImportPaths ExpandImportPaths(const std::vector<std::filesystem::path>& paths);

}  // namespace almanac

#endif  // ALMANAC_SOURCE_IMPORT_PATHS_H_
