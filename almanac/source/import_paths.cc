#include "almanac/source/import_paths.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <system_error>

#include "almanac/base/error.h"
#include "almanac/source/import_name.h"

namespace almanac {
namespace {

namespace fs = std::filesystem;

// Why a folder's entry is not read, or "".
const char* WhyIgnored(const fs::directory_entry& entry) {
  std::error_code error;
  if (entry.path().filename().string().starts_with('.')) return "hidden";
  if (entry.is_directory(error)) return entry.is_symlink(error) ? "a link to a folder" : "";
  if (!entry.is_regular_file(error)) return "not a file";
  const std::string extension = DataExtension(entry.path());
  // A .txt in a folder is rather a note than data; given by itself it is read.
  if (extension.empty() || extension == "txt") return "not a .csv, .tsv or .json file";
  return "";
}

void ExpandFolder(const fs::path& folder, ImportPaths& out) {
  std::vector<fs::path> files;
  std::vector<IgnoredPath> ignored;
  try {
    for (auto it = fs::recursive_directory_iterator(folder); it != fs::end(it); ++it) {
      const std::string reason = WhyIgnored(*it);
      if (!reason.empty()) {
        it.disable_recursion_pending();
        ignored.push_back({it->path().string(), reason});
      } else if (!it->is_directory()) {
        files.push_back(it->path());
      }
    }
  } catch (const fs::filesystem_error& error) {
    throw Error(ErrorCode::kFailed, error.path1().string(),
                "the folder cannot be read: " + error.code().message());
  }
  if (files.empty()) {
    throw Error(ErrorCode::kBadData, folder.string(),
                ignored.empty() ? std::string("the folder is empty")
                                : fmt::format("the folder has no .csv, .tsv or .json file, only {} "
                                              "other(s) such as {}",
                                              ignored.size(), ignored.front().path));
  }
  std::sort(files.begin(), files.end());
  std::sort(ignored.begin(), ignored.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  out.files.insert(out.files.end(), files.begin(), files.end());
  out.ignored.insert(out.ignored.end(), ignored.begin(), ignored.end());
}

}  // namespace

ImportPaths ExpandImportPaths(const std::vector<fs::path>& paths) {
  if (paths.empty()) {
    throw Error(ErrorCode::kUsage, "import", "no file was named", "name files or folders");
  }
  ImportPaths all;
  for (const fs::path& path : paths) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (!fs::exists(status)) {
      throw Error(ErrorCode::kUsage, path.string(), "there is no such file or folder");
    }
    if (fs::is_directory(status)) {
      ExpandFolder(path, all);
    } else {
      all.files.push_back(path);
    }
  }
  ImportPaths unique;
  unique.ignored = std::move(all.ignored);
  std::set<fs::path> seen;
  for (fs::path& file : all.files) {
    std::error_code error;
    if (seen.insert(fs::weakly_canonical(file, error)).second) {
      unique.files.push_back(std::move(file));
    } else {
      unique.ignored.push_back({file.string(), "named twice"});
    }
  }
  return unique;
}

}  // namespace almanac
