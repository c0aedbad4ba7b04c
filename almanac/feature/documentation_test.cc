// The pages have every family of the catalogue.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "almanac/base/file.h"
#include "almanac/base/places_for_test.h"
#include "almanac/feature/feature_set.h"

namespace almanac {
namespace {

TEST(Documentation, HasALineForEveryFamily) {
  std::string pages;
  for (const auto& entry : std::filesystem::directory_iterator(SourceFolder() / "docs")) {
    if (entry.path().filename().string().starts_with("features")) pages += ReadFile(entry.path());
  }
  for (const FamilyInfo& family : Catalogue()) {
    if (family.reads_text) continue;  // defined by what is written, in docs/expressions.md
    EXPECT_NE(pages.find("| `" + family.name + "` |"), std::string::npos) << family.name;
  }
}

}  // namespace
}  // namespace almanac
