// SHA-256, for naming artifacts and checking what was read back.
#ifndef ALMANAC_BASE_HASH_H_
#define ALMANAC_BASE_HASH_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace almanac {

// 64 lower-case hexadecimal digits.
std::string Sha256(std::string_view bytes);
// Of a file's content, read in blocks. Throws Error if it cannot be read.
std::string Sha256OfFile(const std::filesystem::path& path);

// Hashes several fields into one digest. Every field is written with its length, so that
// ("ab", "c") and ("a", "bc") differ.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;

  Hasher& Add(std::string_view field);
  Hasher& Add(int64_t value);
  Hasher& AddBytes(const void* data, size_t size);

  // 64 hexadecimal digits; the object is used up.
  std::string Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace almanac

#endif  // ALMANAC_BASE_HASH_H_
