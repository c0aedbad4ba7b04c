// The folder in which Almanac keeps everything of one user or project: data, artifacts, state.
#ifndef ALMANAC_BASE_HOME_H_
#define ALMANAC_BASE_HOME_H_

#include <filesystem>

namespace almanac {

// Paths only; nothing is made or opened.
struct Home {
  std::filesystem::path root;

  std::filesystem::path lake() const { return root / "lake"; }            // object store
  std::filesystem::path artifacts() const { return root / "artifacts"; }  // outputs of stages
  std::filesystem::path runs() const { return root / "runs"; }            // one folder a run
  std::filesystem::path registry() const { return root / "registry.sqlite"; }
  std::filesystem::path locks() const { return root / "locks"; }
  std::filesystem::path logs() const { return root / "logs"; }
  std::filesystem::path temporary() const { return root / "tmp"; }  // same file system as the rest
};

// --home, else $ALMANAC_HOME, else ".almanac"; absolute.
Home ResolveHome(const std::filesystem::path& flag);

}  // namespace almanac

#endif  // ALMANAC_BASE_HOME_H_
