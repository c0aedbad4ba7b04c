#include "almanac/source/input_file.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "almanac/base/error.h"
#include "almanac/base/random.h"
#include "almanac/source/test_files.h"

namespace almanac {
namespace {

using test::Gzip;
using test::TemporaryFolder;
using test::Zstd;

std::string ReadAll(const std::filesystem::path& path, size_t step) {
  InputFile file(path);
  std::string all;
  std::vector<char> block(step);
  while (true) {
    const size_t count = file.Read(block.data(), step);
    all.append(block.data(), count);
    if (count == 0) return all;
  }
}

// Long enough for several packed blocks, and not easily packed.
std::string LongText() {
  Random random(3);
  std::string text;
  while (text.size() < 3'000'000) text += std::to_string(random.Next()) + "\n";
  return text;
}

TEST(InputFile, UnpacksByContentWhateverTheName) {
  const TemporaryFolder folder;
  const std::string text = LongText();
  EXPECT_EQ(ReadAll(folder.Write("a.csv.zst", text), 1 << 20), text);
  EXPECT_EQ(ReadAll(folder.Write("b.csv", Gzip(text)), 1 << 20), text);
  EXPECT_EQ(ReadAll(folder.Write("c", Zstd(text)), 1 << 20), text);
  EXPECT_EQ(ReadAll(folder.Write("d", ""), 100), "");
  EXPECT_EQ(ReadAll(folder.Write("e", Gzip("")), 100), "");
  EXPECT_EQ(ReadAll(folder.Write("f", Zstd("")), 100), "");
}

TEST(InputFile, ReadsInStepsOfAnySize) {
  const TemporaryFolder folder;
  const std::string text = LongText().substr(0, 50'000);
  for (const size_t step : {1, 7, 4096, 49'999, 50'000, 50'001}) {
    EXPECT_EQ(ReadAll(folder.Write("p", text), step), text);
    EXPECT_EQ(ReadAll(folder.Write("g", Gzip(text)), step), text);
    EXPECT_EQ(ReadAll(folder.Write("z", Zstd(text)), step), text);
  }
}

// A highly packed file: much content comes out of the last few packed bytes.
TEST(InputFile, GivesWhatTheUnpackerHoldsBackAfterTheLastPackedByte) {
  const TemporaryFolder folder;
  const std::string zeros(5'000'000, '0');
  EXPECT_EQ(ReadAll(folder.Write("g", Gzip(zeros)), 1000), zeros);
  EXPECT_EQ(ReadAll(folder.Write("z", Zstd(zeros)), 1000), zeros);
}

TEST(InputFile, JoinsMembersAndFrames) {
  const TemporaryFolder folder;
  EXPECT_EQ(ReadAll(folder.Write("g", Gzip("one\n") + Gzip("two\n")), 3), "one\ntwo\n");
  EXPECT_EQ(ReadAll(folder.Write("z", Zstd("one\n") + Zstd("two\n")), 3), "one\ntwo\n");
}

TEST(InputFile, GivesWhatIsGoodThenSaysThatThePackedDataEndsTooEarly) {
  const TemporaryFolder folder;
  const std::string text = LongText();
  for (const std::string& packed : {Gzip(text), Zstd(text)}) {
    const auto path = folder.Write("cut", packed.substr(0, packed.size() / 2));
    InputFile file(path);
    std::string good;
    try {
      std::vector<char> block(100'000);
      while (true) {
        const size_t count = file.Read(block.data(), block.size());
        good.append(block.data(), count);
        if (count == 0) break;
      }
      FAIL() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kBadData);
      EXPECT_NE(error.problem().find("ends too early"), std::string::npos) << error.what();
      EXPECT_EQ(error.where(), path.string());
    }
    EXPECT_GT(good.size(), text.size() / 4);
    EXPECT_EQ(good, text.substr(0, good.size()));
  }
}

TEST(InputFile, NamesDamageInsidePackedData) {
  const TemporaryFolder folder;
  for (std::string packed : {Gzip(LongText()), Zstd(LongText())}) {
    for (size_t i = packed.size() / 2; i < packed.size() / 2 + 64; ++i) packed[i] ^= 0x5a;
    EXPECT_THROW(ReadAll(folder.Write("x", packed), 1 << 16), Error);
  }
  EXPECT_THROW(ReadAll(folder.Write("y", Gzip("text") + "garbage after it"), 3), Error);
  EXPECT_THROW(ReadAll(folder.Write("y", Zstd("text") + "garbage after it"), 3), Error);
}

TEST(InputFile, SaysWhatOtherPackingsAre) {
  const TemporaryFolder folder;
  const auto message = [&](std::string_view content) {
    try {
      InputFile file(folder.Write("f", content));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kBadData);
      return error.problem();
    }
    return std::string("no error");
  };
  EXPECT_EQ(message("PK\x03\x04rest"), "this is a zip archive, which is not read");
  EXPECT_EQ(message("BZh91AY"), "this is packed with bzip2, which is not read");
  EXPECT_EQ(message("PAR1...."), "this is a Parquet file, which is not read");
}

TEST(InputFile, AFileThatCannotBeOpenedIsNamed) {
  const TemporaryFolder folder;
  try {
    InputFile file(folder.path() / "absent.csv");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kFailed);
    EXPECT_EQ(error.where(), (folder.path() / "absent.csv").string());
  }
  EXPECT_THROW(InputFile file(folder.path()), Error);
}

}  // namespace
}  // namespace almanac
