#include "almanac/lake/object_store.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "almanac/base/error.h"
#include "almanac/lake/lake_for_test.h"

namespace almanac {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ObjectStoreTest : public ::testing::Test {
 protected:
  std::vector<std::string> Keys(const std::string& prefix) const {
    std::vector<std::string> keys;
    for (const ObjectInfo& info : store_->List(prefix)) keys.push_back(info.key);
    return keys;
  }

  TemporaryHome home_;
  std::filesystem::path root_ = home_.home().root / "store";
  std::shared_ptr<ObjectStore> store_ = MakeLocalObjectStore(root_);
};

TEST_F(ObjectStoreTest, PutsGetsReplacesAndDeletes) {
  EXPECT_THAT(store_->List(""), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(root_)) << "nothing is made before the first Put";
  EXPECT_FALSE(store_->Exists("a/b"));
  EXPECT_THROW(store_->Get("a/b"), Error);
  store_->Put("a/b", "one");
  store_->Put("a/b", "other");
  EXPECT_EQ(store_->Get("a/b"), "other");
  EXPECT_EQ(store_->Size("a/b"), 5);
  EXPECT_EQ(store_->LocalPath("a/b"), root_ / "a/b");
  store_->Delete("a/b");
  store_->Delete("a/b");
  EXPECT_FALSE(store_->Exists("a/b"));
  EXPECT_EQ(store_->Pin("a/b"), nullptr);
  EXPECT_EQ(store_->Pin("a/b/c/d"), nullptr);
}

TEST_F(ObjectStoreTest, ListsByPrefixSortedAndWithoutWritesUnderWay) {
  for (const char* key : {"b/z", "b/a=1/x", "b/a=2/x", "b/a=1/y/z", "c", "ab"}) {
    store_->Put(key, key);
  }
  WriteFileAtomic(root_ / "b/half.77-0.tmp", "half");
  EXPECT_THAT(Keys(""), ElementsAre("ab", "b/a=1/x", "b/a=1/y/z", "b/a=2/x", "b/z", "c"));
  EXPECT_THAT(Keys("b/"), ElementsAre("b/a=1/x", "b/a=1/y/z", "b/a=2/x", "b/z"));
  EXPECT_THAT(Keys("b/a=1"), ElementsAre("b/a=1/x", "b/a=1/y/z"));
  EXPECT_THAT(Keys("b/a=1/y/"), ElementsAre("b/a=1/y/z"));
  EXPECT_THAT(Keys("nothing/here"), IsEmpty());
  EXPECT_EQ(store_->List("b/z")[0], (ObjectInfo{"b/z", 3}));
}

TEST_F(ObjectStoreTest, APinnedObjectStaysAsItWas) {
  store_->Put("a", "old");
  const auto pinned = store_->Pin("a");
  store_->Put("a", "new");
  EXPECT_EQ(ReadFile(pinned->path()), "old");
  store_->Delete("a");
  EXPECT_EQ(ReadFile(pinned->path()), "old");
}

TEST_F(ObjectStoreTest, PutFileUsesTheFileUp) {
  const auto file = home_.home().root / "local";
  WriteFileAtomic(file, "content");
  store_->PutFile("x/y", file);
  EXPECT_EQ(store_->Get("x/y"), "content");
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_THROW(store_->PutFile("x/y", file), Error);
}

TEST_F(ObjectStoreTest, MoveMayBeRepeated) {
  store_->Put("from", "new");
  store_->Put("deep/to", "old");
  store_->Move("from", "deep/to");
  EXPECT_EQ(store_->Get("deep/to"), "new");
  EXPECT_FALSE(store_->Exists("from"));
  store_->Move("from", "deep/to");
  EXPECT_EQ(store_->Get("deep/to"), "new");
  EXPECT_THROW(store_->Move("from", "nowhere"), Error);
}

TEST_F(ObjectStoreTest, SeveralAtOnceAsOneByOne) {
  std::vector<LocalFile> files;
  for (const char* name : {"a", "b", "c"}) {
    files.push_back({fmt::format("x={}/new", name), home_.home().root / name});
    WriteFileAtomic(files.back().file, name);
  }
  store_->PutFiles(files);
  EXPECT_THAT(Keys(""), ElementsAre("x=a/new", "x=b/new", "x=c/new"));
  store_->Put("x=b/old", "replaced");
  const std::vector<KeyChange> changes = {{"x=a/new", "y/a"}, {"x=b/new", "x=b/old"}};
  store_->MoveAll(changes);
  store_->MoveAll(changes);  // finished already
  EXPECT_THAT(Keys(""), ElementsAre("x=b/old", "x=c/new", "y/a"));
  EXPECT_EQ(store_->Get("x=b/old"), "b");
  EXPECT_THROW(store_->PutFiles(files), Error) << "they are used up";
  EXPECT_THROW(store_->MoveAll({{"x=c/new", "z"}, {"nothing", "w"}}), Error);
}

TEST_F(ObjectStoreTest, RefusesKeysThatLeaveTheStore) {
  for (const char* key : {"", "/a", "a/", "a//b", "../a", "a/../b", "a/.", "a.tmp"}) {
    try {
      store_->Put(key, "x");
      ADD_FAILURE() << key;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("is not an object's key")) << key;
    }
  }
}

}  // namespace
}  // namespace almanac
