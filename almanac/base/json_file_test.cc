#include "almanac/base/json_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "almanac/base/error_for_test.h"
#include "almanac/base/file.h"

namespace almanac {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(JsonFile, KeepsTheOrderOfKeysAndSaysWhatIsNoJson) {
  const std::filesystem::path file =
      TemporaryBeside(std::filesystem::path(testing::TempDir()) / "document.json");
  const Json json = {{"b", 1}, {"a", {0.1, nullptr, "x"}}};
  WriteJsonFile(file, json);
  EXPECT_EQ(ReadFile(file), "{\n  \"b\": 1,\n  \"a\": [\n    0.1,\n    null,\n    \"x\"\n  ]\n}\n");
  EXPECT_EQ(ReadJsonFile(file, "write it again"), json);
  WriteFileAtomic(file, "{\"a\": ");
  EXPECT_THAT(
      MessageOf([&] { ReadJsonFile(file, "write it again"); }),
      AllOf(HasSubstr(file.string()), HasSubstr("unexpected end"), HasSubstr("write it again")));
  std::filesystem::remove(file);
  EXPECT_THAT(MessageOf([&] { ReadJsonFile(file, "write it again"); }), HasSubstr(file.string()));
}

}  // namespace
}  // namespace almanac
