// The pages have every family of the catalogue.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>

#include "almanac/base/file.h"
#include "almanac/feature/feature_set.h"

namespace almanac {
namespace {

TEST(Documentation, HasALineForEveryFamily) {
  std::string pages;
  for (const auto& entry : std::filesystem::directory_iterator(ALMANAC_SOURCE_DIR "/docs")) {
    if (entry.path().filename().string().starts_with("features")) pages += ReadFile(entry.path());
  }
  const std::set<std::string> groups = {"alpha",     "statistics", "structure",
                                        "technical", "temporal",   "volatility"};
  for (const FamilyInfo& family : Catalogue()) {
    if (!groups.contains(family.group)) continue;
    EXPECT_NE(pages.find("| `" + family.name + "` |"), std::string::npos) << family.name;
  }
}

}  // namespace
}  // namespace almanac
