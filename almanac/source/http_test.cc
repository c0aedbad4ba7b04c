#include "almanac/source/http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <zlib.h>

#include <thread>

#include "almanac/base/cancel.h"
#include "almanac/source/vendor_test_server.h"

namespace almanac {
namespace {

using testing::HasSubstr;
using testing::Not;
using Fault = TestReply::Fault;

HttpRequest To(const VendorTestServer& server, const std::string& path = "/") {
  setenv("no_proxy", "127.0.0.1", 1);
  HttpRequest request;
  request.url = server.url() + path;
  return request;
}

TransportFailure FailureOf(HttpClient& client, const HttpRequest& request) {
  try {
    client.Get(request);
  } catch (const TransportError& error) {
    return error.failure();
  }
  ADD_FAILURE() << "it did not fail";
  return TransportFailure::kProtocol;
}

TEST(Http, GivesStatusHeadersAndBody) {
  VendorTestServer server([](const TestRequest&, size_t) {
    return TestReply{.status = 404, .body = "nothing", .headers = {{"X-Used", "7"}}};
  });
  HttpClient client;
  const HttpResponse response = client.Get(To(server));
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.body, "nothing");
  EXPECT_EQ(response.Header("x-used"), "7");
  EXPECT_EQ(response.Header("x-other"), "");
}

TEST(Http, SendsSecretsAndNeverShowsThem) {
  VendorTestServer server(
      [](const TestRequest&, size_t) { return TestReply{.status = 200, .body = ""}; });
  HttpRequest request = To(server, "/p?cursor=abc");
  request.query = {{"a", "1,2"}};
  request.secret_query = {{"apiKey", Secret("top&secret")}};
  request.secret_headers = {{"X-Key", Secret("hidden-header")}};
  HttpClient().Get(request);
  const TestRequest seen = server.requests().at(0);
  EXPECT_EQ(seen.Query("cursor"), "abc");
  EXPECT_EQ(seen.Query("a"), "1,2");
  EXPECT_EQ(seen.Query("apiKey"), "top&secret");
  EXPECT_EQ(seen.headers.at("x-key"), "hidden-header");
  EXPECT_THAT(ShownRequest(request), Not(HasSubstr("secret")));
  EXPECT_THAT(ShownRequest(request), HasSubstr("?cursor=abc&a=1%2C2"));
}

TEST(Http, UnpacksCompressedBodies) {
  const std::string text(5000, 'x');
  std::string packed(200, '\0');
  z_stream stream{};
  ASSERT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  ASSERT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  VendorTestServer server([&](const TestRequest&, size_t) {
    return TestReply{.status = 200, .body = packed, .headers = {{"Content-Encoding", "gzip"}}};
  });
  EXPECT_EQ(HttpClient().Get(To(server)).body, text);
  EXPECT_THAT(server.requests().at(0).headers.at("accept-encoding"), HasSubstr("gzip"));

  HttpOptions small;
  small.max_body = 4999;  // counted after unpacking
  HttpClient capped(small);
  EXPECT_EQ(FailureOf(capped, To(server)), TransportFailure::kTooLarge);
}

TEST(Http, CapsTheBody) {
  VendorTestServer server([](const TestRequest&, size_t) {
    return TestReply{.status = 200, .body = std::string(1 << 20, 'x')};
  });
  HttpOptions options;
  options.max_body = 1 << 20;
  EXPECT_EQ(HttpClient(options).Get(To(server)).body.size(), size_t{1} << 20);
  options.max_body -= 1;
  HttpClient client(options);
  EXPECT_THAT(MessageOf([&] { client.Get(To(server)); }), HasSubstr("larger than 1.0 MB"));
}

TEST(Http, NamesWhatWentWrong) {
  VendorTestServer server([](const TestRequest& request, size_t) {
    TestReply reply{.status = 200, .body = "0123456789"};
    reply.fault = request.path == "/slow" ? Fault::kSlow : Fault::kCloseMidBody;
    return reply;
  });
  HttpOptions options;
  options.total_timeout = 200;
  HttpClient client(options), patient;
  EXPECT_EQ(FailureOf(client, To(server, "/slow")), TransportFailure::kTimeout);
  EXPECT_EQ(FailureOf(patient, To(server, "/cut")), TransportFailure::kBroken);
  HttpRequest nowhere = To(server);
  nowhere.url = "http://127.0.0.1:1/";  // nobody listens on tcpmux
  EXPECT_EQ(FailureOf(patient, nowhere), TransportFailure::kConnect);
  nowhere.url = "http://no-such-host.invalid/";
  EXPECT_EQ(FailureOf(patient, nowhere), TransportFailure::kResolve);
  nowhere.url = "file:///etc/passwd";
  EXPECT_EQ(FailureOf(patient, nowhere), TransportFailure::kProtocol);
}

TEST(Http, DoesNotFollowRedirects) {
  VendorTestServer server([](const TestRequest&, size_t) {
    return TestReply{.status = 302, .body = "", .headers = {{"Location", "/elsewhere"}}};
  });
  EXPECT_EQ(HttpClient().Get(To(server)).status, 302);
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST(Http, StopsWhenAskedTo) {
  VendorTestServer server([](const TestRequest&, size_t) {
    TestReply reply{.status = 200, .body = "late"};
    reply.fault = Fault::kSlow;
    return reply;
  });
  RequestCancel();
  EXPECT_THAT(MessageOf([&] { HttpClient().Get(To(server)); }), HasSubstr("interrupted"));
  ResetCancel();
}

TEST(Http, AnswersManyThreads) {
  VendorTestServer server([](const TestRequest& request, size_t) {
    return TestReply{.status = 200, .body = request.Query("n")};
  });
  HttpClient client;
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) {
        HttpRequest request = To(server);
        request.query = {{"n", std::to_string(100 * t + i)}};
        if (client.Get(request).body != request.query[0].second) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace almanac
