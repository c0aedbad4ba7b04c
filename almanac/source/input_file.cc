#include "almanac/source/input_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <string_view>
#include <utility>
#include <vector>

#include "almanac/base/error.h"

namespace almanac {
namespace {

namespace fs = std::filesystem;

constexpr size_t kPackedBlock = size_t{1} << 16;

// The file's own bytes.
class RawFile {
 public:
  explicit RawFile(const fs::path& path)
      : path_(path), fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (fd_ < 0) Fail("opening");
    struct stat info {};
    if (fstat(fd_, &info) != 0) Fail("reading the size");
    if (S_ISDIR(info.st_mode)) {
      close(fd_);
      throw Error(ErrorCode::kFailed, path.string(), "this is a folder, not a file");
    }
    size_ = info.st_size;
    posix_fadvise(fd_, 0, 0, POSIX_FADV_SEQUENTIAL);
  }
  ~RawFile() { close(fd_); }
  RawFile(const RawFile&) = delete;
  RawFile& operator=(const RawFile&) = delete;

  // As many bytes as there are, up to `size`.
  size_t Read(char* out, size_t size) {
    size_t done = 0;
    while (done < size) {
      const ssize_t count = read(fd_, out + done, size - done);
      if (count == 0) break;
      if (count < 0 && errno != EINTR) Fail("reading");
      if (count > 0) done += static_cast<size_t>(count);
    }
    position_ += static_cast<int64_t>(done);
    return done;
  }

  int64_t size() const { return size_; }
  int64_t position() const { return position_; }
  const fs::path& path() const { return path_; }

 private:
  [[noreturn]] void Fail(std::string_view action) {
    const int reason = errno;
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
    throw Error(ErrorCode::kFailed, path_.string(),
                fmt::format("{} failed: {}", action, std::strerror(reason)));
  }

  fs::path path_;
  int fd_ = -1;
  int64_t size_ = 0, position_ = 0;
};

[[noreturn]] void Damaged(const RawFile& file, std::string_view what) {
  throw Error(ErrorCode::kBadData, file.path().string(), std::string(what),
              "fetch or pack the file again");
}

// Turns packed bytes into content. `Unpack` takes bytes from the front of `in` and gives bytes to
// the front of `out`, both as far as it can.
class Unpacker {
 public:
  virtual ~Unpacker() = default;
  virtual void Unpack(std::string_view& in, char*& out, char* out_end, const RawFile& file) = 0;
  // Whether the content may end here.
  virtual bool complete() const = 0;
  virtual std::string_view name() const = 0;
};

class GzipUnpacker : public Unpacker {
 public:
  GzipUnpacker() {
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    if (inflateInit2(&stream_, kGzipOnly) != Z_OK) {
      throw Error(ErrorCode::kFailed, "zlib", "out of memory");
    }
  }
  ~GzipUnpacker() override { inflateEnd(&stream_); }

  void Unpack(std::string_view& in, char*& out, char* out_end, const RawFile& file) override {
    if (between_members_) {  // another member follows
      inflateReset(&stream_);
      between_members_ = false;
    }
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out);
    stream_.avail_out = static_cast<uInt>(out_end - out);
    const int status = inflate(&stream_, Z_NO_FLUSH);
    in.remove_prefix(in.size() - stream_.avail_in);
    out = reinterpret_cast<char*>(stream_.next_out);
    if (status == Z_STREAM_END) {
      between_members_ = true;
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
      Damaged(file, fmt::format("the gzip data is damaged ({})",
                                stream_.msg != nullptr ? stream_.msg : "unknown"));
    }
  }
  bool complete() const override { return between_members_; }
  std::string_view name() const override { return "gzip"; }

 private:
  z_stream stream_{};
  bool between_members_ = false;
};

class ZstdUnpacker : public Unpacker {
 public:
  ZstdUnpacker() : stream_(ZSTD_createDStream()) {
    if (stream_ == nullptr) throw Error(ErrorCode::kFailed, "zstd", "out of memory");
  }
  ~ZstdUnpacker() override { ZSTD_freeDStream(stream_); }

