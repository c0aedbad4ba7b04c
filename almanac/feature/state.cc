#include "almanac/feature/state.h"

#include <fmt/format.h>

#include "almanac/base/error.h"

namespace almanac {
namespace {

[[noreturn]] void ThrowDamaged(std::string what) {
  throw Error(ErrorCode::kBadData, "saved state", std::move(what),
              "it must come from the same features with the same parameters");
}

}  // namespace

void StateWriter::Bytes(const void* data, size_t size) {
  if (size > 0) bytes_.append(static_cast<const char*>(data), size);
}

void StateWriter::Text(std::string_view text) {
  const uint64_t length = text.size();
  Bytes(&length, sizeof(length));
  Bytes(text.data(), text.size());
}

void StateReader::Bytes(void* data, size_t size) {
  if (size > rest_.size()) {
    ThrowDamaged(fmt::format("ends early: {} more bytes wanted, {} left", size, rest_.size()));
  }
  if (size > 0) std::memcpy(data, rest_.data(), size);
  rest_.remove_prefix(size);
}

std::string StateReader::Text() {
  uint64_t length = 0;
  Bytes(&length, sizeof(length));
  if (length > rest_.size()) {
    ThrowDamaged(fmt::format("ends early: {} more bytes wanted, {} left", length, rest_.size()));
  }
  std::string text(rest_.substr(0, length));
  rest_.remove_prefix(length);
  return text;
}

void StateReader::ExpectEnd() const {
  if (!rest_.empty()) ThrowDamaged(fmt::format("{} bytes too many", rest_.size()));
}

void StateReader::CheckLength(uint64_t found, uint64_t expected) {
  if (found != expected) {
    ThrowDamaged(fmt::format("holds a window of {} bars where {} are wanted", found, expected));
  }
}

}  // namespace almanac
