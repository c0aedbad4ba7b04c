#include "almanac/base/home.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <string>

namespace almanac {
namespace {

namespace fs = std::filesystem;

class HomeTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const char* value = std::getenv("ALMANAC_HOME")) before_ = value;
    unsetenv("ALMANAC_HOME");
  }
  void TearDown() override {
    if (before_) {
      setenv("ALMANAC_HOME", before_->c_str(), 1);
    } else {
      unsetenv("ALMANAC_HOME");
    }
  }
  std::optional<std::string> before_;
};

TEST_F(HomeTest, TheFlagGoesBeforeTheVariableBeforeTheDefault) {
  EXPECT_EQ(ResolveHome("").root, fs::current_path() / ".almanac");
  setenv("ALMANAC_HOME", "/srv/almanac", 1);
  EXPECT_EQ(ResolveHome("").root, "/srv/almanac");
  EXPECT_EQ(ResolveHome("/mine").root, "/mine");
  setenv("ALMANAC_HOME", "", 1);
  EXPECT_EQ(ResolveHome("").root, fs::current_path() / ".almanac");
}

TEST_F(HomeTest, TheRootIsAbsoluteAndPlain) {
  EXPECT_EQ(ResolveHome("a/../b/./c").root, fs::current_path() / "b/c");
  EXPECT_EQ(ResolveHome("/h").lake(), "/h/lake");
  EXPECT_EQ(ResolveHome("/h").registry(), "/h/registry.sqlite");
  EXPECT_EQ(ResolveHome("/h").temporary(), "/h/tmp");
}

TEST_F(HomeTest, NothingIsMade) {
  const Home home = ResolveHome("no-such-folder-of-almanac");
  EXPECT_FALSE(fs::exists(home.root));
}

}  // namespace
}  // namespace almanac
