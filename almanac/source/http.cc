#include "almanac/source/http.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <array>
#include <mutex>

#include "almanac/base/cancel.h"
#include "almanac/base/text.h"

namespace almanac {
namespace {

constexpr std::string_view kUnreserved =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

class QueryBuilder {
 public:
  explicit QueryBuilder(const std::string& url)
      : url_(url), separator_(url.find('?') == std::string::npos ? '?' : '&') {}
  void Add(std::string_view name, std::string_view value) {
    url_ += separator_;
    separator_ = '&';
    url_ += PercentEncode(name) + "=" + PercentEncode(value);
  }
  std::string Finish() { return std::move(url_); }

 private:
  std::string url_;
  char separator_;
};

std::string UrlWithQuery(const HttpRequest& request, bool with_secrets) {
  QueryBuilder url(request.url);
  for (const auto& [name, value] : request.query) url.Add(name, value);
  if (with_secrets) {
    for (const auto& [name, value] : request.secret_query) url.Add(name, value.Reveal());
  }
  return url.Finish();
}

// What one transfer fills in; lives on the stack of Get.
struct Transfer {
  HttpResponse response;
  size_t max_body = 0;
  bool too_large = false;
};

size_t OnBody(char* data, size_t size, size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const size_t bytes = size * count;
  if (transfer.response.body.size() + bytes > transfer.max_body) {
    transfer.too_large = true;
    return 0;
  }
  transfer.response.body.append(data, bytes);
  return bytes;
}

size_t OnHeader(char* data, size_t size, size_t count, void* user) {
  auto& headers = static_cast<Transfer*>(user)->response.headers;
  const std::string_view line = Trim({data, size * count});
  // An interim answer (100 Continue) has a head of its own before the real one.
  if (line.substr(0, 5) == "HTTP/") headers.clear();
  const size_t colon = line.find(':');
  if (colon != std::string_view::npos) {
    headers[ToLower(line.substr(0, colon))] = std::string(Trim(line.substr(colon + 1)));
  }
  return size * count;
}

int OnProgress(void*, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return CancelRequested() ? 1 : 0;
}

TransportFailure FailureOf(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return TransportFailure::kResolve;
    case CURLE_COULDNT_CONNECT:
      return TransportFailure::kConnect;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
      return TransportFailure::kTls;
    case CURLE_OPERATION_TIMEDOUT:
      return TransportFailure::kTimeout;
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return TransportFailure::kBroken;
    default:
      return TransportFailure::kProtocol;
  }
}

std::string_view RemedyFor(TransportFailure failure) {
  switch (failure) {
    case TransportFailure::kResolve:
      return "check the network, its name service, and the host's name";
    case TransportFailure::kConnect:
      return "check the network and that the service is up";
    case TransportFailure::kTls:
      return "check the clock, the installed certificates, and proxies in between";
    case TransportFailure::kTimeout:
    case TransportFailure::kBroken:
      return "run the same command again: it continues where it stopped";
    case TransportFailure::kTooLarge:
    case TransportFailure::kProtocol:
      return "check that the URL is the service's own";
  }
  return "";
}

struct HeaderList {
  curl_slist* list = nullptr;
  HeaderList() = default;
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  ~HeaderList() { curl_slist_free_all(list); }
  void Add(const std::string& name, const std::string& value) {
    list = curl_slist_append(list, (name + ": " + value).c_str());
  }
};

}  // namespace

std::string PercentEncode(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (kUnreserved.find(c) != std::string_view::npos) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

std::string ShownRequest(const HttpRequest& request) {
  return Redact("GET " + UrlWithQuery(request, false));
}

std::string HttpResponse::Header(std::string_view name) const {
  const auto found = headers.find(std::string(name));
  return found == headers.end() ? "" : found->second;
}

namespace {

ErrorCode CodeOf(TransportFailure failure) {
  return failure == TransportFailure::kTooLarge || failure == TransportFailure::kProtocol
             ? ErrorCode::kBadData
             : ErrorCode::kUnavailable;
}

}  // namespace

TransportError::TransportError(TransportFailure failure, std::string where, std::string what,
                               std::string remedy)
    : Error(CodeOf(failure), std::move(where), std::move(what), std::move(remedy)),
      failure_(failure) {}

bool TransportError::IsTransient() const {
  return failure_ == TransportFailure::kResolve || failure_ == TransportFailure::kConnect ||
         failure_ == TransportFailure::kTimeout || failure_ == TransportFailure::kBroken;
}

// A handle keeps its connection open; idle ones wait here for the next request.
struct HttpClient::Impl {
  HttpOptions options;
  std::mutex mutex;
  std::vector<CURL*> idle;

  explicit Impl(HttpOptions given) : options(std::move(given)) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    for (CURL* handle : idle) curl_easy_cleanup(handle);
  }

  CURL* Take() {
    {
      const std::scoped_lock lock(mutex);
      if (!idle.empty()) {
        CURL* handle = idle.back();
        idle.pop_back();
        return handle;
      }
    }
    CURL* handle = curl_easy_init();
    if (handle == nullptr) throw Error(ErrorCode::kFailed, "libcurl", "it could not be started");
    return handle;
  }
  void GiveBack(CURL* handle) {
    curl_easy_reset(handle);  // keeps the connection
    const std::scoped_lock lock(mutex);
    idle.push_back(handle);
  }

  void Configure(CURL* handle) const {
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(handle, CURLOPT_ACCEPT_ENCODING, "");  // all that libcurl can unpack
    curl_easy_setopt(handle, CURLOPT_USERAGENT, options.user_agent.c_str());
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout));
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(options.total_timeout));
    curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME,
                     static_cast<long>(options.stall_timeout / kMsPerSecond));
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &OnBody);
    curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, &OnHeader);
    curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, &OnProgress);
  }
};

HttpClient::HttpClient(HttpOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
HttpClient::~HttpClient() = default;

HttpResponse HttpClient::Get(const HttpRequest& request) {
  const std::string shown = ShownRequest(request);
  const std::string url = UrlWithQuery(request, true);
  HeaderList headers;
  for (const auto& [name, value] : request.headers) headers.Add(name, value);
  for (const auto& [name, value] : request.secret_headers) headers.Add(name, value.Reveal());

  Transfer transfer;
  transfer.max_body = impl_->options.max_body;
  std::array<char, CURL_ERROR_SIZE> detail{};
  CURL* handle = impl_->Take();
  impl_->Configure(handle);
  curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.list);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, detail.data());
  const CURLcode code = curl_easy_perform(handle);
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  impl_->GiveBack(handle);

  if (code == CURLE_ABORTED_BY_CALLBACK) CheckCancel();
  if (transfer.too_large) {
    throw TransportError(TransportFailure::kTooLarge, shown,
                         fmt::format("the answer is larger than {}",
                                     FormatBytes(static_cast<int64_t>(transfer.max_body))),
                         std::string(RemedyFor(TransportFailure::kTooLarge)));
  }
  if (code != CURLE_OK) {
    const TransportFailure failure = FailureOf(code);
    const char* text = detail[0] != '\0' ? detail.data() : curl_easy_strerror(code);
    throw TransportError(failure, shown, Redact(text), std::string(RemedyFor(failure)));
  }
  transfer.response.status = static_cast<int>(status);
  return std::move(transfer.response);
}

}  // namespace almanac
