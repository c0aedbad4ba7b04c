#include "almanac/source/http_retry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>

#include "almanac/base/cancel.h"
#include "almanac/source/vendor_test_server.h"

namespace almanac {
namespace {

using testing::HasSubstr;
using Fault = TestReply::Fault;

constexpr TimeMs kStart = 1'700'000'000'000;

class RetryTest : public testing::Test {
 protected:
  RetryTest() : server_([](const TestRequest&, size_t) { return TestReply(); }) {
    setenv("no_proxy", "127.0.0.1", 1);
    request_.url = server_.url() + "/x";
  }
  // Answers with `replies`, then with "fine".
  void Reply(std::vector<TestReply> replies) {
    server_.set_handler([replies](const TestRequest&, size_t index) {
      return index < replies.size() ? replies[index] : TestReply{.status = 200, .body = "fine"};
    });
  }
  std::string Get() {
    VendorTraits traits;
    traits.name = "Vendor";
    traits.key_help = "check VENDOR_KEY";
    VendorHttp http(traits, http_options_, policy_, clock_);
    return http.Get(request_);
  }
  ErrorCode CodeOfGet() {
    try {
      Get();
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::kFailed;
  }
  static TestReply Status(int status, const std::string& body = "",
                          std::map<std::string, std::string> headers = {}) {
    return {.status = status, .body = body, .headers = std::move(headers)};
  }

  FakeClock clock_{kStart};
  VendorTestServer server_;
  HttpRequest request_;
  HttpOptions http_options_;
  RetryPolicy policy_;
};

TEST_F(RetryTest, AsksAgainAfterServerErrorsWithGrowingBoundedDelays) {
  Reply({Status(500), Status(502), Status(503), Status(504), Status(599)});
  EXPECT_EQ(Get(), "fine");
  EXPECT_EQ(server_.requests().size(), 6u);
  const std::vector<DurationMs> sleeps = clock_.sleeps();
  ASSERT_EQ(sleeps.size(), 5u);
  for (size_t i = 0; i < sleeps.size(); ++i) {
    EXPECT_LT(sleeps[i], policy_.first_delay << i);
  }
  EXPECT_GT(*std::max_element(sleeps.begin(), sleeps.end()), policy_.first_delay);
}

TEST_F(RetryTest, TheSameSeedWaitsTheSame) {
  Reply({Status(500), Status(500)});
  Get();
  const std::vector<DurationMs> first = clock_.sleeps();
  FakeClock again(kStart);
  VendorTestServer second([](const TestRequest&, size_t index) {
    return index < 2 ? TestReply{.status = 500, .body = ""}
                     : TestReply{.status = 200, .body = "fine"};
  });
  request_.url = second.url();
  VendorHttp({.name = "Vendor", .key_help = "", .limit = {}, .pause = {}}, {}, policy_, again)
      .Get(request_);
  EXPECT_EQ(again.sleeps(), first);
}

TEST_F(RetryTest, GivesUpAfterTheLastAttempt) {
  Reply(std::vector<TestReply>(20, Status(503, "overloaded")));
  EXPECT_THAT(MessageOf([&] { Get(); }),
              HasSubstr("Vendor kept failing, status 503: \"overloaded\" (6 attempts)"));
  EXPECT_EQ(server_.requests().size(), 6u);
  EXPECT_EQ(CodeOfGet(), ErrorCode::kUnavailable);
}

TEST_F(RetryTest, HonoursRetryAfterInSeconds) {
  Reply({Status(429, "", {{"Retry-After", "37"}})});
  EXPECT_EQ(Get(), "fine");
  EXPECT_EQ(clock_.Now(), kStart + 37 * kMsPerSecond);
}

TEST_F(RetryTest, HonoursRetryAfterAsADate) {
  // kStart is Tue, 14 Nov 2023 22:13:20 GMT.
  Reply({Status(503, "", {{"Retry-After", "Tue, 14 Nov 2023 22:14:00 GMT"}})});
  EXPECT_EQ(Get(), "fine");
  EXPECT_EQ(clock_.Now(), kStart + 40 * kMsPerSecond);
}

TEST_F(RetryTest, DoesNotWaitForHours) {
  Reply({Status(418, R"({"code":-1003,"msg":"banned"})", {{"Retry-After", "7200"}})});
  try {
    Get();
    FAIL();
  } catch (const VendorError& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
    EXPECT_TRUE(error.concerns_all());
    EXPECT_THAT(error.what(), HasSubstr("\"banned\" and asks to come back in 2h"));
    EXPECT_THAT(error.what(), HasSubstr("again after 2023-11-15T00:13:20Z"));
  }
  EXPECT_EQ(clock_.Now(), kStart);
}

TEST_F(RetryTest, AsksAgainAfterTimeoutsAndBrokenConnections) {
  http_options_.total_timeout = 350;
  policy_.attempts = 10;
  TestReply slow{.status = 200, .body = "late"}, cut{.status = 200, .body = "0123456789"};
  slow.fault = Fault::kSlow;
  cut.fault = Fault::kCloseMidBody;
  Reply({slow, cut, cut});
  EXPECT_EQ(Get(), "fine");
  EXPECT_GE(server_.requests().size(), 4u);
}

TEST_F(RetryTest, AConnectionThatKeepsBreakingIsUnavailable) {
  TestReply cut{.status = 200, .body = "0123456789"};
  cut.fault = Fault::kCloseMidBody;
  Reply(std::vector<TestReply>(20, cut));
  EXPECT_THAT(MessageOf([&] { Get(); }), HasSubstr("(6 attempts)"));
  EXPECT_EQ(CodeOfGet(), ErrorCode::kUnavailable);
}

TEST_F(RetryTest, DoesNotAskAgainWhatIsRefused) {
  struct Case {
    int status;
    const char* body;
    const char* says;
    bool concerns_all;
  };
  const Case cases[] = {
      {400, R"({"code":-1121,"msg":"Invalid symbol."})", "status 400: \"Invalid symbol.\"", false},
      {401, R"({"status":"ERROR","error":"Unknown API Key"})", "check VENDOR_KEY", true},
      {403, "<html>\n<h1>No</h1>", "status 403: \"<html> <h1>No</h1>\"", true},
      {404, "", "status 404", false},
      {451, "", "does not answer from this location", true},
      {302, "", "redirects are not followed", true},
      {204, "", "base URL", false}};
  for (const Case& each : cases) {
    const size_t before = server_.requests().size();
    server_.set_handler([&](const TestRequest&, size_t) { return Status(each.status, each.body); });
    try {
      Get();
      ADD_FAILURE() << each.status;
    } catch (const VendorError& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
      EXPECT_EQ(error.status(), each.status);
      EXPECT_EQ(error.concerns_all(), each.concerns_all) << each.status;
      EXPECT_THAT(error.what(), HasSubstr(each.says));
      EXPECT_THAT(error.what(), HasSubstr("GET http://127.0.0.1"));
    }
    EXPECT_EQ(server_.requests().size(), before + 1);
  }
}

TEST_F(RetryTest, WaitingHonoursAStop) {
  Reply(std::vector<TestReply>(20, Status(429, "", {{"Retry-After", "300"}})));
  VendorTraits traits;
  traits.name = "Vendor";
  // The system's clock: the wait is a real one, and a stop that was asked for ends it at once.
  VendorHttp http(traits, {}, {}, SystemWaitClock());
  server_.set_handler([](const TestRequest&, size_t) {
    RequestCancel();
    return Status(429, "", {{"Retry-After", "300"}});
  });
  EXPECT_THAT(MessageOf([&] { http.Get(request_); }), HasSubstr("interrupted"));
  ResetCancel();
}

TEST(RetryAfter, ReadsSecondsAndDates) {
  EXPECT_EQ(ParseRetryAfter("120", kStart), 120 * kMsPerSecond);
  EXPECT_EQ(ParseRetryAfter(" 0 ", kStart), 0);
  EXPECT_EQ(ParseRetryAfter("-5", kStart), 0);
  EXPECT_EQ(ParseRetryAfter("soon", kStart), std::nullopt);
  EXPECT_EQ(ParseRetryAfter("", kStart), std::nullopt);
  EXPECT_EQ(ParseRetryAfter("Sun, 06 Nov 1994 08:49:37 GMT", kStart), 0);
  EXPECT_EQ(ParseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777000);
  EXPECT_EQ(ParseHttpDate("Sun, 06 Foo 1994 08:49:37 GMT"), std::nullopt);
  EXPECT_EQ(ParseHttpDate("Sun, 06 Nov 1994 08:49:37 CET"), std::nullopt);
}

}  // namespace
}  // namespace almanac
