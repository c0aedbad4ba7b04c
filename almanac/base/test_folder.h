// A folder of its own for one test, deleted at its end. For tests only.
#ifndef ALMANAC_BASE_TEST_FOLDER_H_
#define ALMANAC_BASE_TEST_FOLDER_H_

#include <stdlib.h>

#include <filesystem>
#include <string>

#include "almanac/base/error.h"

namespace almanac {

class TestFolder {
 public:
  TestFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "almanac-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
      throw Error(ErrorCode::kFailed, name, "no folder could be made for a test");
    }
    path_ = name;
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::filesystem::path& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace almanac

#endif  // ALMANAC_BASE_TEST_FOLDER_H_
