#include "almanac/base/hash.h"

#include <gtest/gtest.h>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/test_folder.h"

namespace almanac {
namespace {

// FIPS 180-4 examples.
constexpr char kOfEmpty[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr char kOfAbc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr char kOfMillionA[] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

TEST(Sha256Test, MatchesPublishedValues) {
  EXPECT_EQ(Sha256(""), kOfEmpty);
  EXPECT_EQ(Sha256("abc"), kOfAbc);
  EXPECT_EQ(Sha256(std::string(1'000'000, 'a')), kOfMillionA);
}

TEST(Sha256Test, OfAFileIsThatOfItsContent) {
  const TestFolder folder;
  WriteFileAtomic(folder / "empty", "");
  EXPECT_EQ(Sha256OfFile(folder / "empty"), kOfEmpty);
  // More than one block of the reader, and not a multiple of it.
  std::string content(3'000'001, 'x');
  for (size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 31 % 251);
  WriteFileAtomic(folder / "large", content);
  EXPECT_EQ(Sha256OfFile(folder / "large"), Sha256(content));
}

TEST(Sha256Test, RefusesWhatCannotBeRead) {
  const TestFolder folder;
  EXPECT_THROW(Sha256OfFile(folder / "missing"), Error);
  EXPECT_THROW(Sha256OfFile(folder.path()), Error);
}

TEST(HasherTest, FieldsDoNotRunIntoEachOther) {
  EXPECT_NE(Hasher().Add("ab").Add("c").Finish(), Hasher().Add("a").Add("bc").Finish());
  EXPECT_NE(Hasher().Add("").Finish(), Hasher().Finish());
  EXPECT_NE(Hasher().Add(int64_t{1}).Add(int64_t{2}).Finish(),
            Hasher().Add(int64_t{2}).Add(int64_t{1}).Finish());
  EXPECT_EQ(Hasher().Add("ab").Add(int64_t{7}).Finish(),
            Hasher().Add("ab").Add(int64_t{7}).Finish());
}

TEST(HasherTest, TheDigestIsOfLengthAndBytes) {
  // Artifacts are named by it: a change of the scheme would orphan them all. python3:
  // hashlib.sha256(struct.pack("<Q3sQq", 3, b"abc", 8, -5)).hexdigest()
  const std::string digest = Hasher().Add("abc").Add(int64_t{-5}).Finish();
  EXPECT_EQ(digest, Sha256(std::string("\x03\0\0\0\0\0\0\0"
                                       "abc"
                                       "\x08\0\0\0\0\0\0\0"
                                       "\xfb\xff\xff\xff\xff\xff\xff\xff",
                                       27)));
  EXPECT_EQ(digest, "73b41eec1d42000d57ffd133e238d43321753f6f389cbfbe1324acba75157231");
}

}  // namespace
}  // namespace almanac
