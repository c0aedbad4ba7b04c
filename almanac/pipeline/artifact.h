// Artifacts: the outputs of stages. An artifact is a folder named by the hash of what made it
// (inputs, configuration, code version); it appears whole, its manifest written last, and is never
// changed afterwards. docs/artifacts.md specifies the layout.
#ifndef ALMANAC_PIPELINE_ARTIFACT_H_
#define ALMANAC_PIPELINE_ARTIFACT_H_

#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "almanac/base/home.h"

namespace almanac {

// What determines an artifact's content, and therefore its name.
struct ArtifactKey {
  std::string stage;                                        // such as "features"
  std::vector<std::pair<std::string, std::string>> inputs;  // role, hash of content or artifact
  std::string configuration;                                // canonical JSON text
  std::string code_version;                                 // CodeVersionOf(...)

  std::string Hash() const;  // 64 hexadecimal digits
};

class ArtifactStore {
 public:
  explicit ArtifactStore(Home home) : home_(std::move(home)) {}

  // "<home>/artifacts/<stage>/<first 16 digits of the hash>".
  std::filesystem::path FolderOf(const ArtifactKey& key) const;
  // The same of the hash that a manifest names among its inputs.
  std::filesystem::path FolderOf(const std::string& stage, const std::string& hash) const;

  // Whether the artifact is there, by its manifest and the sizes of the files it lists. A folder
  // whose manifest contradicts its key or its files is not complete (and is replaced by Make).
  bool IsComplete(const ArtifactKey& key) const;

  // Makes the artifact unless it is complete: `write` fills an empty folder, then the manifest with
  // size and SHA-256 of every file is added and the folder appears in one step. Two processes that
  // want the same artifact do the work once. Returns the folder and whether it was made now.
  struct Made {
    std::filesystem::path folder;
    bool made_now = false;
  };
  Made Make(const ArtifactKey& key,
            const std::function<void(const std::filesystem::path& folder)>& write) const;

  // Of the files' bytes, whatever the program's version and the configuration that made them.
  // Throws Error(kBadData) if the artifact is not complete.
  std::string ContentHash(const ArtifactKey& key) const;

  void Remove(const ArtifactKey& key) const;

  // Reads every file again and compares its SHA-256 with the manifest; returns what disagrees, as
  // "file: reason" lines.
  static std::vector<std::string> Verify(const std::filesystem::path& folder);

 private:
  Home home_;
};

}  // namespace almanac

#endif  // ALMANAC_PIPELINE_ARTIFACT_H_
