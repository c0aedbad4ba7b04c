#include "almanac/pipeline/run_names.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/test_folder.h"

namespace almanac {
namespace {

namespace fs = std::filesystem;

class RunNamesTest : public testing::Test {
 protected:
  // Runs added later were written later.
  void Add(const std::string& name, const std::string& recipe) {
    const fs::path record = home_.runs() / name / "run.json";
    fs::create_directories(record.parent_path());
    WriteFileAtomic(record, "{\"run\": \"" + name + "\", \"recipe\": \"" + recipe + "\"}");
    written_ += std::chrono::seconds(10);
    fs::last_write_time(record, written_);
  }
  std::string Found(const std::string& name) const {
    const auto run = FindRunByName(home_, name);
    return run ? run->folder.filename().string() : "";
  }

  TestFolder folder_;
  Home home_{folder_ / "home"};
  fs::file_time_type written_ = fs::file_time_type::clock::now() - std::chrono::hours(1);
};

TEST_F(RunNamesTest, TakesWholeNamesRecipesAndBeginnings) {
  EXPECT_EQ(Found("btc"), "");
  Add("btc-2222", "btc");
  Add("btc-1111", "btc");
  Add("eth-lstm-3333", "eth-lstm");
  EXPECT_EQ(RunNames(home_).size(), 3u);
  EXPECT_EQ(Found("btc-2222"), "btc-2222");
  EXPECT_EQ(FindRunByName(home_, "btc-2222")->note, "");
  // The latest of its recipe, and it says so.
  EXPECT_EQ(Found("btc"), "btc-1111");
  EXPECT_NE(FindRunByName(home_, "btc")->note.find("btc-1111, the latest of 2"), std::string::npos);
  EXPECT_EQ(Found("btc-2"), "btc-2222");
  EXPECT_EQ(Found("eth"), "eth-lstm-3333");
  EXPECT_EQ(Found("sol"), "");
  EXPECT_EQ(Found(""), "");
}

TEST_F(RunNamesTest, RefusesABeginningOfSeveralAndReadsPastDamage) {
  Add("btc-11", "one");
  Add("btc-12", "two");
  try {
    Found("btc-1");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_NE(std::string(error.what()).find("btc-11, btc-12"), std::string::npos) << error.what();
  }
  WriteFileAtomic(home_.runs() / "btc-11" / "run.json", "no JSON");
  EXPECT_EQ(Found("two"), "btc-12");
  EXPECT_EQ(Found("btc-11"), "btc-11");
}

}  // namespace
}  // namespace almanac
