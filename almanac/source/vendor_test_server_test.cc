#include "almanac/source/vendor_test_server.h"

#include <gtest/gtest.h>
#include <httplib.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/places_for_test.h"
#include "almanac/base/text.h"

namespace almanac {

std::string TestRequest::Query(const std::string& name) const {
  const auto found = query.find(name);
  return found == query.end() ? "" : found->second;
}

TimeMs TestRequest::Time(const std::string& name) const {
  return ParseInt64(Query(name)).value_or(kMinTime);
}

namespace {

constexpr DurationMs kTestTimeout = 20 * kMsPerSecond;
constexpr DurationMs kSlowAnswer = 700;

void Send(const TestReply& reply, httplib::Response& response) {
  response.status = reply.status;
  for (const auto& [name, value] : reply.headers) response.set_header(name.c_str(), value);
  if (reply.fault == TestReply::Fault::kSlow) {
    std::this_thread::sleep_for(std::chrono::milliseconds(kSlowAnswer));
  }
  if (reply.fault != TestReply::Fault::kCloseMidBody) {
    response.set_content(reply.body, reply.content_type.c_str());
    return;
  }
  const std::string half = reply.body.substr(0, reply.body.size() / 2);
  response.set_content_provider(reply.body.size(), reply.content_type.c_str(),
                                [half](size_t offset, size_t, httplib::DataSink& sink) {
                                  if (offset == 0) sink.write(half.data(), half.size());
                                  return false;
                                });
}

TestRequest Received(const httplib::Request& request) {
  TestRequest received;
  received.path = request.path;
  for (const auto& [name, value] : request.params) received.query.emplace(name, value);
  for (const auto& [name, value] : request.headers) received.headers[ToLower(name)] = value;
  return received;
}

std::string Unpack(const std::string& packed) {
  const std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(),
                                                                   &ZSTD_freeDCtx);
  std::string text, block(ZSTD_DStreamOutSize(), '\0');
  ZSTD_inBuffer in{packed.data(), packed.size(), 0};
  while (in.pos < in.size) {
    ZSTD_outBuffer out{block.data(), block.size(), 0};
    if (ZSTD_isError(ZSTD_decompressStream(context.get(), &out, &in)) != 0) return "";
    text.append(block.data(), out.pos);
  }
  return text;
}

}  // namespace

struct VendorTestServer::Impl {
  httplib::Server server;
  int port = 0;
  mutable std::mutex mutex;
  Handler handler;
  std::vector<TestRequest> requests;
  std::thread thread;
};

VendorTestServer::VendorTestServer(Handler handler) : impl_(std::make_unique<Impl>()) {
  impl_->handler = std::move(handler);
  impl_->server.set_tcp_nodelay(true);
  impl_->server.set_keep_alive_max_count(10'000);
  impl_->server.set_keep_alive_timeout(1);
  impl_->server.Get(".*", [this](const httplib::Request& request, httplib::Response& response) {
    TestReply reply;
    {
      const std::scoped_lock lock(impl_->mutex);
      impl_->requests.push_back(Received(request));
      reply = impl_->handler(impl_->requests.back(), impl_->requests.size() - 1);
    }
    Send(reply, response);
  });
  impl_->port = impl_->server.bind_to_any_port("127.0.0.1");
  impl_->thread = std::thread([this] { impl_->server.listen_after_bind(); });
  while (!impl_->server.is_running()) std::this_thread::yield();
}

VendorTestServer::~VendorTestServer() {
  impl_->server.stop();
  impl_->thread.join();
}

std::string VendorTestServer::url() const {
  return "http://127.0.0.1:" + std::to_string(impl_->port);
}

std::vector<TestRequest> VendorTestServer::requests() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->requests;
}

void VendorTestServer::set_handler(Handler handler) {
  const std::scoped_lock lock(impl_->mutex);
  impl_->handler = std::move(handler);
}

void VendorTestServer::Settle() const { const std::scoped_lock lock(impl_->mutex); }

TimeMs FakeClock::Now() {
  const std::scoped_lock lock(mutex_);
  return now_;
}

void FakeClock::Sleep(DurationMs duration) {
  const std::scoped_lock lock(mutex_);
  now_ += duration;
  sleeps_.push_back(duration);
}

void FakeClock::Set(TimeMs now) {
  const std::scoped_lock lock(mutex_);
  now_ = now;
}

std::vector<DurationMs> FakeClock::sleeps() const {
  const std::scoped_lock lock(mutex_);
  return sleeps_;
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "almanac-test-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) {
    throw Error(ErrorCode::kFailed, pattern, "cannot make a folder");
  }
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

SourceOptions TestOptions(const VendorTestServer& server, WaitClock& clock) {
  setenv("no_proxy", "127.0.0.1", 1);
  setenv("POLYGON_API_KEY", kTestKey, 1);
  setenv("ALPACA_API_KEY_ID", kTestKey, 1);
  setenv("ALPACA_API_SECRET_KEY", kTestSecret, 1);
  SourceOptions options;
  options.base_url = server.url();
  options.clock = &clock;
  options.http.total_timeout = kTestTimeout;
  return options;
}

CandleSeries AllBars(CandleSource& source, const CandleRequest& request) {
  CandleSeries all;
  const std::unique_ptr<CandlePages> pages = source.Open(request);
  TimeMs covered = request.from;
  while (const std::optional<CandlePage> page = pages->Next()) {
    for (const SymbolPage& part : page->symbols) {
      all.key = part.bars.key;
      for (size_t i = 0; i < part.bars.size(); ++i) all.Append(part.bars.At(i));
      EXPECT_GE(part.covered_to, covered);
      covered = part.covered_to;
    }
  }
  EXPECT_EQ(covered, request.to) << "the last page must cover the whole request";
  return all;
}

std::string SharedData(const std::string& name) {
  const auto path = SourceFolder() / "../shared/data" / name;
  if (!std::filesystem::exists(path)) return "";
  const std::string content = ReadFile(path);
  return path.extension() == ".zst" ? Unpack(content) : content;
}

namespace {

TEST(VendorTestServer, RemembersWhatItWasAsked) {
  VendorTestServer server([](const TestRequest& request, size_t) {
    return TestReply{.status = 200, .body = "hello " + request.Query("name")};
  });
  setenv("no_proxy", "127.0.0.1", 1);
  HttpClient client;
  HttpRequest request;
  request.url = server.url() + "/a%20b";
  request.query = {{"name", "x&y"}};
  EXPECT_EQ(client.Get(request).body, "hello x&y");
  ASSERT_EQ(server.requests().size(), 1u);
  EXPECT_EQ(server.requests()[0].path, "/a b");
}

}  // namespace
}  // namespace almanac