  void Unpack(std::string_view& in, char*& out, char* out_end, const RawFile& file) override {
    ZSTD_inBuffer input{in.data(), in.size(), 0};
    ZSTD_outBuffer output{out, static_cast<size_t>(out_end - out), 0};
    const size_t status = ZSTD_decompressStream(stream_, &output, &input);
    in.remove_prefix(input.pos);
    out += output.pos;
    if (ZSTD_isError(status)) {
      Damaged(file, fmt::format("the zstd data is damaged ({})", ZSTD_getErrorName(status)));
    }
    complete_ = status == 0;
  }
  bool complete() const override { return complete_; }
  std::string_view name() const override { return "zstd"; }

 private:
  ZSTD_DStream* stream_;
  bool complete_ = false;
};

struct Packing {
  std::string_view magic, name, remedy;
};
constexpr std::string_view kGzipMagic = "\x1f\x8b";
constexpr std::string_view kZstdMagic = "\x28\xb5\x2f\xfd";
constexpr std::array<Packing, 5> kNotRead = {
    {{"PK\x03\x04", "a zip archive", "unzip it first"},
     {"BZh", "packed with bzip2", "unpack it first, or pack it with gzip or zstd"},
     {"\xfd"
      "7zXZ",
      "packed with xz", "unpack it first, or pack it with gzip or zstd"},
     {"7z\xbc\xaf", "a 7-Zip archive", "unpack it first"},
     {"PAR1", "a Parquet file",
      "Parquet is not imported; write it out as CSV, for example with "
      "duckdb -c \"COPY 'FILE' TO 'FILE.csv'\""}}};

std::unique_ptr<Unpacker> UnpackerFor(std::string_view head, const fs::path& path) {
  if (head.starts_with(kGzipMagic)) return std::make_unique<GzipUnpacker>();
  if (head.starts_with(kZstdMagic)) return std::make_unique<ZstdUnpacker>();
  for (const Packing& packing : kNotRead) {
    if (!head.starts_with(packing.magic)) continue;
    throw Error(ErrorCode::kBadData, path.string(),
                fmt::format("this is {}, which is not read", packing.name),
                std::string(packing.remedy));
  }
  return nullptr;
}

}  // namespace

struct InputFile::Impl {
  explicit Impl(const fs::path& path) : file(path), buffer(kPackedBlock) {
    Refill();
    unpacker = UnpackerFor(pending, path);
  }

  bool Refill() {
    pending = {buffer.data(), file.Read(buffer.data(), buffer.size())};
    return !pending.empty();
  }

  size_t ReadPlain(char* out, size_t size) {
    const size_t first = std::min(size, pending.size());
    std::memcpy(out, pending.data(), first);
    pending.remove_prefix(first);
    return first + (first < size ? file.Read(out + first, size - first) : 0);
  }

  size_t ReadPacked(char* out, size_t size) {
    char* next = out;
    char* const end = out + size;
    try {
      while (next != end) {
        const bool at_end = pending.empty() && !Refill();
        if (at_end && unpacker->complete()) break;
        // Even at the end the unpacker may hold content for which there was no room before.
        const char* before = next;
        unpacker->Unpack(pending, next, end, file);
        if (at_end && next == before) {
          Damaged(file, fmt::format("the {} data ends too early", unpacker->name()));
        }
      }
    } catch (const Error&) {
      if (next == out) throw;
      failure = std::current_exception();  // first hand out what was good
    }
    return static_cast<size_t>(next - out);
  }

  RawFile file;
  std::vector<char> buffer;
  std::string_view pending;  // bytes of `buffer` not yet used
  std::unique_ptr<Unpacker> unpacker;
  std::exception_ptr failure;
};

InputFile::InputFile(const fs::path& path) : impl_(std::make_unique<Impl>(path)) {}
InputFile::~InputFile() = default;
InputFile::InputFile(InputFile&&) noexcept = default;
InputFile& InputFile::operator=(InputFile&&) noexcept = default;

size_t InputFile::Read(char* out, size_t size) {
  if (impl_->failure) std::rethrow_exception(std::exchange(impl_->failure, nullptr));
  return impl_->unpacker == nullptr ? impl_->ReadPlain(out, size) : impl_->ReadPacked(out, size);
}

int64_t InputFile::packed_bytes() const { return impl_->file.size(); }
int64_t InputFile::packed_position() const { return impl_->file.position(); }

}  // namespace almanac
