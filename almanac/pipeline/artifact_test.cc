#include "almanac/pipeline/artifact.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "almanac/base/error.h"
#include "almanac/base/error_for_test.h"
#include "almanac/base/file.h"
#include "almanac/base/hash.h"
#include "almanac/base/json.h"
#include "almanac/base/test_folder.h"

namespace almanac {
namespace fs = std::filesystem;
namespace {

ArtifactKey Key() {
  return {"train", {{"dataset", "aa"}, {"features", "bb"}}, R"({"n":1})", "c0de"};
}

void WriteTwoFiles(const fs::path& folder) {
  WriteFileAtomic(folder / "b.txt", "second");
  WriteFileAtomic(folder / "sub" / "a.txt", "first file");
}

class ArtifactTest : public testing::Test {
 protected:
  ArtifactStore Store() const { return ArtifactStore(Home{root_.path()}); }
  fs::path Make() const { return Store().Make(Key(), WriteTwoFiles).folder; }
  // Entries beside the artifact that only an unfinished write leaves.
  size_t Temporaries() const {
    size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(root_.path())) {
      count += entry.path().extension() == ".tmp" ? 1 : 0;
    }
    return count;
  }

  TestFolder root_;
};

// docs/artifacts.md: every field preceded by its length as eight little-endian bytes.
TEST_F(ArtifactTest, TheHashIsTheOneThatTheFormatSpecifies) {
  std::string bytes;
  const auto add = [&](const std::string& field) {
    for (int shift = 0; shift < 64; shift += 8) {
      bytes += static_cast<char>((field.size() >> shift) & 0xff);
    }
    bytes += field;
  };
  add("train");
  add("c0de");
  add(R"({"n":1})");
  add(std::string("\2\0\0\0\0\0\0\0", 8));
  for (const char* text : {"dataset", "aa", "features", "bb"}) add(text);
  EXPECT_EQ(Key().Hash(), Sha256(bytes));
  EXPECT_EQ(Store().FolderOf(Key()),
            root_.path() / "artifacts" / "train" / Sha256(bytes).substr(0, 16));
}

TEST_F(ArtifactTest, EveryPartOfTheKeyNamesAnotherArtifact) {
  std::vector<ArtifactKey> keys(6, Key());
  keys[1].stage = "evaluate";
  keys[2].configuration = R"({"n":2})";
  keys[3].code_version = "c0df";
  keys[4].inputs[0].second = "ab";
  // The same letters with the boundary elsewhere.
  keys[5].inputs = {{"dataseta", "a"}, {"features", "bb"}};
  for (size_t i = 0; i < keys.size(); ++i) {
    for (size_t j = 0; j < i; ++j) EXPECT_NE(keys[i].Hash(), keys[j].Hash()) << i << " " << j;
  }
}

TEST_F(ArtifactTest, IsMadeOnceAndListsItsFiles) {
  EXPECT_FALSE(Store().IsComplete(Key()));
  int calls = 0;
  const auto write = [&](const fs::path& folder) {
    ++calls;
    EXPECT_TRUE(fs::is_empty(folder));
    WriteTwoFiles(folder);
  };
  EXPECT_TRUE(Store().Make(Key(), write).made_now);
  EXPECT_TRUE(Store().IsComplete(Key()));
  const auto again = Store().Make(Key(), write);
  EXPECT_FALSE(again.made_now);
  EXPECT_EQ(calls, 1);

  const Json manifest = Json::parse(ReadFile(again.folder / "manifest.json"));
  EXPECT_EQ(manifest.at("format"), 1);
  EXPECT_EQ(manifest.at("stage"), "train");
  EXPECT_EQ(manifest.at("hash"), Key().Hash());
  EXPECT_EQ(manifest.at("code_version"), "c0de");
  EXPECT_EQ(manifest.at("inputs"), Json({{"dataset", "aa"}, {"features", "bb"}}));
  EXPECT_EQ(manifest.at("configuration"), Json({{"n", 1}}));
  const Json files = {{{"path", "b.txt"}, {"bytes", 6}, {"sha256", Sha256("second")}},
                      {{"path", "sub/a.txt"}, {"bytes", 10}, {"sha256", Sha256("first file")}}};
  EXPECT_EQ(manifest.at("files"), files);
  EXPECT_EQ(Temporaries(), 0u);
}

TEST_F(ArtifactTest, TheHashOfTheContentDependsOnTheFilesAlone) {
  Make();
  ArtifactKey newer = Key();
  newer.code_version = "newer";
  Store().Make(newer, WriteTwoFiles);
  EXPECT_EQ(Store().ContentHash(newer), Store().ContentHash(Key()));
  ArtifactKey other = Key();
  other.configuration = R"({"n":2})";
  const std::string message = MessageOf([&] { Store().ContentHash(other); });
  EXPECT_NE(message.find("not complete"), std::string::npos) << message;
  Store().Make(other, [](const fs::path& folder) { WriteFileAtomic(folder / "b.txt", "second"); });
  EXPECT_NE(Store().ContentHash(other), Store().ContentHash(Key()));
}

TEST_F(ArtifactTest, WhatFailsWhileItIsMadeLeavesNothing) {
  const auto fail = [](const fs::path& folder) {
    WriteTwoFiles(folder);
    throw Error(ErrorCode::kBadData, "here", "no");
  };
  EXPECT_THROW(Store().Make(Key(), fail), Error);
  EXPECT_FALSE(fs::exists(Store().FolderOf(Key())));
  EXPECT_EQ(Temporaries(), 0u);
  EXPECT_TRUE(Store().Make(Key(), WriteTwoFiles).made_now);
}

TEST_F(ArtifactTest, AFileOfAnotherSizeOrMissingMakesItIncompleteAndItIsMadeAgain) {
  const fs::path folder = Make();
  for (const bool remove : {false, true}) {
    const fs::path file = folder / "sub" / "a.txt";
    if (remove) {
      fs::remove(file);
    } else {
      fs::resize_file(file, 3);
    }
    EXPECT_FALSE(Store().IsComplete(Key()));
    EXPECT_TRUE(Store().Make(Key(), WriteTwoFiles).made_now);
    EXPECT_TRUE(Store().IsComplete(Key()));
    EXPECT_EQ(ReadFile(file), "first file");
    EXPECT_EQ(Temporaries(), 0u);
  }
}

TEST_F(ArtifactTest, AManifestOfAnotherKeyOrNoManifestMakesItIncomplete) {
  const fs::path manifest = Make() / "manifest.json";
  const std::string whole = ReadFile(manifest);
  Json other = Json::parse(whole);
  other["hash"] = std::string(64, '0');
  Json junk = Json::parse(whole);
  junk["files"] = Json::array({5});
  Json negative = Json::parse(whole);
  negative["files"][0]["bytes"] = -1;
  for (const std::string& text : {std::string(), whole.substr(0, whole.size() / 2), other.dump(),
                                  junk.dump(), negative.dump(), std::string("[]")}) {
    SCOPED_TRACE(text);
    WriteFileAtomic(manifest, text);
    EXPECT_FALSE(Store().IsComplete(Key()));
  }
  WriteFileAtomic(manifest, whole);
  EXPECT_TRUE(Store().IsComplete(Key()));
  fs::remove(manifest);
  EXPECT_FALSE(Store().IsComplete(Key()));
}

TEST_F(ArtifactTest, VerifyReadsEveryByte) {
  const fs::path folder = Make();
  EXPECT_TRUE(ArtifactStore::Verify(folder).empty());
  // Of the same size: IsComplete alone does not see it.
  std::ofstream(folder / "b.txt") << "sEcond";
  EXPECT_TRUE(Store().IsComplete(Key()));
  fs::remove(folder / "sub" / "a.txt");
  EXPECT_EQ(ArtifactStore::Verify(folder),
            (std::vector<std::string>{"b.txt: its content is not what was written",
                                      "sub/a.txt: is missing"}));
  fs::remove(folder / "manifest.json");
  EXPECT_EQ(ArtifactStore::Verify(folder).size(), 1u);
}

TEST_F(ArtifactTest, RemoveTakesItAwayAndIsHappyWithNothing) {
  Make();
  Store().Remove(Key());
  EXPECT_FALSE(fs::exists(Store().FolderOf(Key())));
  EXPECT_FALSE(Store().IsComplete(Key()));
  EXPECT_EQ(Temporaries(), 0u);
  Store().Remove(Key());
}

// Two processes that want one artifact at the same time: one makes it, the other waits and finds
// it. Each writer appends a byte to a common file.
TEST_F(ArtifactTest, TwoProcessesDoTheWorkOnce) {
  const fs::path log = root_ / "writers";
  std::vector<pid_t> children;
  for (int i = 0; i < 2; ++i) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      try {
        Store().Make(Key(), [&](const fs::path& folder) {
          std::ofstream(log, std::ios::app) << "x";
          std::this_thread::sleep_for(std::chrono::milliseconds(200));
          WriteTwoFiles(folder);
        });
        _exit(Store().IsComplete(Key()) ? 0 : 2);
      } catch (...) {
        _exit(1);
      }
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int state = 0;
    ASSERT_EQ(waitpid(child, &state, 0), child);
    EXPECT_TRUE(WIFEXITED(state));
    EXPECT_EQ(WEXITSTATUS(state), 0);
  }
  EXPECT_EQ(ReadFile(log), "x");
  EXPECT_TRUE(ArtifactStore::Verify(Store().FolderOf(Key())).empty());
  EXPECT_EQ(Temporaries(), 0u);
}

}  // namespace
}  // namespace almanac
