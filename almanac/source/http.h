// GET over HTTP and HTTPS, as the vendors' clients need it: connections are kept and used again,
// bodies may come compressed, every wait has a limit, a body cannot grow without bound, TLS
// certificates are verified, redirects are not followed (a key must not travel to another host).
// A thin layer over libcurl.
#ifndef ALMANAC_SOURCE_HTTP_H_
#define ALMANAC_SOURCE_HTTP_H_

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "almanac/base/error.h"
#include "almanac/base/secret.h"
#include "almanac/base/time.h"

namespace almanac {

struct HttpRequest {
  std::string url;  // http:// or https://, with or without a query
  // Appended to the query, percent-encoded.
  std::vector<std::pair<std::string, std::string>> query;
  std::vector<std::pair<std::string, std::string>> headers;
  // Travel with the request and are never part of ShownUrl() or of an error.
  std::vector<std::pair<std::string, Secret>> secret_query;
  std::vector<std::pair<std::string, Secret>> secret_headers;
};

// The request as errors and logs show it: "GET https://host/path?a=b", without secrets.
std::string ShownRequest(const HttpRequest& request);

struct HttpResponse {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case; the last of equal names
  std::string body;                            // decompressed
  // The value of the header (name in lower case), or "".
  std::string Header(std::string_view name) const;
};

enum class TransportFailure {
  kResolve,   // no such host
  kConnect,   // refused or unreachable
  kTls,       // the certificate or the handshake
  kTimeout,   // connecting or waiting took too long
  kBroken,    // the connection ended before the whole answer came
  kTooLarge,  // the body is larger than HttpOptions::max_body
  kProtocol   // what came is not HTTP, or the URL is none
};

// No answer came. Code kUnavailable; kTooLarge and kProtocol are kBadData.
class TransportError : public Error {
 public:
  TransportError(TransportFailure failure, std::string where, std::string what, std::string remedy);
  TransportFailure failure() const { return failure_; }
  // Whether asking again may help.
  bool IsTransient() const;

 private:
  TransportFailure failure_;
};

struct HttpOptions {
  DurationMs connect_timeout = 10 * kMsPerSecond;
  DurationMs total_timeout = 120 * kMsPerSecond;  // of one request, its whole body included
  DurationMs stall_timeout = 30 * kMsPerSecond;   // without a byte coming (whole seconds, >= 1 s)
  size_t max_body = size_t{64} << 20;             // decompressed bytes
  std::string user_agent = "almanac";
};

// Safe to use from several threads at once; each request in flight has its own connection.
class HttpClient {
 public:
  explicit HttpClient(HttpOptions options = {});
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Any status is an answer. Throws TransportError if none came, Error(kInterrupted) soon after a
  // stop was asked for.
  HttpResponse Get(const HttpRequest& request);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Percent-encoding of everything but letters, digits, '-', '.', '_' and '~' (RFC 3986).
std::string PercentEncode(std::string_view text);

}  // namespace almanac

#endif  // ALMANAC_SOURCE_HTTP_H_
