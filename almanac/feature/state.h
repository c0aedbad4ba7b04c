// Saved state as bytes: what kernels, and the features made of them, write and read back.
//
// A value is stored as it lies in memory, little-endian. Writer and reader have the same call
// operator, so that one Visit function describes a state in both directions:
//   template <typename Archive> void Visit(Archive& archive) { archive(count_, values_); }
#ifndef ALMANAC_FEATURE_STATE_H_
#define ALMANAC_FEATURE_STATE_H_

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace almanac {

static_assert(std::endian::native == std::endian::little, "states are stored as they lie");

class StateWriter {
 public:
  template <typename... Values>
  void operator()(Values&... values) {
    (Put(values), ...);
  }
  void Bytes(const void* data, size_t size);
  void Text(std::string_view text);
  const std::string& bytes() const { return bytes_; }

 private:
  template <typename T>
  void Put(T& value) {
    if constexpr (std::is_trivially_copyable_v<T>) {
      Bytes(&value, sizeof(value));
    } else {
      value.Visit(*this);
    }
  }
  template <typename T>
  void Put(std::vector<T>& values) {
    static_assert(std::is_trivially_copyable_v<T>);
    const uint64_t count = values.size();
    Bytes(&count, sizeof(count));
    Bytes(values.data(), count * sizeof(T));
  }

  std::string bytes_;
};

// Reads what StateWriter wrote; throws Error(kBadData) where the bytes end early, or where a vector
// had another length than the one that it is read into (a state of other parameters).
class StateReader {
 public:
  explicit StateReader(std::string_view bytes) : rest_(bytes) {}

  template <typename... Values>
  void operator()(Values&... values) {
    (Get(values), ...);
  }
  void Bytes(void* data, size_t size);
  std::string Text();
  // Throws unless everything was read.
  void ExpectEnd() const;

 private:
  template <typename T>
  void Get(T& value) {
    if constexpr (std::is_trivially_copyable_v<T>) {
      Bytes(&value, sizeof(value));
    } else {
      value.Visit(*this);
    }
  }
  template <typename T>
  void Get(std::vector<T>& values) {
    static_assert(std::is_trivially_copyable_v<T>);
    uint64_t count = 0;
    Bytes(&count, sizeof(count));
    CheckLength(count, values.size());
    Bytes(values.data(), values.size() * sizeof(T));
  }
  static void CheckLength(uint64_t found, uint64_t expected);

  std::string_view rest_;
};

}  // namespace almanac

#endif  // ALMANAC_FEATURE_STATE_H_
