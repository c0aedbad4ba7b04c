// For the tests of the vendors' clients: a local server that answers as a test says and remembers
// what it was asked, a clock that sleeps without waiting, a folder that goes when the test does.
#ifndef ALMANAC_SOURCE_VENDOR_TEST_SERVER_H_
#define ALMANAC_SOURCE_VENDOR_TEST_SERVER_H_

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "almanac/base/error_for_test.h"
#include "almanac/base/time.h"
#include "almanac/source/candle_source.h"
#include "almanac/source/rate_limit.h"

namespace almanac {

struct TestRequest {
  std::string path;  // percent-decoded, without the query
  std::multimap<std::string, std::string> query;
  std::map<std::string, std::string> headers;  // names in lower case

  std::string Query(const std::string& name) const;  // "" if it is not there
  TimeMs Time(const std::string& name) const;        // a query value in milliseconds
};

struct TestReply {
  enum class Fault {
    kNone,
    kCloseMidBody,  // the connection ends after half of the body
    kSlow           // the answer comes after 0.7 s
  };
  int status = 200;
  std::string body = {};
  std::map<std::string, std::string> headers = {};
  std::string content_type = "application/json";
  Fault fault = Fault::kNone;
};

class VendorTestServer {
 public:
  // The handler gets the request and how many there were before it. Called by one thread at a time.
  using Handler = std::function<TestReply(const TestRequest&, size_t index)>;
  explicit VendorTestServer(Handler handler);
  ~VendorTestServer();
  VendorTestServer(const VendorTestServer&) = delete;
  VendorTestServer& operator=(const VendorTestServer&) = delete;

  std::string url() const;
  std::vector<TestRequest> requests() const;
  void set_handler(Handler handler);
  // After it, what the handler wrote or still held may be read and ended: the client has its answer
  // through a socket, which orders nothing in the eyes of the language.
  void Settle() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Sleeping moves the clock on. Safe from several threads.
class FakeClock : public WaitClock {
 public:
  explicit FakeClock(TimeMs now) : now_(now) {}
  TimeMs Now() override;
  void Sleep(DurationMs duration) override;
  void Set(TimeMs now);
  std::vector<DurationMs> sleeps() const;

 private:
  mutable std::mutex mutex_;
  TimeMs now_;
  std::vector<DurationMs> sleeps_;
};

class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline constexpr char kTestKey[] = "key-0123456789";
inline constexpr char kTestSecret[] = "secret-9876543210";

// Options of a source that asks `server`; sets the vendors' keys in the environment.
SourceOptions TestOptions(const VendorTestServer& server, WaitClock& clock);

// Every bar of all pages of one symbol's request.
CandleSeries AllBars(CandleSource& source, const CandleRequest& request);

// "../shared/data/NAME", empty if it is not there; unpacks *.zst.
std::string SharedData(const std::string& name);

}  // namespace almanac

#endif  // ALMANAC_SOURCE_VENDOR_TEST_SERVER_H_
