#include "almanac/source/bar_spill.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "almanac/base/error.h"

namespace almanac {
namespace {

[[noreturn]] void Fail(const std::filesystem::path& folder, const char* action) {
  throw Error(ErrorCode::kFailed, folder.string(),
              fmt::format("{} a temporary file failed: {}", action, std::strerror(errno)),
              "$TMPDIR names a folder with more room");
}

}  // namespace

BarSpill::BarSpill() : folder_(std::filesystem::temp_directory_path()) {
  std::string name = (folder_ / "almanac-import-XXXXXX").string();
  fd_ = mkostemp(name.data(), O_CLOEXEC);
  if (fd_ < 0) Fail(folder_, "making");
  unlink(name.c_str());
}

BarSpill::~BarSpill() { close(fd_); }

BarSpill::Place BarSpill::Write(const CandleSeries& bars, size_t first, size_t last) {
  const Place place{end_, last - first, !bars.trade_count.empty(), !bars.vwap.empty()};
  const auto write = [&](const auto& values) {
    if (values.empty()) return;  // an optional field that is not given
    const auto* next = reinterpret_cast<const char*>(values.data() + first);
    for (size_t left = (last - first) * sizeof(values[0]); left > 0;) {
      const ssize_t written = pwrite(fd_, next, left, end_);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) Fail(folder_, "writing");
      next += written;
      left -= static_cast<size_t>(written);
      end_ += written;
    }
  };
  write(bars.open_time);
  for (const auto* values : {&bars.open, &bars.high, &bars.low, &bars.close, &bars.volume,
                             &bars.trade_count, &bars.vwap}) {
    write(*values);
  }
  return place;
}

CandleSeries BarSpill::Read(const Place& place) const {
  CandleSeries bars;
  int64_t offset = place.offset;
  const auto read = [&](auto& values) {
    values.resize(place.bars);
    auto* next = reinterpret_cast<char*>(values.data());
    for (size_t left = place.bars * sizeof(values[0]); left > 0;) {
      const ssize_t count = pread(fd_, next, left, offset);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) Fail(folder_, "reading");
      next += count;
      left -= static_cast<size_t>(count);
      offset += count;
    }
  };
  read(bars.open_time);
  for (auto* values : {&bars.open, &bars.high, &bars.low, &bars.close, &bars.volume}) read(*values);
  if (place.has_trade_count) read(bars.trade_count);
  if (place.has_vwap) read(bars.vwap);
  return bars;
}

}  // namespace almanac
