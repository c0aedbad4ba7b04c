#include "almanac/base/secret.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <sstream>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/test_folder.h"

namespace almanac {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class SecretTest : public testing::Test {
 protected:
  void SetUp() override {
    unsetenv("ALMANAC_SECRETS");
    unsetenv("ALMANAC_TEST_KEY");
  }
  void TearDown() override { SetUp(); }

  fs::path Write(const fs::path& name, const std::string& content, mode_t mode = 0600) {
    WriteFileAtomic(folder_ / name, content);
    chmod((folder_ / name).c_str(), mode);
    return folder_ / name;
  }
  std::string UsageError() {
    try {
      FindSecret("ALMANAC_TEST_KEY", folder_.path());
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
      return error.what();
    }
    ADD_FAILURE() << "nothing was thrown";
    return "";
  }

  TestFolder folder_;
};

TEST_F(SecretTest, FormatsAsStars) {
  const Secret secret("hunter2-abc");
  EXPECT_EQ(fmt::format("{}", secret), "***");
  std::ostringstream out;
  out << secret;
  EXPECT_EQ(out.str(), "***");
  EXPECT_EQ(testing::PrintToString(secret), "***");
  EXPECT_EQ(secret.Reveal(), "hunter2-abc");
  EXPECT_TRUE(Secret().empty());
}

TEST_F(SecretTest, EnvironmentThenNamedFileThenHome) {
  EXPECT_FALSE(FindSecret("ALMANAC_TEST_KEY", folder_.path()));
  Write("secrets.yaml", "OTHER: x-other\nALMANAC_TEST_KEY: from-home\n");
  EXPECT_EQ(FindSecret("ALMANAC_TEST_KEY", folder_.path())->Reveal(), "from-home");
  const fs::path named = Write("named.yaml", "ALMANAC_TEST_KEY: 0123456789\n");
  setenv("ALMANAC_SECRETS", named.c_str(), 1);
  EXPECT_EQ(FindSecret("ALMANAC_TEST_KEY", folder_.path())->Reveal(), "0123456789");
  setenv("ALMANAC_TEST_KEY", "from-environment", 1);
  EXPECT_EQ(FindSecret("ALMANAC_TEST_KEY", folder_.path())->Reveal(), "from-environment");
  // An empty variable is not a secret.
  setenv("ALMANAC_TEST_KEY", "", 1);
  EXPECT_EQ(FindSecret("ALMANAC_TEST_KEY", folder_.path())->Reveal(), "0123456789");
  // The named file need not have them all.
  Write("named.yaml", "OTHER: x-other\n");
  EXPECT_EQ(FindSecret("ALMANAC_TEST_KEY", folder_.path())->Reveal(), "from-home");
}

TEST_F(SecretTest, AFileThatOthersCanReadIsRefused) {
  for (const mode_t mode : {0640, 0604, 0620, 0777}) {
    const fs::path file = Write("secrets.yaml", "ALMANAC_TEST_KEY: private-text\n", mode);
    const std::string message = UsageError();
    EXPECT_THAT(message, HasSubstr(fmt::format("mode {:04o}", mode)));
    EXPECT_THAT(message, HasSubstr("chmod 600 '" + file.string() + "'"));
    EXPECT_THAT(message, Not(HasSubstr("private-text")));
  }
  for (const mode_t mode : {0600, 0400}) {
    Write("secrets.yaml", "ALMANAC_TEST_KEY: private-text\n", mode);
    EXPECT_TRUE(FindSecret("ALMANAC_TEST_KEY", folder_.path()));
  }
}

TEST_F(SecretTest, AWrongFileIsNamedWithoutItsContent) {
  setenv("ALMANAC_SECRETS", (folder_ / "missing.yaml").c_str(), 1);
  EXPECT_THAT(UsageError(), HasSubstr("ALMANAC_SECRETS=" + (folder_ / "missing.yaml").string()));
  setenv("ALMANAC_SECRETS", folder_.path().c_str(), 1);
  EXPECT_THAT(UsageError(), HasSubstr("is not a regular file"));
  unsetenv("ALMANAC_SECRETS");
  for (const char* content :
       {"ALMANAC_TEST_KEY=hidden-text\n", "- hidden-text\n", "ALMANAC_TEST_KEY: [hidden-text]\n",
        "ALMANAC_TEST_KEY: {a: hidden-text}\n", "ALMANAC_TEST_KEY: \"hidden-text\n",
        "A: hidden-text\nA: hidden-text\n", "ALMANAC_TEST_KEY: !hidden-text x\n: ]\n"}) {
    const fs::path file = Write("secrets.yaml", content);
    const std::string message = UsageError();
    EXPECT_THAT(message, HasSubstr(file.string())) << content;
    EXPECT_THAT(message, Not(HasSubstr("ALMANAC_TEST_KEY=hidden-text"))) << content;
  }
}

TEST_F(SecretTest, RequireSaysWhereToSetIt) {
  try {
    RequireSecret("ALMANAC_TEST_KEY", folder_.path(), "the source polygon");
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("the source polygon needs it"));
    EXPECT_THAT(error.what(), HasSubstr("export ALMANAC_TEST_KEY=..."));
    EXPECT_THAT(error.what(), HasSubstr((folder_ / "secrets.yaml").string()));
  }
  setenv("ALMANAC_TEST_KEY", "there-it-is", 1);
  EXPECT_EQ(RequireSecret("ALMANAC_TEST_KEY", folder_.path(), "x").Reveal(), "there-it-is");
}

TEST_F(SecretTest, RedactKnowsWhatWasFound) {
  EXPECT_EQ(Redact("key=redact-me-1"), "key=redact-me-1");
  setenv("ALMANAC_TEST_KEY", "redact-me-1", 1);
  FindSecret("ALMANAC_TEST_KEY", folder_.path());
  EXPECT_EQ(Redact("redact-me-1 and redact-me-1redact-me-1"), "*** and ******");
  EXPECT_EQ(Redact("redact-me-"), "redact-me-");
  EXPECT_EQ(Redact(""), "");
}

TEST_F(SecretTest, RedactKnowsEncodedForms) {
  RegisterSecret(Secret("p\"a/s+s w\\rd"));
  EXPECT_EQ(Redact("https://x?key=p%22a%2Fs%2Bs%20w%5Crd&b=1"), "https://x?key=***&b=1");
  EXPECT_EQ(Redact("https://x?key=p%22a%2fs%2bs%20w%5crd"), "https://x?key=***");
  EXPECT_EQ(Redact("{\"key\":\"p\\\"a/s+s w\\\\rd\"}"), "{\"key\":\"***\"}");
}

TEST_F(SecretTest, ASecretInsideAnotherLeavesNothingOver) {
  RegisterSecret(Secret("inner-token"));
  RegisterSecret(Secret("outer-inner-token-end"));
  EXPECT_EQ(Redact("outer-inner-token-end inner-token"), "*** ***");
  RegisterSecret(Secret(""));
  EXPECT_EQ(Redact("nothing"), "nothing");
}

}  // namespace
}  // namespace almanac
